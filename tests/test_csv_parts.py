"""A CSV file that is cut into parts is loaded as it is loaded whole, or the cut is refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredb.errors import InputError
from genredb.warehouse import csvparts
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvparts import cut
from genredb.warehouse.database import open_memory
from genredb.warehouse.load import Load, joined, load_part, load_source
from tests.test_bad_csvs import SOURCE
from tests.test_load import HEADER, cells

UNKEYED = replace(SOURCE, key=None)  # that a key is in two parts is seen where all are loaded


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvparts, "CHUNK_BYTES", 16)


Found = tuple[list[Any], list[Any], list[Load]]


def loaded(connection: Connection, load: Load) -> Found:
    quarantined = connection.rows("from raw.quarantine order by line")
    return connection.rows("from raw.things"), quarantined, [load]


def whole(path: Path) -> Found:
    with open_memory() as connection:
        [load] = load_source(connection, UNKEYED, [path])
        return loaded(connection, load)


def in_parts(path: Path, part_bytes: int = 1) -> tuple[int, Found]:
    """Return the number of parts, and what they give together."""
    spans = cut(path, ",", part_bytes)
    found: Found = ([], [], [])
    for span in spans:
        with open_memory() as connection:
            for part, more in zip(
                found, loaded(connection, load_part(connection, UNKEYED, path, span)), strict=True
            ):
                part.extend(more)
    return len(spans), found


def assert_same(path: Path, found: Found) -> None:
    rows, quarantined, [load] = whole(path)
    assert (found[0], found[1]) == (rows, quarantined)
    one = joined(found[2])
    assert set(one.faults) == set(load.faults)
    assert replace(one, faults=load.faults) == load


def lines() -> Iterator[str]:
    yield HEADER
    for number in range(60):
        title = '"two\nlines, ""quoted"""' if number % 7 == 0 else f"Song {number}"
        yield f"{number},{title},{'loud' if number % 9 == 0 else 100 + number},-5"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_parts_give_the_rows_faults_and_lines_of_the_whole(
    tmp_path: Path, end: str, last: str, mark: str
) -> None:
    path = tmp_path / "things.csv"
    text = mark + end.join(one.replace("\n", end) for one in lines()) + (end if last else "")
    path.write_bytes(text.encode())
    count, found = in_parts(path)
    assert count > 20
    assert len(found[1]) == 7
    assert_same(path, found)


def test_parts_have_the_size_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text("\n".join(lines()) + "\n")
    spans = cut(path, ",", 300)
    assert [span.end for span in spans[:-1]] == [span.start for span in spans[1:]]
    assert (spans[0].start, spans[-1].end) == (len(HEADER) + 1, path.stat().st_size)
    assert all(300 <= span.end - span.start < 400 for span in spans[:-1])


@pytest.mark.parametrize("odd", ['9,"open,100,-5\n', "9,a,100,-5\r\n", "9,a,100\r,-5\n"])
def test_a_file_whose_records_are_unclear_is_not_cut(tmp_path: Path, odd: str) -> None:
    """An open quote, and line ends of two kinds."""
    path = tmp_path / "things.csv"
    path.write_bytes("\n".join(lines()).encode() + b"\n" + odd.encode())
    assert cut(path, ",", 1) == []


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(st.lists(cells, min_size=3, max_size=5), min_size=1, max_size=12))
def test_any_file_gives_the_same_or_is_refused(tmp_path: Path, rows: list[list[str]]) -> None:
    """Cells are written as they are: with open quotes, too many fields, lone line ends."""
    path = tmp_path / "things.csv"
    text = "\n".join([HEADER, *(f"{number},{','.join(cells)}" for number, cells in enumerate(rows))])
    path.write_text(text, encoding="utf-8")
    try:
        count, found = in_parts(path)
    except InputError:
        return  # the whole file is loaded instead
    if count:
        if not found[0]:  # which is an error of the whole
            with pytest.raises(InputError, match="none of its"):
                whole(path)
            return
        assert_same(path, found)
