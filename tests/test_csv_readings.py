"""One reading of a CSV: whether another row is bad changes nothing about a row."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genredb.errors import InputError
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import survey
from genredb.warehouse.database import open_memory
from genredb.warehouse.declared import RawPattern
from genredb.warehouse.load import load_source
from genredb.warehouse.tables import create_tables
from tests.test_bad_csvs import FOLDER, LOADED, SOURCE, UNCLOSED

HEADER = b"Id,title,bpm,dB\n"

Fate = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with open_memory() as connection:
        create_tables(connection)
        yield connection


def fates(connection: Connection, path: Path, content: bytes, delimiter: str = ",") -> Fate:
    """Load a file of these bytes; return the loaded rows and what is quarantined with its reason."""
    path.write_bytes(content)
    source = replace(SOURCE, files=RawPattern("things.csv", delimiter=delimiter))
    [done] = load_source(connection, source, [path])
    loaded = connection.rows("from raw.things")
    quarantined = connection.rows("select reason, text from raw.quarantine order by line")
    assert done.records == len(loaded) + len(quarantined)
    return loaded, quarantined


def assert_unmoved(connection: Connection, path: Path, content: bytes, delimiter: str = ",") -> None:
    """Hold that one bad row more is one row more in quarantine and nothing else."""
    path.write_bytes(content)
    found = survey(path, delimiter)
    end = b"\r" if found.line_end == b"\r" else b"\n"
    fields = ("bad" if name.strip().casefold() == "id" else "" for name in found.header)
    bad = delimiter.join(fields).encode()
    loaded, quarantined = fates(connection, path, content, delimiter)
    ended = content if content.endswith(end) else content + end
    again, with_bad = fates(connection, path, ended + bad + end, delimiter)
    assert again == loaded
    assert with_bad == [*quarantined, ("Id: 'bad' is not an integer", bad.decode())]


# Here the end of the file decides how its last record is read.
OPEN_ENDED = {"unclosed_last_quote", "unclosed_quote_in_the_middle", "cr_with_last_line_feed"}


@pytest.mark.parametrize("name", sorted(LOADED.keys() - OPEN_ENDED))
def test_a_bad_row_moves_no_other(connection: Connection, tmp_path: Path, name: str) -> None:
    assert_unmoved(connection, tmp_path / "things.csv", (FOLDER / f"{name}.csv").read_bytes())


@pytest.mark.parametrize(
    ("body", "loaded"),
    [
        (b'1,One,100,-5,""\n', [(1, "One", 100, -5.0)]),
        (b'1,One,100,-5,\n2,  "Two",1,-1\n', [(1, "One", 100, -5.0), (2, "Two", 1, -1.0)]),
        (b'1,  "One, two"  ,100,-5\n', [(1, "One, two", 100, -5.0)]),
        (b'1,7" mix,100,-5\n2,"a",1,-1\n', [(1, '7" mix', 100, -5.0), (2, "a", 1, -1.0)]),
        (b'1,a "b" c,100,-5\n', [(1, 'a "b" c', 100, -5.0)]),
        (b'1,"x",100,-5\n\n2,"",1,-1\n', [(1, "x", 100, -5.0), (2, None, 1, -1.0)]),
        (b"1,One,100,-5\n2," + b"x" * 1_950_000 + b",1,-1\n", [(1, "One", 100, -5.0)]),
    ],
)
def test_what_two_readings_once_told_apart(
    connection: Connection, tmp_path: Path, body: bytes, loaded: list[tuple[Any, ...]]
) -> None:
    assert fates(connection, tmp_path / "things.csv", HEADER + body)[0] == loaded
    assert_unmoved(connection, tmp_path / "things.csv", HEADER + body)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"Id,title,bpm,dB\r1,One,100,-5\r\n2,Two,1,-1\r3,T,1,-1\r", 3),
        (b"Id,title,bpm,dB\r\r\n1,One,100,-5\r\r\n2,Two,1,-1\r\r\n", 2),
        (HEADER + b"1,One,100,-5\n" + b"\n" * 40_000_000 + b"2,Two,1,-1\n", 2),
        (HEADER + b"1,One,100,-5\n" + b"\r\n" * 1_000_000 + b"2,Two,1,-1\n", 2),
    ],
)
def test_odd_line_ends_lose_no_row(connection: Connection, tmp_path: Path, content: bytes, rows: int) -> None:
    loaded, quarantined = fates(connection, tmp_path / "things.csv", content)
    assert (len(loaded), quarantined) == (rows, [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'Id,"title,bpm,dB\n1,One,100,-5\n', f":1: in the header, {UNCLOSED}."),
        (b'Id,"title,bpm,dB\n' + b"1,One,100,-5\n" * 200_000, ":1: the header does not end within"),
        (
            b",".join(b"c%d" % n for n in range(5_000)) + b"\n1\n",
            ":1: the header names 5,000 columns; at most 4,096",
        ),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(
    connection: Connection, tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(InputError) as error:
        fates(connection, tmp_path / "things.csv", content)
    assert message in str(error.value)


PIECES = '"|""| |  |,|;|;;|a|7|é|\n|\r\n|\r|\t|, "x"|"a"|"a,b"'.split("|")
pieces = st.sampled_from(PIECES)
texts = st.lists(pieces, max_size=4).map("".join)
good = st.tuples(st.integers(0, 20).map(str), texts, st.just("100"), st.just("-5"))
bad = st.lists(texts, min_size=4, max_size=5)


def written(
    things: list[list[str]], quoting: str, end: str, delimiter: str, *, is_ended: bool
) -> tuple[bytes, str]:
    """Return a CSV, and its delimiter, of these rows behind one that is good, in some writer's quotes (a dialect of csv) and line ends."""
    lines = [["Id", "title", "bpm", "dB"], ["900001", "Sure", "100", "-5"], *things]
    if quoting == "none":
        text = "".join(delimiter.join(line) + end for line in lines)
    else:
        buffer = io.StringIO()
        csv.writer(buffer, quoting, lineterminator=end, delimiter=delimiter).writerows(lines)
        text = buffer.getvalue()
    return (text if is_ended else text.removesuffix(end)).encode(), delimiter


files = st.builds(
    written,
    st.lists(st.one_of(good, bad).map(list), min_size=1, max_size=6),
    st.sampled_from(["none", "excel", "unix"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(",,;\t|"),
    is_ended=st.booleans(),
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[*HealthCheck])
@given(file=files)
@example(file=(HEADER + b'1,a,100,-5\n2,",100,-5\n', ","))
def test_a_bad_row_moves_no_other_of_any_file(
    connection: Connection, tmp_path: Path, file: tuple[bytes, str]
) -> None:
    """Good and bad rows in any quotes, spaces, line ends and delimiters."""
    path, (content, delimiter) = tmp_path / "things.csv", file
    try:
        _, quarantined = fates(connection, path, content, delimiter)
    except InputError:  # so odd are its line ends that the header is not one
        return
    is_of_two_ends = content.endswith(b"\r") and b"\n" in content
    if any(reason == UNCLOSED for reason, _ in quarantined) or is_of_two_ends:
        return  # what follows belongs to the last record
    assert_unmoved(connection, path, content, delimiter)
