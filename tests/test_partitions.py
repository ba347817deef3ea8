"""Raw files in folders, such as those that Spark or DuckDB writes for each value of a column."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from genredb.errors import Notice, ProjectError
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
