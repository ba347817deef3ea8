"""Every kind of bad CSV, a file each: its rows are loaded or quarantined, or it is refused with the cure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genredb.errors import InputError
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_memory
from genredb.warehouse.declared import Column, RawPattern, SourceSpec
from genredb.warehouse.load import Load, load_source
from genredb.warehouse.tables import create_tables
from tests.conftest import check_golden

FOLDER = Path(__file__).parent / "bad_csvs"

SOURCE = SourceSpec(
    "raw",
    "things",
    "raw",
    "",
    (
        Column("id", data_type="integer", meta={"header": "Id", "required": True, "min": 0}),
        Column("title", data_type="varchar"),
        Column("bpm", data_type="integer", meta={"min": 0, "aliases": ["tempo"]}),
        Column(
            "db", data_type="double", meta={"header": "dB", "min": -60, "max": 0, "aliases": ["Loudness"]}
        ),
    ),
    "sources.yml",
    files=RawPattern("things.csv"),
    key="id",
)

ONE, TWO, THREE = (1, "One", 100, -5.0), (2, "Two", 110, -6.0), (3, "Three", 120, -7.0)
ALL = [ONE, TWO, THREE]
BESIDE = "text outside the quotes of a field; double any quote inside a field"
UNCLOSED = "a quote is never closed"

# file: the rows it gives, and the lines, reasons and texts of those that are quarantined
LOADED: dict[str, tuple[list[tuple[Any, ...]], list[tuple[int, str, str]]]] = {
    "good": (ALL, []),
    "reordered_header": (ALL, []),
    "upper_case_and_spaced_header": (ALL, []),
    "aliased_header": (ALL, []),
    "extra_column": (ALL, []),
    "trailing_commas": (ALL, []),
    "trailing_commas_and_defect": ([ONE, TWO], [(4, "bpm: 'abc' is not an integer", "3,Three,abc,-7,")]),
    "crlf_quoted_newline_and_defect": (
        [(1, "One\r\nhalf", 100, -5.0), THREE],
        [(4, "bpm: 'abc' is not an integer", "2,Two,abc,-6")],
    ),
    "quoted_carriage_return_and_defect": (
        [(1, "One\rhalf", 100, -5.0), THREE],
        [(3, "bpm: 'abc' is not an integer", "2,Two,abc,-6")],
    ),
    "cr_quoted_newline_and_defect": (
        [(1, "One\nhalf", 100, -5.0), THREE],
        [(3, "bpm: 'abc' is not an integer", "2,Two,abc,-6")],
    ),
    "cr_with_last_line_feed": (ALL, []),
    "spaces_in_quoted_header": (ALL, []),
    "short_row": ([ONE, THREE], [(3, "3 fields where the header has 4", "2,Two,110")]),
    "long_row": ([ONE, THREE], [(3, "5 fields where the header has 4", "2,Two,110,-6,9")]),
    "long_quoted_row": ([ONE, THREE], [(3, "5 fields where the header has 4", '2,"Two, or so",110,-6,9')]),
    "text_beside_a_quoted_field": (
        [ONE, (3, "Three, again", 120, -7.0)],
        [(3, BESIDE, '2,"Two"x,110,-6')],
    ),
    "quote_inside_a_field": ([ONE, (2, 'Two 7" mix', 110, -6.0), THREE], []),
    "unclosed_last_quote": ([ONE, TWO], [(4, UNCLOSED, '3,"Three,120,-7')]),
    "unclosed_quote_in_the_middle": ([ONE], [(3, UNCLOSED, '2,"Two,110,-6\n3,Three,120,-7')]),
    "text_for_a_number": ([TWO, THREE], [(2, "bpm: 'abc' is not an integer", "1,One,abc,-5")]),
    "fraction_for_an_integer": ([TWO, THREE], [(2, "Id: '1.5' is not an integer", "1.5,One,100,-5")]),
    "nan": (
        [THREE],
        [
            (2, "bpm: 'nan' is not an integer", "1,One,nan,-5"),
            (3, "dB: 'nan' is not a number", "2,Two,110,nan"),
        ],
    ),
    "infinity": (
        [THREE],
        [
            (2, "bpm: 'inf' is not an integer", "1,One,inf,-5"),
            (3, "dB: '-Infinity' is not a number", "2,Two,110,-Infinity"),
        ],
    ),
    "overflow": (
        [(4, "Four", 130, -8.0)],
        [
            (2, "bpm: '1e999' is not an integer", "1,One,1e999,-5"),
            (3, "dB: '1e999' is not a number", "2,Two,110,1e999"),
            (4, "bpm: '99999999999' is too large", "3,Three,99999999999,-7"),
        ],
    ),
    "out_of_range": (
        [THREE],
        [(2, "dB: '300' is above 0", "1,One,100,300"), (3, "bpm: '-1' is below 0", "2,Two,-1,-6")],
    ),
    "duplicate_id": (
        [ONE, THREE],
        [
            (3, "id: '1' duplicates an earlier record", "1,Uno,110,-6"),
            (5, "id: '1' duplicates an earlier record", "1,Un,130,-8"),
        ],
    ),
    "duplicate_of_a_bad_row": (
        [(1, "Uno", 110, -6.0), THREE],
        [(2, "bpm: 'abc' is not an integer", "1,One,abc,-5")],
    ),
    "empty_id": ([TWO, THREE], [(2, "Id is empty", ",One,100,-5")]),
    "empty_values": ([(1, None, None, None), (2, None, None, None), (3, "Three", None, -7.0)], []),
    "blank_lines": (ALL, []),
    "no_last_line_end": (ALL, []),
    "mojibake": ([(1, "CÃ©line", 100, -5.0), (2, "Céline", 110, -6.0), (3, "â€œThreeâ€\x9d", 120, -7.0)], []),
    "byte_order_mark": (ALL, []),
    "byte_order_mark_and_quotes": (  # and a header whose quotes hold a comma and a line end
        [TWO],
        [(3, "bpm: 'abc' is not an integer", 'x,1,"One, two",abc,-5')],
    ),
    "crlf": (ALL, []),
    "cr": (ALL, []),
    "mixed_line_ends": (ALL, []),
    "stray_carriage_return": (
        [ONE, THREE],
        [(3, "a carriage return inside the line", "2,T\rwo,110,-6")],
    ),
    "quoted_newline": (
        [(1, "One\nand a half", 100, -5.0), (2, "Two\r\nmore", 110, -6.0), (3, 'a "q" b', 120, -7.0)],
        [],
    ),
    "quoted_newline_then_defect": (
        [(1, "One\nand\na half", 100, -5.0), THREE],
        [(5, "bpm: 'abc' is not an integer", "2,Two,abc,-6")],
    ),
    "spaces_around_quotes": ([(1, "One, and", 100, -5.0), TWO, THREE], []),
    "backslash_before_quote": ([(1, "One\\", 100, -5.0), TWO, THREE], []),
}

REFUSED = [
    "no_header",
    "duplicate_header",
    "missing_column",
    "empty_file",
    "header_only",
    "header_and_blank_lines",
    "web_page",
    "semicolons",
    "nul_byte",
    "latin_1",
    "utf_16",
    "utf_16_without_mark",
    "gzip_named_csv",
    "truncated_gzip",
]


@pytest.fixture
def connection() -> Iterator[Connection]:
    with open_memory() as connection:
        create_tables(connection)
        yield connection


def load(connection: Connection, path: Path) -> tuple[Load, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    [done] = load_source(connection, SOURCE, [path])
    loaded = connection.rows("select id, title, bpm, db from raw.things")
    quarantined = connection.rows("select line, reason, text from raw.quarantine order by line")
    assert done.records == done.loaded + done.quarantined
    assert (done.loaded, done.quarantined) == (len(loaded), len(quarantined))
    return done, loaded, quarantined


def test_every_file_has_its_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.csv")} == {*LOADED, *REFUSED}


@pytest.mark.parametrize("name", LOADED)
def test_rows_are_loaded_or_quarantined(connection: Connection, name: str) -> None:
    _, loaded, quarantined = load(connection, FOLDER / f"{name}.csv")
    assert (loaded, quarantined) == LOADED[name]


def test_refused_files_say_what_to_do(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    messages = []
    for name in REFUSED:
        with pytest.raises(InputError) as error:
            load(connection, Path(f"{name}.csv"))
        messages.append(str(error.value))
    check_golden("refused_csvs.txt", "\n".join(messages) + "\n")


def test_extra_columns_are_named(connection: Connection) -> None:
    done, _, _ = load(connection, FOLDER / "extra_column.csv")
    assert done.ignored_columns == ("mood",)


def test_fields_of_a_megabyte_load_and_of_three_are_quarantined(
    connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "long.csv"
    path.write_text(
        f"Id,title,bpm,dB\n1,{'x' * 1_000_000},100,-5\n2,{'y' * 3_000_000},110,-6\n3,Three,120,-7\n"
    )
    _, loaded, quarantined = load(connection, path)
    assert [(row[0], len(row[1])) for row in loaded] == [(1, 1_000_000), (3, 5)]
    assert [(line, len(text)) for line, _, text in quarantined] == [(3, 3_000_009)]
    assert "3,000,009 bytes long" in quarantined[0][1]


@pytest.mark.parametrize(
    "name", ["g*x.csv", "h[a].csv", "q?.csv", 'it\'s "quoted".csv', "-o.csv", "$(ls).csv"]
)
@pytest.mark.parametrize("place", ["plain", "odd [folder]*"])
def test_a_file_name_names_that_file_alone(
    connection: Connection, tmp_path: Path, place: str, name: str
) -> None:
    folder = tmp_path / place
    folder.mkdir()
    for other in ("gggx.csv", "ha.csv", "qq.csv"):
        (folder / other).write_text("Id,title,bpm,dB\n9,Other,1,-1\n")
    (folder / name).write_text("Id,title,bpm,dB\n1,One,100,-5\n")
    _, loaded, _ = load(connection, folder / name)
    assert loaded == [ONE]


def test_folders_and_dangling_links_are_refused(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder, not a file; move its files into the raw folder"):
        load(connection, tmp_path / "folder.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is a broken link"):
        load(connection, tmp_path / "link.csv")


def test_a_file_without_any_good_row_is_refused(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "hopeless.csv"
    path.write_text("Id,title,bpm,dB\nx,One,100,-5\n")
    with pytest.raises(
        InputError, match="none of its 1 records can be loaded; line 2: Id: 'x' is not an integer"
    ):
        load(connection, path)
