"""The loader over invented files: whatever they hold, each record is loaded or quarantined."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genredb.errors import InputError
from genredb.warehouse.csvfile import survey
from genredb.warehouse.csvrecords import split_records
from genredb.warehouse.database import open_memory
from genredb.warehouse.load import load_source
from genredb.warehouse.raw_table import RawTable
from genredb.warehouse.readers.csv import read
from genredb.warehouse.tables import create_tables
from tests.test_bad_csvs import SOURCE

HEADER = "Id,title,bpm,dB"
FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12
)
cells = st.one_of(
    texts,
    st.integers(-5, 500).map(str),
    st.sampled_from(["", " ", '"', '""', "a,b", "1.5", "nan", "x\ny", "é", "Ã©", '7" mix', "-3.5"]),
)


def load_bytes(content: bytes) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], int]:
    """Load a file of these bytes; return loaded rows, quarantined rows and the count of records."""
    with open_memory() as connection, tempfile.TemporaryDirectory() as folder:
        create_tables(connection)
        path = Path(folder) / "things.csv"
        path.write_bytes(content)
        [done] = load_source(connection, SOURCE, [path])
        loaded = connection.rows("from raw.things")
        quarantined = connection.rows("from raw.quarantine order by line")
    return loaded, quarantined, done.records


@FEW
@given(titles=st.lists(texts, min_size=1, max_size=20))
def test_written_records_come_back(titles: list[str]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER.split(","))
    writer.writerows([number, title, 100, -5] for number, title in enumerate(titles))
    loaded, quarantined, records = load_bytes(buffer.getvalue().encode())
    assert quarantined == []
    assert records == len(titles)
    # An empty field is no value.
    assert [(row[0], row[1]) for row in loaded] == [(n, title or None) for n, title in enumerate(titles)]


@FEW
@given(rows=st.lists(st.lists(cells, min_size=1, max_size=6), min_size=1, max_size=12), quotes=st.booleans())
@example(rows=[["1", "a", "2", "-3"], ['"', "b"], ["3", "c", "4", "-4"]], quotes=False)
@example(rows=[['"'], ["", "", "", '"']], quotes=False)  # one quoted field, with a line end in it
def test_every_record_is_accounted_for(rows: list[list[str]], quotes: bool) -> None:
    """Broken rows as well as good ones, quoted by a CSV writer or pasted together without care."""
    if quotes:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(rows)
        body = buffer.getvalue()
    else:
        body = "".join(",".join(row) + "\n" for row in rows)
    try:
        loaded, quarantined, records = load_bytes(f"{HEADER}\n900001,Sure,100,-5\n{body}".encode())
    except InputError:
        pytest.fail("a file with a good record must load")
    assert records == len(loaded) + len(quarantined)
    assert (900001, "Sure", 100, -5.0) in loaded


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(content: bytes) -> None:
    try:
        loaded, quarantined, records = load_bytes(f"{HEADER}\n1,One,100,-5\n".encode() + content)
    except InputError as error:
        assert "things.csv" in str(error)
    else:
        assert records == len(loaded) + len(quarantined)


@FEW
@given(rows=st.lists(st.tuples(texts, st.integers(0, 300), st.integers(-60, 0)), min_size=1, max_size=12))
def test_one_go_and_record_by_record_agree(rows: list[tuple[str, int, int]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER.split(","))
    writer.writerows([number, *row] for number, row in enumerate(rows))
    with open_memory() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("create schema raw")
        path = Path(folder) / "things.csv"
        path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
        reading = read(connection, path, path, ",")
        table = RawTable(connection, SOURCE, reading, SOURCE.columns)
        assert table.load_clean()
        clean = connection.rows(f"from {table.relation}")
        for split in (table.load_split(), table.load_checked()):
            assert split is not None
            assert connection.rows(f"from {table.relation}") == clean
            assert (split.records, split.faulty) == (reading.found.records, [])


@FEW
@given(
    rows=st.lists(st.tuples(texts, st.integers(-2, 500), st.sampled_from("-5 1 x 1.5".split())), min_size=1)
)
def test_bad_values_of_a_plain_file_are_judged_as_record_by_record(rows: list[tuple[str, int, str]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER.split(","))
    writer.writerows([number % 7, *row] for number, row in enumerate(rows))
    with open_memory() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("create schema raw")
        path = Path(folder) / "things.csv"
        path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
        table = RawTable(connection, SOURCE, read(connection, path, path, ","), SOURCE.columns)
        split = table.load_split()
        loaded = connection.rows(f"from {table.relation}")
        assert table.load_checked() == split
        assert connection.rows(f"from {table.relation}") == loaded


def test_chunk_borders_do_not_change_the_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "things.csv"
    path.write_text(f'{HEADER}\n1,"a ""b""\nc",100,-5\n2,"é,",110,-6\n', encoding="utf-8")
    for size in range(1, 30):
        monkeypatch.setattr("genredb.warehouse.csvfile.CHUNK_BYTES", size)
        if size >= len(HEADER) + 1:  # the header is read from the first chunk
            assert survey(path).records == 2


def test_records_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text(f'{HEADER}\n1,"a\nb",1,-1\n\n2,x\n3,"y" z,1,-1\n4,c,1,-1\n')
    found = [(record.line, record.fault is None) for record in split_records(path, survey(path))]
    assert found == [(2, True), (5, False), (6, False), (7, True)]


def test_loading_again_replaces_rows_and_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    with open_memory() as connection:
        create_tables(connection)
        path.write_text(f"{HEADER}\n1,One,abc,-5\n2,Two,110,-6\n")
        load_source(connection, SOURCE, [path])
        path.write_text(f"{HEADER}\n1,One,100,-5\n")
        load_source(connection, SOURCE, [path])
        assert connection.rows("select id from raw.things") == [(1,)]
        assert connection.rows("select count(*) from raw.quarantine") == [(0,)]
