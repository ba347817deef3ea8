"""Records added to raw files that were loaded before: only they are read, with the result of reading all."""

from pathlib import Path

import duckdb
import pytest

from genredb.runner.execution import update
from genredb.runner.project.config import Config
from genredb.warehouse.load import Load
from tests.built_anew import built_anew
from tests.conftest import TRAIN_HEADER, config_for, song, write_raw
from tests.project_files import write_project
from tests.verbs import build

pytestmark = pytest.mark.usefixtures("few_rows_are_enough")

COLUMNS = """
        columns:
          - {name: row_number, data_type: integer, config: {meta: {filled_with: record_number}}}
          - {name: id, data_type: integer, config: {meta: {required: true}}}
          - {name: name, data_type: varchar}
"""
SOURCES = f"""
sources:
  - name: raw
    tables:
      - name: people
        config: {{meta: {{files: people*.csv, key: id}}}}
{COLUMNS}
"""
FIRST = 'id,name\n1,Ann\n2,"Bob\nthe second"\nx,bad\n'
STATE = "select file, size, records, loaded, quarantined, is_plain from meta.loads order by all"


def project(folder: Path, text: str = FIRST, name: str = "people.csv") -> Config:
    """A project with one raw table, built."""
    config = write_project(
        folder,
        {"models/sources.yml": SOURCES, "models/all.sql": "select * from {{ source('raw', 'people') }}"},
    )
    path = folder / "data" / "raw" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode())
    assert build(config).exit_code == 0
    return config


def add(config: Config, text: str, name: str = "people.csv") -> tuple[Load, ...]:
    """Add text to a raw file, and build."""
    with (config.home / "data" / "raw" / name).open("ab") as file:
        file.write(text.encode())
    result = build(config)
    assert result.exit_code == 0
    return result.loads


def held(config: Config) -> list[object]:
    """The rows, the quarantine and what is recorded of the load."""
    with duckdb.connect(str(config.database), read_only=True) as connection:
        return [
            connection.execute(sql).fetchall()
            for sql in ("from raw.people order by all", "from raw.quarantine order by all", STATE)
        ]


@pytest.mark.parametrize(
    "added",
    [
        "3,Cy\n",
        "3,Cy",  # without a line end
        '3,"Cy\nand more"\n4,Di\ny,bad\n',
        "3,Cy\n\n4,Di\n",  # with a blank line
        '3,Cy,too many\n"4","un"closed\n5,Eve\n',
        "y,bad\n",  # nothing to load
    ],
)
def test_only_what_was_added_is_read(tmp_path: Path, added: str) -> None:
    config = project(tmp_path)
    loads = add(config, added)
    assert [load.is_rest for load in loads] == [True]
    assert loads[0].records < 4
    assert held(config) == held(built_anew(config))
    again = add(config, "" if added.endswith("\n") else "\n")
    assert again == () or held(config) == held(built_anew(config))


@pytest.mark.parametrize(
    ("first", "added", "why"),
    [
        ("id,name\n1,Ann", "\n2,Bob\n", "the last record had no line end"),
        ("id,name\n1,Ann\n2,Bob,more\n", "3,Cy\n", "it was not plain"),
        (FIRST, "1,Ann again\n", "a key is repeated"),
        (FIRST, "3,Cy\r4,Di\r5,Eve\r", "the line ends differ"),
    ],
)
def test_a_file_that_cannot_be_read_on_is_read_anew(tmp_path: Path, first: str, added: str, why: str) -> None:
    config = project(tmp_path, first)
    assert [load.is_rest for load in add(config, added)] == [False], why
    assert held(config) == held(built_anew(config))


def test_an_edited_file_is_read_anew(tmp_path: Path) -> None:
    config = project(tmp_path)
    path = config.home / "data" / "raw" / "people.csv"
    path.write_text(FIRST.replace("Ann", "Eve") + "3,Cy\n")
    assert [load.is_rest for load in build(config).loads] == [False]
    assert held(config) == held(built_anew(config))


def test_a_new_file_is_loaded_beside_the_others(tmp_path: Path) -> None:
    config = project(tmp_path)
    loads = add(config, "id,name\n1,Another Ann\n", "people_2.csv")
    assert [(load.file.name, load.is_rest) for load in loads] == [("people_2.csv", False)]
    assert held(config) == held(built_anew(config))
    (config.home / "data" / "raw" / "people_2.csv").unlink()
    assert [load.file.name for load in build(config).loads] == ["people.csv"]
    assert held(config) == held(built_anew(config))


def test_carriage_returns_and_json_lines_are_read_on(tmp_path: Path) -> None:
    config = project(tmp_path, FIRST.replace("\n", "\r\n"))
    assert [load.is_rest for load in add(config, "3,Cy\r\nz,bad\r\n")] == [True]
    assert held(config) == held(built_anew(config))


def test_json_lines_are_read_on(tmp_path: Path) -> None:
    name = "people.jsonl"
    config = project(tmp_path, '{"id": 1, "name": "Ann"}\n{"id": "x"}\n', name)
    assert [load.is_rest for load in add(config, '{"id": 2, "name": "Bob"}\nno json\n', name)] == [True]
    assert held(config) == held(built_anew(config))
    assert [load.is_rest for load in add(config, '{"name": "lacks its id"}\n', name)] == [False]
    assert held(config) == held(built_anew(config))


def test_a_first_file_is_held_against_all_that_a_table_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few songs are few, also if they are all of their source."""
    monkeypatch.setattr(update, "FEWEST_UNCHANGED", 4)
    raw = tmp_path / "raw"
    raw.mkdir()
    write_raw(raw)
    songs = config_for(raw, tmp_path / "songs.duckdb")
    assert build(songs).exit_code == 0
    (raw / "songs_extra_a.csv").write_text(f"{TRAIN_HEADER}\n900,One,Artist 1,2001,{song(4)},pop\n")
    result = build(songs)
    made = {one.node.name for one in result.results if one.is_incremental and one.rows is not None}
    assert made >= {"stg_songs", "songs"}
