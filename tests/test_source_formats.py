"""Raw files in other formats than CSV: the same rows, the same reasons, nothing lost."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredb.ask.export import export
from genredb.errors import InputError
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.runner.project.raw_folder import source_files, unread_notices
from genredb.songs.predict import predict
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_memory
from genredb.warehouse.declared import Column
from genredb.warehouse.infer import infer_table
from genredb.warehouse.load import load_source
from genredb.warehouse.tables import create_tables
from tests.conftest import config_for
from tests.conftest import rows as rows_of
from tests.project_files import write_project
from tests.test_bad_csvs import SOURCE
from tests.verbs import build

ENDINGS = (".csv", ".csv.gz", ".jsonl", ".ndjson.gz", ".parquet")
HEADER = ("Id", "title", "bpm", "dB")

Row = Sequence[str]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with open_memory() as connection:
        create_tables(connection)
        yield connection


def write_rows(path: Path, rows: Sequence[Row], header: Sequence[str] = HEADER) -> Path:
    """Write rows of text in the format that the name tells."""
    if path.suffix.lower() == ".parquet":
        columns = {name: [row[place] for row in rows] for place, name in enumerate(header)}
        pq.write_table(pa.table(columns, schema=pa.schema([(name, pa.string()) for name in header])), path)
        return path
    if ".csv" in path.name.lower():
        quoted = [",".join('"' + text.replace('"', '""') + '"' for text in row) for row in (header, *rows)]
        content = "".join(line + "\n" for line in quoted)
    else:
        content = "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows)
    data = content.encode()
    path.write_bytes(gzip.compress(data) if path.suffix.lower() == ".gz" else data)
    return path


def outcome(connection: Connection, path: Path) -> tuple[list[Any], list[Any]]:
    """Load a file; return its rows and the reasons for which others are quarantined."""
    [done] = load_source(connection, SOURCE, [path])
    loaded = connection.rows("from raw.things")
    reasons = connection.rows("select reason from raw.quarantine order by line")
    assert done.records == len(loaded) + len(reasons)
    return loaded, [reason for (reason,) in reasons]


def table(path: Path, columns: Mapping[str, Any]) -> Path:
    """Write a Parquet file of typed columns."""
    pq.write_table(pa.table(dict(columns)), path)
    return path


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("bad", [[], [["x", "Bad", "1", "-1"], ["1", "Again", "9", "-1"]]])
def test_each_format_gives_the_same_rows(
    connection: Connection, tmp_path: Path, ending: str, bad: list[Row]
) -> None:
    """One bad row sends a file the slow way, and moves no other row."""
    rows = [["1", 'A "b", c\nd', "100", "-5"], ["2", "", "107.0", "-1.5"], *bad, ["3", " x;; ", "", ""]]
    loaded, reasons = outcome(connection, write_rows(tmp_path / f"things{ending}", rows))
    assert loaded == [
        (1, 'A "b", c\nd', 100, -5.0),
        (2, None, 107, -1.5),
        (3, " x;; ", None, None),
    ]
    assert reasons == (["Id: 'x' is not an integer", "id: '1' duplicates an earlier record"] if bad else [])


CELL = st.one_of(
    st.integers(-3, 500).map(str),
    st.sampled_from(["", " ", "nan", "1.5", "1e3", "x", '"', "a,b", "é\r\n;", "-5", "99999999999999999999"]),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=6))
def test_any_rows_fare_alike_in_each_format(connection: Connection, tmp_path: Path, rows: list[Row]) -> None:
    """The format decides neither what is loaded nor why a row is refused."""
    good = ("1000", "good", "1", "-1")
    found = [outcome(connection, write_rows(tmp_path / f"things{end}", [good, *rows])) for end in ENDINGS]
    assert all(one == found[0] for one in found)


def test_json_lines_keep_what_is_no_record(connection: Connection, tmp_path: Path) -> None:
    """Each broken line stands in quarantine with its number and its text."""
    lines = [
        '\ufeff{"Id": 1, "title": "One", "bpm": 100, "dB": -5.0, "more": [1]}',
        "",
        '{"Id": 2, "title": null}',
        '{"Id": 3, "title": ["a"]}',
        '{"Id": 4, "Id": 5}',
        "[1]",
        '{"Id": 6',
        '{"Id": 7, "bpm": NaN}',
        '{"Id": 8, "title": "\\u0000"}',
        '{"Id": 9, "title": "\\ud800"}',
        '{"Id": true}',
        '{"Id": ' + "9" * 5000 + "}",
        '{"Id": 12, "dB": 1e999}',
        '{"Id": 13, "title": ' + "[" * 100_000 + "}",
    ]
    path = tmp_path / "things.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    [done] = load_source(connection, SOURCE, [path])
    assert connection.rows("from raw.things") == [
        (1, "One", 100, -5.0),
        (2, None, None, None),
    ]
    kept = connection.rows("select line, reason, text from raw.quarantine order by line")
    assert [(line, text) for line, _, text in kept] == list(enumerate(lines[3:], start=4))
    assert [reason.split(" (")[0][:45] for _, reason, _ in kept[:7]] == [
        "title holds a list",
        "it has the key 'Id' twice",
        "it is not a JSON object",
        "it is not JSON: Expecting ',' delimiter",
        "it is not JSON, which has no NaN",
        "it contains a NUL character",
        "it contains half of a surrogate pair, which i",
    ]
    assert (done.records, done.loaded, done.quarantined) == (13, 2, 11)
    assert done.ignored_columns == ("more",)


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("a\0b", "it contains a NUL character"),
        ("x" * 1_900_000, "the record is 1,900,018 bytes long; at most 1,900,000 are read"),
        ('"' * 1_000_000, "the record is 2,000,018 bytes long; at most 1,900,000 are read"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_beside_good_rows_and_bad(
    connection: Connection, tmp_path: Path, ending: str, title: str, reason: str
) -> None:
    """A bad row elsewhere in the file does not decide it; a column that the source ignores is not read."""
    path, header = tmp_path / f"things{ending}", (*HEADER, "more")
    good, odd, bad = ["1", "One", "1", "-1", title], ["2", title, "2", "-1", ""], ["3", "Bad", "x", "-1", ""]
    loaded = [(1, "One", 1, -1.0)]
    assert outcome(connection, write_rows(path, [good], header)) == (loaded, [])
    assert outcome(connection, write_rows(path, [good, odd], header)) == (loaded, [reason])
    reasons = [reason, "bpm: 'x' is not an integer"]
    assert outcome(connection, write_rows(path, [good, odd, bad], header)) == (loaded, reasons)


def test_parquet_keeps_its_types(connection: Connection, tmp_path: Path) -> None:
    """Whole doubles are integers, as pandas writes them; a row's number is the line in quarantine."""
    path = table(
        tmp_path / "things.parquet",
        {
            "id": pa.array([1, 2, 3], pa.int64()),
            "title": pa.array(["a", None, "c"]).dictionary_encode(),
            "bpm": pa.array([100.0, None, 1.5]),
            "dB": pa.array([-1, -2, -3], pa.int32()).cast(pa.decimal128(12, 2)),
            "tags": pa.array([["x"], [], None]),
        },
    )
    [done] = load_source(connection, SOURCE, [path])
    assert connection.rows("from raw.things") == [(1, "a", 100, -1.0), (2, None, None, -2.0)]
    kept = connection.rows("select line, reason from raw.quarantine")
    assert kept == [(3, "bpm: '1.5' is not an integer")]
    assert done.ignored_columns == ("tags",)


def test_parquet_has_dates_and_booleans(connection: Connection, tmp_path: Path) -> None:
    """A date, a timestamp and a boolean arrive as such."""

    types = {"d": "date", "t": "timestamp", "b": "boolean"}
    columns = tuple(Column(name, data_type=type_) for name, type_ in types.items())
    source = replace(SOURCE, columns=columns, key=None)
    row = (date(2020, 1, 2), datetime.fromisoformat("2020-01-02T03:04:05.600000"), True)
    path = table(tmp_path / "things.parquet", dict(zip(types, ([value] for value in row), strict=True)))
    load_source(connection, source, [path])
    assert connection.rows("from raw.things") == [row]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_date_is_finite_and_loses_no_time_of_day(
    connection: Connection, tmp_path: Path, ending: str
) -> None:
    """A timestamp at midnight is a date, for so pandas writes dates; any other would lose its time."""
    names = ("d", "t")
    source = replace(SOURCE, columns=tuple(Column(one, data_type="date") for one in names), key=None)
    good = [("2020-01-02", ""), ("2020-01-02 00:00:00", "5874897-12-31")]
    bad = ["2020-01-02 10:00:00", "2020-01-01 23:00:00+00", "infinity"]
    rows = [*good, *((one, "") for one in bad)]
    load_source(connection, source, [write_rows(tmp_path / f"things{ending}", rows, names)])
    assert connection.rows("select d::varchar, t::varchar from raw.things") == [
        ("2020-01-02", None),
        ("2020-01-02", "5874897-12-31"),
    ]
    reasons = connection.rows("select reason from raw.quarantine order by line")
    assert [reason for (reason,) in reasons] == [f"d: '{one}' is not a date" for one in bad]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_timestamp_loses_no_offset(connection: Connection, tmp_path: Path, ending: str) -> None:
    source = replace(SOURCE, columns=(Column("t", data_type="timestamp"),), key=None)
    good = ["2020-01-02", "2020-01-02 10:00", "2020-01-02T10:00:00.5Z", "2020-01-02 10:00:00+00:00"]
    bad = ["2020-01-02 10:00+05", "2020-01-02 10:00:00-0530", "2020-01-02T10:00:00.25+05:30"]
    load_source(
        connection, source, [write_rows(tmp_path / f"things{ending}", [(one,) for one in good + bad], ("t",))]
    )
    assert len(connection.rows("from raw.things")) == len(good)
    reasons = connection.rows("select reason from raw.quarantine order by line")
    assert [reason for (reason,) in reasons] == [f"t: '{one}' is not a timestamp" for one in bad]


def test_parquet_timestamps_become_dates_only_at_midnight(connection: Connection, tmp_path: Path) -> None:
    """Midnight in Berlin is another day in UTC."""
    source = replace(SOURCE, columns=(Column("d", data_type="date"),), key=None)
    moments = [datetime.fromisoformat(f"2020-01-02T{one}") for one in ("00:00", "12:00")]
    path = table(tmp_path / "things.parquet", {"d": moments})
    [done] = load_source(connection, source, [path])
    assert (done.loaded, done.quarantined) == (1, 1)
    here = pa.array([datetime.fromisoformat("2020-01-02T00:00+01:00")], pa.timestamp("us", "Europe/Berlin"))
    with pytest.raises(InputError, match=r"'2020-01-01 23:00:00\+00' is not a date"):
        load_source(connection, source, [table(path, {"d": here})])


def _packed(content: bytes) -> bytes:
    return gzip.compress(content)


REFUSED = {
    "cut.csv.gz": (_packed(b"Id,title,bpm,dB\n1,a,1,-1\n")[:-9], "ends before its gzip stream does"),
    "plain.csv.gz": (b"Id,title,bpm,dB\n1,a,1,-1\n", "is not a gzip file"),
    "latin.csv.gz": (
        _packed(b"Id,title,bpm,dB\n1,\xe9,1,-1\n"),
        "latin.csv.gz:2: the line holds the byte 0xE9",
    ),
    "empty.csv.gz": (_packed(b""), "empty.csv.gz is empty"),
    "header.csv.gz": (_packed(b"Id,title,bpm,dB\n"), "holds a header and no records"),
    "none.csv.gz": (b"", "is empty|is not a gzip|ends before"),
    "none.parquet": (b"", "is empty"),
    "text.parquet": (b"Id,title\n1,a\n", "is not a Parquet file"),
    "cut.parquet": (b"PAR1" + b"x" * 40, "is a damaged Parquet file"),
    "none.jsonl": (b"", "is empty"),
    "blank.jsonl": (b"\n\n", "holds no record"),
    "array.jsonl": (b'[{"Id": 1}]', "is a JSON array"),
    "latin.jsonl": (b'{"Id": 1}\n{"title": "\xe9"}\n', "latin.jsonl:2: the line holds the byte 0xE9"),
    "lacks.jsonl": (b'{"Id": 1}\n', "lacks the columns"),
    "broken.jsonl": (b"{\n", "holds no record with a column: it is not JSON"),
    "really.jsonl": (b"PAR1xxxx", "is a Parquet file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_named(connection: Connection, tmp_path: Path, name: str) -> None:
    """One sentence says what is wrong with a file as a whole."""
    content, message = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_source(connection, SOURCE, [tmp_path / name])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": [1], "title": [["x"]], "bpm": [1], "dB": [-1]}, "'title' holds lists or structs"),
        ({"id": [1], "title": [{"x": 1}], "bpm": [1], "dB": [-1]}, "'title' holds lists or structs"),
        ({"id": [1], "title": [b"x"], "bpm": [1], "dB": [-1]}, "'title' holds values of the type BLOB"),
        ({"id": pa.array([], pa.int64()), "title": [], "bpm": [], "dB": []}, "holds a header and no records"),
        ({"id": [1], "title": ["x"]}, "lacks the columns bpm, dB"),
    ],
)
def test_parquet_columns_that_cannot_be_read(
    connection: Connection, tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    """A nested or binary column is refused where the source asks for it."""
    with pytest.raises(InputError, match=message):
        load_source(connection, SOURCE, [table(tmp_path / "things.parquet", columns)])


def test_damage_is_never_an_internal_error(connection: Connection, tmp_path: Path) -> None:
    """DuckDB reports some broken bytes by errors of no kind of their own; the file is named for each."""
    numbers = list(range(300))
    columns = {"id": numbers, "title": [f"t{one}" for one in numbers], "bpm": numbers, "dB": [-1.0] * 300}
    path = table(tmp_path / "things.parquet", columns)
    sound = path.read_bytes()
    refused = 0
    for place in range(4, len(sound), len(sound) // 60):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x1F]) + sound[place + 1 :])
        try:
            load_source(connection, SOURCE, [path])
        except InputError as error:
            refused += 1
            assert "things.parquet" in str(error)
            assert "{" not in str(error)
    assert refused


def test_parquet_with_a_name_twice(connection: Connection, tmp_path: Path) -> None:
    """DuckDB would rename the second one and hide it."""
    path = tmp_path / "things.parquet"
    arrays = [pa.array([value]) for value in (1, "a", 1, -1, "b")]
    pq.write_table(pa.table(arrays, names=["Id", "title", "bpm", "dB", "Title"]), path)
    with pytest.raises(InputError, match="names these columns twice: title"):
        load_source(connection, SOURCE, [path])


@pytest.mark.parametrize("ending", ENDINGS)
def test_columns_are_inferred(tmp_path: Path, ending: str) -> None:
    """`genredb init` finds the same types in each format."""
    path = write_rows(
        tmp_path / f"customers{ending}", [["1", "x", "2020-01-02"], ["2", "", "2021-01-02"]], "abc"
    )
    found = infer_table(path)
    assert [(one.name, one.data_type) for one in found.columns] == [
        ("a", "bigint"),
        ("b", "varchar"),
        ("c", "date"),
    ]
    assert found.key == "a"


def test_why_no_line_can_be_read_is_said_when_columns_are_inferred(tmp_path: Path) -> None:
    (tmp_path / "nested.jsonl").write_text('{"a": 1, "tags": ["x"]}\n{"a": 2, "tags": {}}\n')
    with pytest.raises(InputError, match="none of its 2 records can be loaded; line 1: tags holds a list"):
        infer_table(tmp_path / "nested.jsonl")


SOURCES = """
sources:
  - name: raw
    schema: raw
    tables:
      - {name: things, config: {meta: {file: things.csv}}, columns: [{name: a, data_type: integer}]}
      - {name: more, config: {meta: {files: 'more*.csv', optional: true}}, columns: [{name: a}]}
"""


def project(folder: Path, *names: str) -> Config:
    """A project with these raw files."""
    config = write_project(folder, {"models/sources.yml": SOURCES, "data/raw/things.md": ""})
    (folder / "data/raw/things.md").unlink()
    for name in names:
        write_rows(config.raw_dir / name, [["1"]], "a")
    return config


def files_of(config: Config) -> list[list[str]]:
    """Names of the files that each source reads."""
    sources = list(read_project(config).sources.values())
    return [[path.name for path in source_files(source, sources, config)] for source in sources]


@pytest.mark.parametrize("ending", [*ENDINGS, ".Parquet", ".CSV.GZ"])
def test_a_file_stands_in_for_the_csv(tmp_path: Path, ending: str) -> None:
    """What the properties file calls things.csv may be in any format; so may what fits a pattern."""
    config = project(tmp_path, f"things{ending}", f"more_1{ending}", "more_2.csv")
    assert files_of(config) == [[f"things{ending}"], sorted([f"more_1{ending}", "more_2.csv"])]
    assert list(unread_notices(read_project(config).sources.values(), config)) == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["things.csv", "things.parquet"], "in several formats: things.csv, things.parquet"),
        (["things.CSV", "things.csv"], "in several formats: things.CSV, things.csv"),
        (["things.csv", "more_1.jsonl", "more_1.csv.gz"], "in several formats: more_1.csv.gz, more_1.jsonl"),
    ],
)
def test_the_same_file_in_two_formats_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    """Else its rows would be there twice, or one file would be ignored."""
    config = project(tmp_path, *names)
    with pytest.raises(InputError, match=message):
        files_of(config)


def test_a_spreadsheet_is_named_with_the_cure(tmp_path: Path) -> None:
    """It is there, but in a format that cannot be read."""
    config = project(tmp_path, "more_1.csv")
    (config.raw_dir / "things.xlsx").write_bytes(b"PK")
    (config.raw_dir / "more_2.xlsx").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"things.xlsx exists, but its format is not supported"):
        files_of(config)
    notices = list(unread_notices(read_project(config).sources.values(), config))
    assert [Path(notice.place.path).name for notice in notices] == ["more_2.xlsx", "things.xlsx"]


def test_a_file_that_changes_its_format_is_loaded_again(tmp_path: Path) -> None:
    """A build notices it, and that nothing changed afterwards."""
    config = project(tmp_path, "things.csv")
    build(config)
    (config.raw_dir / "things.csv").unlink()
    write_rows(config.raw_dir / "things.jsonl", [["7"]], "a")
    assert [load.file.name for load in build(config).loads] == ["things.jsonl"]
    assert rows_of(config.database, "from raw.things") == [(7,)]
    assert not build(config).loads


def test_odd_names_of_ignored_columns_stop_no_load(tmp_path: Path) -> None:
    """They are recorded in meta.loads, which holds only characters."""
    config = project(tmp_path)
    (config.raw_dir / "things.jsonl").write_text('{"a": 1, "\\ud800x": 2, "\\u0000": 3, "é": [4]}\n')
    [done] = build(config).loads
    assert done.ignored_columns == ("\\ud800x", "\0", "é")
    assert rows_of(config.database, "from raw.things") == [(1,)]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS[1:])
def test_real_songs_are_the_same_in_each_format(
    real_data: Path, real_predicted: Config, tmp_path: Path, ending: str
) -> None:
    """The competition's songs, their predictions and the submission do not depend on the format."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for path in real_data.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *texts = csv.reader(file)
        write_rows(raw / f"{path.stem}{ending}", texts, header)
    config = config_for(raw, tmp_path / "genre.duckdb")
    build(config)
    predict(config)
    for sql in ("from songs order by all", "select * from predictions order by all"):
        assert rows_of(config.database, sql) == rows_of(real_predicted.database, sql)
    for one, name in ((config, "here.csv"), (real_predicted, "there.csv")):
        export(one, "submission", tmp_path / name)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()
