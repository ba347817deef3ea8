"""Raw files in folders, such as those that Spark or DuckDB writes for each value of a column."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from genredb.errors import InputError, Notice, ProjectError
from genredb.runner.planning.inputs import FEWEST_FILES
from genredb.runner.planning.receipt import raw_files_changed
from genredb.runner.project.config import Config
from genredb.runner.results import SilentObserver
from genredb.warehouse.load import Load
from tests.built_anew import built_anew, contents
from tests.conftest import Cli, rows
from tests.project_files import write_project
from tests.verbs import build

YML = """
sources:
  - name: raw
    tables:
      - name: songs
        config: {{meta: {{files: '{files}', key: id}}}}
        columns:
          - {{name: id, data_type: integer, config: {{meta: {{required: true}}}}}}
          - {{name: title, data_type: varchar}}
          - {{name: year, data_type: integer, config: {{meta: {{header: Year, min: 1900}}}}}}
          - {{name: label, data_type: varchar, config: {{meta: {{optional: true}}}}}}
"""
WRITTEN = [(1, "a", 1999, "x y"), (2, "b", 2000, None), (3, "c", 2000, "z/1")]


def project(folder: Path, files: str = "songs/*/*/*.parquet") -> Config:
    """A project of one raw table without files."""
    (folder / "data" / "raw" / "songs").mkdir(parents=True)
    model = "select * from {{ source('raw', 'songs') }}"
    return write_project(folder, {"models/s.yml": YML.format(files=files), "models/all_songs.sql": model})


def write(config: Config, songs: Sequence[tuple[object, ...]] = WRITTEN) -> None:
    """Write songs as DuckDB does, in a folder for each year and label."""
    with duckdb.connect() as connection:
        connection.execute("create table t (id integer, title varchar, year integer, label varchar)")
        connection.executemany("insert into t values (?, ?, ?, ?)", songs)
        connection.execute(
            f"copy t to '{config.raw_dir / 'songs'}'"
            " (format parquet, partition_by (year, label), overwrite_or_ignore, filename_pattern 'part{i}')"
        )


def test_what_the_folders_say_fills_columns(tmp_path: Path) -> None:
    config = project(tmp_path)
    write(config)
    build(config)
    assert rows(config.database, "from raw.songs order by id") == WRITTEN
    names = rows(config.database, "select file, records from meta.loads order by all")
    assert names == [
        ("songs/year=1999/label=x%20y/part0.parquet", 1),
        ("songs/year=2000/label=__HIVE_DEFAULT_PARTITION__/part0.parquet", 1),
        ("songs/year=2000/label=z%2F1/part0.parquet", 1),
    ]


def test_a_folder_is_held_to_the_declared_type(tmp_path: Path) -> None:
    """As a field would be. If a file has the column, it counts."""
    config = project(tmp_path, "songs/*/*.csv")
    parts = {"year=1899": "id,title,Year\n1,a,1899\n2,b,1950\n", "year=1999": "id,title\n3,a\nx,b\n"}
    for year, text in parts.items():
        path = config.raw_dir / "songs" / year / "part.csv"
        path.parent.mkdir()
        path.write_text(text)
    build(config)
    assert rows(config.database, "select * from raw.songs order by id") == [
        (2, "b", 1950, None),
        (3, "a", 1999, None),
    ]
    assert rows(config.database, "select file, reason from raw.quarantine order by all") == [
        ("songs/year=1899/part.csv", "Year: '1899' is below 1900"),
        ("songs/year=1999/part.csv", "id: 'x' is not an integer"),
    ]


class Seen(SilentObserver):
    """Keeps loads and notices."""

    def __init__(self) -> None:
        self.loads: list[Load] = []
        self.notes: list[str] = []

    def loaded(self, loads: Sequence[Load]) -> None:
        self.loads += loads

    def note(self, notice: Notice) -> None:
        self.notes.append(str(notice))


def test_folders_that_no_column_names_and_files_that_no_pattern_matches_are_named(tmp_path: Path) -> None:
    config = project(tmp_path, "songs/*/*.csv")
    folder = config.raw_dir / "songs" / "country=de"
    folder.mkdir()
    (folder / "a.csv").write_text("id,title,year\n1,a,1999\n")
    for name in ("b.json", "_SUCCESS", ".a.csv.crc"):
        (folder / name).write_text("")
    (config.raw_dir / "songs" / "c.csv").write_text("id\n")
    seen = Seen()
    build(config, seen)
    assert [load.ignored_columns for load in seen.loads] == [("country",)]
    stated = "the file is ignored, as its "
    assert seen.notes == [
        f"data/raw/songs/c.csv: {stated}name matches no source's `file:` or `files:`. "
        "Did you mean 'songs/*/*.csv'?",
        f"data/raw/songs/country=de/b.json: {stated}format is not supported; save it as CSV.",
    ]


def test_a_new_folder_is_seen(tmp_path: Path) -> None:
    config = project(tmp_path)
    write(config)
    build(config)
    assert not raw_files_changed(config)
    write(config, [(4, "d", 2001, "x")])
    assert raw_files_changed(config)
    build(config)
    assert rows(config.database, "select count(*) from all_songs") == [(4,)]
    assert not raw_files_changed(config)


@pytest.mark.usefixtures("few_rows_are_enough")
def test_only_a_new_folder_is_loaded(tmp_path: Path) -> None:
    config = project(tmp_path)
    write(config)
    build(config)
    write(config, [(4, "d", 1999, "w"), (5, "e", 2001, None)])
    seen = Seen()
    build(config, seen)
    assert [(load.name.split("/")[1], load.loaded) for load in seen.loads] == [
        ("year=1999", 1),
        ("year=2001", 1),
    ]
    schemas = ["main", "raw"]
    assert contents(config, schemas) == contents(built_anew(config), schemas)
    next(config.raw_dir.glob("songs/year=2000/label=z*")).rename(config.raw_dir / "songs/year=2000/label=y")
    build(config)
    assert contents(config, schemas) == contents(built_anew(config), schemas)
    assert rows(config.database, "select label from all_songs where id = 3") == [("y",)]


@pytest.mark.usefixtures("few_rows_are_enough")
def test_ignored_columns_are_those_of_all_parts_of_a_file(tmp_path: Path) -> None:
    """A key of JSON lines may be in the first part of a file alone."""
    config = project(tmp_path, "songs/*.jsonl")
    path = config.raw_dir / "songs" / "a.jsonl"
    path.write_text('{"id": 1, "title": "a", "year": 1999, "x": 1, "y": 1}\n')
    build(config)
    with path.open("a") as file:
        file.write('{"id": 2, "title": "b", "year": 1999, "z": 1, "x": 2}\n')
    assert [load.is_rest for load in build(config).loads] == [True]
    sql = "select ignored_columns from meta.loads"
    assert rows(config.database, sql) == rows(built_anew(config).database, sql) == [(["x", "y", "z"],)]


def test_parts_may_be_empty_or_unfit_as_a_whole(tmp_path: Path) -> None:
    """Every row is loaded or quarantined; in one file of its own, either would be an error."""
    config = project(tmp_path, "songs/*/*.csv")
    yml = config.home / "models" / "s.yml"
    stem = "\n          - {name: stem, data_type: varchar, config: {meta: {filled_with: file_stem}}}\n"
    yml.write_text(yml.read_text().rstrip() + stem)
    texts = {"year=1999": "1,a\n", "year=odd": "2,b\n", "year=2000": "", "_temporary": "3,c\n"}
    for name, lines in texts.items():
        (config.raw_dir / "songs" / name).mkdir()
        (config.raw_dir / "songs" / name / "part.csv").write_text(f"id,title\n{lines}")
    build(config)
    assert rows(config.database, "from raw.songs") == [(1, "a", 1999, None, "songs/year=1999/part")]
    assert rows(config.database, "select file, reason from raw.quarantine") == [
        ("songs/year=odd/part.csv", "Year: 'odd' is not an integer")
    ]
    sql = "select file, records from meta.loads order by all"
    assert rows(config.database, sql) == [
        ("songs/year=1999/part.csv", 1),
        ("songs/year=2000/part.csv", 0),
        ("songs/year=odd/part.csv", 1),
    ]


def test_a_folder_that_is_no_text_is_refused(tmp_path: Path) -> None:
    config = project(tmp_path, "songs/*/*.csv")
    (config.raw_dir / "songs" / "label=%FF").mkdir()
    (config.raw_dir / "songs" / "label=%FF" / "a.csv").write_text("id,title,year\n1,a,1999\n")
    with pytest.raises(InputError, match="is not UTF-8; rename the file"):
        build(config)


def test_of_many_small_files_only_new_ones_are_loaded(tmp_path: Path) -> None:
    config = project(tmp_path, "songs/*/*.csv")
    for number in range(FEWEST_FILES + 1):
        seen = Seen()
        path = config.raw_dir / "songs" / f"year={1950 + number}" / "part.csv"
        path.parent.mkdir()
        path.write_text(f"id,title\n{number},a\n")
        if number >= FEWEST_FILES - 1:
            build(config, seen)
    assert [load.name for load in seen.loads] == [f"songs/year={1950 + FEWEST_FILES}/part.csv"]
    assert contents(config, ["main", "raw"]) == contents(built_anew(config), ["main", "raw"])


def test_a_table_on_loads_is_built_in_every_build(tmp_path: Path) -> None:
    """Loads are recorded by the build itself, so they have always changed."""
    config = project(tmp_path, "songs/*/*.csv")
    sources = "sources: [{name: meta, tables: [{name: loads}]}]"
    (config.home / "models" / "meta.yml").write_text(sources)
    model = "{{ config(materialized='table') }} select file from {{ source('meta', 'loads') }}"
    (config.home / "models" / "loaded.sql").write_text(model)
    for number in (1, 2):
        path = config.raw_dir / "songs" / f"year={number + 1990}" / "part.csv"
        path.parent.mkdir()
        path.write_text(f"id,title\n{number},a\n")
        build(config)
        build(config)
        assert rows(config.database, "select count(*) from loaded") == [(number,)]


@pytest.mark.parametrize("files", ["songs/**/*.parquet", "../*.csv", "/songs/*.csv", "songs//*.csv"])
def test_patterns_that_lead_elsewhere_are_refused(tmp_path: Path, files: str) -> None:
    with pytest.raises(ProjectError, match="`files:` should be a pattern of names in the raw folder, not "):
        build(project(tmp_path, files))


def test_many_files_take_one_line(tmp_path: Path, cli: Cli) -> None:
    config = project(tmp_path, "songs/*/*.csv")
    for year in range(2000, 2012):
        path = config.raw_dir / "songs" / f"year={year}" / "part.csv"
        path.parent.mkdir()
        path.write_text(f"id,title,x{year % 2}\n{year},a,\nx,b,\n")
    lines = cli("build", cwd=tmp_path).err.splitlines()
    about = "songs/year=2000/part.csv and 11 more"
    assert [" ".join(line.split()) for line in lines if about in line] == [
        f"load raw.songs 12 rows {about}",
        f"warning: {about}: 12 of 24 rows quarantined, 12 because id is not an integer. "
        'To see them: `genredb query "from raw.quarantine"`.',
        f"warning: {about}: ignored the columns x0, x1.",
    ]
    assert "and 8 more for raw.songs" in cli("doctor", cwd=tmp_path).out


@pytest.mark.usefixtures("few_rows_are_enough")
@pytest.mark.parametrize(
    "lines",
    [
        ('{"id":1,"title":"b"}\n', '{"id":2,"title":"c","year":2005}\n'),
        ('{"id":1,"title":"b","year":2005}\n', '{"id":2,"title":"c"}\n'),
    ],
)
def test_a_line_added_to_json_may_bring_a_column(tmp_path: Path, lines: tuple[str, str]) -> None:
    """Then the file has the column, and what the folder says no longer counts."""
    config = project(tmp_path, "songs/*/*.jsonl")
    path = config.raw_dir / "songs" / "year=1999" / "a.jsonl"
    path.parent.mkdir()
    path.write_text('{"id":0,"title":"a"}\n' + lines[0])
    build(config)
    with path.open("a") as file:
        file.write(lines[1])
    build(config)
    assert contents(config, ["main", "raw"]) == contents(built_anew(config), ["main", "raw"])


def test_a_file_that_arrives_during_a_build_is_loaded_by_the_next(tmp_path: Path) -> None:
    config = project(tmp_path, "songs/*/*.csv")
    folder = config.raw_dir / "songs" / "year=1999"
    folder.mkdir()
    (folder / "a.csv").write_text("id,title\n1,a\n")

    class Late(SilentObserver):
        def loaded(self, loads: Sequence[Load]) -> None:
            (folder / "b.csv").write_text("id,title\n2,b\n")

    build(config, Late())
    assert rows(config.database, "select count(*) from raw.songs") == [(1,)]
    build(config)
    assert rows(config.database, "select count(*) from raw.songs") == [(2,)]


@pytest.mark.parametrize("folders", ["year=1999/Year=2001", "label=x/label=y"])
def test_folders_that_name_a_column_twice_are_refused(tmp_path: Path, folders: str) -> None:
    config = project(tmp_path, "songs/*/*/*.csv")
    path = config.raw_dir / "songs" / folders / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_text("id,title\n1,a\n" if "year" in folders else "id,title,year\n1,a,1999\n")
    with pytest.raises(InputError, match="a.csv name these columns twice"):
        build(config)
