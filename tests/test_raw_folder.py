"""Which CSVs are read: those of the raw folder or the project; none is passed over in silence."""

from dataclasses import replace
from pathlib import Path

import pytest

from genredb.doctor import examine
from genredb.errors import InputError, Notice, ProjectError
from genredb.runner.planning.receipt import raw_files_changed
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.results import SilentObserver
from tests.conftest import REAL_FILES, Cli, rows, write_raw
from tests.project_files import write_project
from tests.verbs import build, load, retry

OTHERS = "CS98XClassificationTest.csv, CS98XClassificationTrain.csv, playlist*.csv, songs_extra*.csv"


class Notes(SilentObserver):
    """Keeps what it is told in passing."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, notice: Notice) -> None:
        self.notes.append(str(notice))


def project_of(folder: Path, file: str) -> Config:
    """Write a project with a source that names this file; its raw folder is ``raw``."""
    yml = f"sources: [{{name: s, tables: [{{name: things, config: {{meta: {{file: '{file}'}}}}, columns: "
    yml += "[{name: a, data_type: integer}]}]}]"
    write_project(folder, {"models/s.yml": yml, "raw/inside/b.csv": "a\n1\n", "c.csv": "a\n2\n"})
    settings = Settings(project_dir=folder, raw_dir=folder / "raw", database=folder / "small.duckdb")
    return read_config(settings)


@pytest.mark.parametrize("file", ["/etc/passwd", "../../outside.csv", "inside/../../../outside.csv"])
def test_a_source_reads_no_file_from_elsewhere(tmp_path: Path, file: str) -> None:
    (tmp_path / "outside.csv").write_text("a\n1\n")
    config = project_of(tmp_path / "project", file)
    for attempt in (build, load):
        with pytest.raises(ProjectError) as error:
            attempt(config)
        assert str(error.value) == (
            f"models/s.yml: `file: {file}` of s.things is outside the raw folder and the project; "
            f"name a file in {config.raw_dir}."
        )


@pytest.mark.parametrize(
    ("file", "value"), [("inside/b.csv", 1), ("./inside/../inside/b.csv", 1), ("../c.csv", 2)]
)
def test_a_source_reads_files_of_the_project(tmp_path: Path, file: str, value: int) -> None:
    config = project_of(tmp_path / "project", file)
    assert build(config).exit_code == 0
    assert rows(config.database, "from s.things") == [(value,)]


def test_a_raw_folder_may_be_named_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`genredb build --raw-dir ../real`, or by a link into the project."""
    config = project_of(tmp_path / "project", "../c.csv")
    monkeypatch.chdir(tmp_path / "project" / "models")
    (tmp_path / "link").symlink_to(tmp_path / "project")
    for stated in (Path("../raw"), tmp_path / "link" / "raw"):
        assert build(read_config(replace(config.settings, raw_dir=stated))).exit_code == 0
        assert rows(config.database, "from s.things") == [(2,)]
    outside = project_of(tmp_path / "project", "things.csv")
    (tmp_path / "things.csv").write_text("a\n3\n")
    assert build(read_config(replace(outside.settings, raw_dir=Path("../..")))).exit_code == 0
    assert rows(config.database, "from s.things") == [(3,)]


@pytest.mark.parametrize("file", ["../later.csv", "inside/later.csv"])
def test_an_optional_file_is_read_once_it_is_there(tmp_path: Path, file: str) -> None:
    """Wherever it lies: not only the names in the raw folder tell that nothing changed."""
    config = project_of(tmp_path / "project", f"{file}', optional: true, thousands_separator: '")
    build(config)
    assert rows(config.database, "from s.things") == []
    (config.raw_dir / file).write_text("a\n1\n")
    later = read_config(replace(config.settings, raw_dir=None))
    assert raw_files_changed(later)  # without --raw-dir, `genredb build` goes on with that folder
    build(config)
    assert rows(config.database, "from s.things") == [(1,)]
    assert not raw_files_changed(later)


def test_a_missing_file_is_not_taken_for_that_of_another_source(config: Config) -> None:
    test_file = config.raw_dir / REAL_FILES[1]
    misnamed = test_file.rename(test_file.with_name("CS98X Test.csv"))
    with pytest.raises(InputError, match=r"which does not exist\. Did you mean 'CS98X Test.csv'\?$"):
        build(config)
    misnamed.unlink()
    with pytest.raises(InputError, match=r"CS98XClassificationTest\.csv, which does not exist\.$"):
        build(config)


def test_a_csv_that_no_source_reads_is_named(config: Config) -> None:
    names = ("My Playlist.csv", "Playlist 2.csv", "zzz.CSV", "notes.txt", ".hidden.csv")
    for name in names:
        (config.raw_dir / name).write_text("a\n1\n")
    why = "the file is ignored, as its name matches no source's `file:` or `files:`"
    ignored = [
        (f"{config.raw_dir / name}: {why}", hint)
        for name, hint in (
            ("My Playlist.csv", "Did you mean 'playlist*.csv'?"),
            ("Playlist 2.csv", "Did you mean 'playlist*.csv'?"),
            ("zzz.CSV", f"Available: {OTHERS}."),
        )
    ]
    for attempt in (load, build):
        observer = Notes()
        attempt(config, observer)
        assert observer.notes == [f"{text}. {hint}" for text, hint in ignored]
    settings = Settings(project_dir=config.root, raw_dir=config.raw_dir, database=config.database)
    found = [(one.text, one.cure) for one in examine(settings) if "is ignored" in one.text]
    assert found == ignored


def test_a_retry_leaves_the_sample_for_songs_that_came_meanwhile(tmp_path: Path) -> None:
    """As a build does, where nobody asked for the sample."""
    model = "select number {} as number from {{{{ source('s', 'things') }}}}"
    yml = "sources: [{name: s, tables: [{name: things, config: {meta: {file: things.csv}}, columns: "
    yml += "[{name: number, data_type: integer}]}]}]"
    files = {"models/s.yml": yml, "data/sample/things.csv": "number\n1\n"}
    config = write_project(
        tmp_path,
        files
        | {
            "models/m.sql": "{{ config(materialized='table') }} select error('no') from {{ source('s', 'things') }}"
        },
    )
    assert build(config).exit_code == 3
    write_project(tmp_path, {"models/m.sql": model.format(""), "data/raw/things.csv": "number\n2\n"})
    assert retry(read_config(config.settings)).exit_code == 0
    assert rows(config.database, "from m") == [(2,)]
    assert rows(config.database, "select value from meta.built_with where setting = 'is_sample'") == [
        ("false",)
    ]


def test_a_folder_that_is_named_is_not_called_the_last_one(cli: Cli, tmp_path: Path) -> None:
    """Only where it is taken from the database does a build say which folder it uses."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_raw(tmp_path / name)
    for arguments, is_said in ((("--raw-dir", "one"), False), (("--raw-dir", "two"), False), ((), True)):
        done = cli("build", *arguments, cwd=tmp_path)
        assert done.code == 0, done.err
        assert ("Using the CSVs in two, as in the last build." in done.err) == is_said
