"""What a spreadsheet did to a CSV is undone where that is unambiguous, and counted; else quarantined."""

import csv
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredb.warehouse.database import open_memory
from genredb.warehouse.declared import Column, RawPattern, SourceSpec
from genredb.warehouse.faults import Repair
from genredb.warehouse.load import load_source
from genredb.warehouse.tables import create_tables

SOURCE = SourceSpec(
    "raw",
    "things",
    "raw",
    "",
    (
        Column("file", data_type="varchar", meta={"filled_with": "file_stem"}),
        Column("number", data_type="integer", meta={"filled_with": "record_number"}),
        Column("title", data_type="varchar"),
        Column("plays", data_type="integer", meta={"min": 0}),
        Column("mood", data_type="varchar", meta={"optional": True}),
    ),
    "sources.yml",
    files=RawPattern("things*.csv", is_pattern=True, is_optional=True, thousands_separator=","),
)
FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
titles = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=12
)


def spoiled(lines: list[str], padding: str) -> bytes:
    """Save lines of a CSV as a spreadsheet does that separates by semicolons and sees one column."""
    quoted = ['"' + line.replace('"', '""') + '"' if '"' in line or ";" in line else line for line in lines]
    return "".join(f"{line}{padding}\r\n" for line in quoted).encode("utf-8-sig")


@FEW
@given(
    things=st.lists(st.tuples(titles, st.integers(0, 2_000_000)), min_size=1, max_size=12),
    padding=st.sampled_from(["", ";", ";;;"]),
)
def test_what_a_spreadsheet_spoiled_comes_back(things: list[tuple[str, int]], padding: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["title", "plays"])
    writer.writerows([title, f"{plays:,}"] for title, plays in things)
    content = spoiled(buffer.getvalue().removesuffix("\n").split("\n"), padding)
    with open_memory() as connection, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "things_1.csv"
        path.write_bytes(content)
        create_tables(connection)
        [done] = load_source(connection, SOURCE, [path])
        found = connection.rows("select number, title, plays from raw.things")
    assert found == [(n, title or None, plays) for n, (title, plays) in enumerate(things, start=1)]
    assert done.repairs.get(Repair.THOUSANDS_SEPARATOR, 0) == sum(plays >= 1_000 for _, plays in things)
    assert done.repairs.get(Repair.PADDED, 0) == (len(things) if padding else 0)


@pytest.mark.parametrize(
    ("line", "loaded", "reason"),
    [
        ("One,5;;", ("One", 5), None),
        ("One,5", ("One", 5), None),
        ('"One,5";;', ("One", 5), None),
        ('"""One, two"",""1,005""";;', ("One, two", 1005), None),
        ('"One, two",5;;', ("One, two", 5), None),
        ('"One,5;;";;', ("One", 5), None),
        ('"One,5;;"', ("One", 5), None),
        ('"One, two,5";;', None, "3 fields where the header has 2"),
        ('"One";;', None, "1 fields where the header has 2"),
        ("One,5;", None, "it does not end with 2 empty columns (;) as the header does"),
        ("One,5;;;", None, "it does not end with 2 empty columns (;) as the header does"),
        ("One,5;;more", None, "plays: '5;;more' is not an integer"),
        ("One,1,005;;", None, "3 fields where the header has 2"),
        ('One,"10,05";;', None, "plays: '10,05' is not an integer"),
        ('One,"-1,005";;', None, "plays: '-1,005' is below 0"),
    ],
)
def test_what_is_not_unambiguous_is_quarantined_as_it_stands(
    tmp_path: Path, line: str, loaded: tuple[str, int] | None, reason: str | None
) -> None:
    path = tmp_path / "things.csv"
    path.write_text(f"title,plays;;\nSure,1;;\n{line}\n;;\nLast,2;;\n")
    with open_memory() as connection:
        create_tables(connection)
        [done] = load_source(connection, SOURCE, [path])
        found = connection.rows("select number, title, plays from raw.things")
        quarantined = connection.rows("select line, reason, text from raw.quarantine")
    assert found == [(1, "Sure", 1), *([(2, *loaded)] if loaded else []), (3, "Last", 2)]
    assert quarantined == ([(3, reason, line)] if reason else [])
    assert done.records == 3


@pytest.mark.parametrize("title", ["Wait;;", "Wait;", ";;", "Wait; ;;"])
def test_semicolons_of_a_title_are_kept_where_the_header_is_not_padded(tmp_path: Path, title: str) -> None:
    """A title may end with semicolons; only a padded header says that a spreadsheet put them there."""
    source = replace(SOURCE, columns=(SOURCE.columns[3], SOURCE.columns[2]))
    path = tmp_path / "things.csv"
    for bad in ("", "x,Bad\n"):
        path.write_text(f"plays,title\n1,One\n2,{title}\n3,Three\n{bad}")
        with open_memory() as connection:
            create_tables(connection)
            [done] = load_source(connection, source, [path])
            found = [text for (text,) in connection.rows("select title from raw.things")]
        assert (found, done.repaired, done.quarantined) == (["One", title, "Three"], 0, bool(bad))


def test_a_header_quoted_whole_is_read(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text('"title,""plays""";\n"""A, b"",1";\n')
    with open_memory() as connection:
        create_tables(connection)
        [done] = load_source(connection, SOURCE, [path])
        assert connection.rows("select file, title, plays, mood from raw.things") == [
            ("things", "A, b", 1, None)
        ]
    assert done.repairs == {Repair.PADDED: 1, Repair.QUOTED_WHOLE: 1}
