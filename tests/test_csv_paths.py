"""Where a CSV lies says nothing about what it holds: neither folders nor odd letters change a row."""

import io
import os
from pathlib import Path

import pytest

from genredb.errors import GenredbError, InputError, ProjectError, UsageError
from genredb.runner.project.config import Settings, read_config
from genredb.warehouse.csvfile import _Tally, survey
from genredb.warehouse.database import open_memory
from genredb.warehouse.infer import infer_table
from genredb.warehouse.load import load_source
from genredb.warehouse.raw_table import RawTable
from genredb.warehouse.rawfile import file_digest
from genredb.warehouse.tables import create_tables
from tests.conftest import rows
from tests.project_files import write_project
from tests.test_bad_csvs import SOURCE
from tests.verbs import build

CONTENT = "Id,title,bpm,dB\n1,One,100,-5\n"
PLACES = [
    "title=jazz",
    "Id=9/bpm=1",
    "back\\slash*",
    "\\[x]",
    "a\\",
    "**",
    "{a,b}",
    'it\'s "quoted"',
    "[!a]?",
]


@pytest.mark.slow
@pytest.mark.parametrize("bad", ["", "x,Bad,1,-1\n"])
@pytest.mark.parametrize("place", PLACES)
def test_a_folder_changes_no_row(tmp_path: Path, place: str, bad: str) -> None:
    """DuckDB would take `title=jazz` for a value of every row, and `*` for any folder's name."""
    for name in ("things.csv", "a\\*b.csv", "dB=0.csv", "things.csv.txt"):
        path = tmp_path / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CONTENT + bad)
        with open_memory() as connection:
            create_tables(connection)
            load_source(connection, SOURCE, [path])
            assert connection.rows("from raw.things") == [(1, "One", 100, -5.0)]
        assert [column.name for column in infer_table(path).columns] == ["id", "title", "bpm", "db"]


@pytest.mark.parametrize("place", ["genre=jazz", "back\\slash*"])
def test_a_folder_changes_no_seed(tmp_path: Path, place: str) -> None:
    write_project(tmp_path / place, {"seeds/kinds.csv": 'genre,n\npop,1\nrock,  "2"\n'})
    config = read_config(Settings(project_dir=tmp_path / place, database=tmp_path / "small.duckdb"))
    assert build(config).exit_code == 0
    assert rows(config.database, "from kinds") == [("pop", 1), ("rock", 2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x,y\n"a",1,\nb,2\n', [("a", 1), ("b", 2)]),
        ('x,y\r"a" , 1\r\nb,2\r', [("a", 1), ("b", 2)]),
        ("x,y\n\n\na,1\n", [("a", 1)]),
        ('x\n""\n1\n', [(None,), (1,)]),
        ('x,y\n"a",1,\nb\n', "seeds/s.csv:3: 1 fields where the header has 2."),
        ('x,y\na,"1\n', "seeds/s.csv:2: a quote is never closed."),
    ],
)
def test_a_seed_is_read_as_a_source_is(tmp_path: Path, text: str, expected: object) -> None:
    """What cannot be read is named by its line, and nothing of the file is a row then."""
    config = write_project(tmp_path, {})
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "s.csv").write_bytes(text.encode())
    result = build(config)
    if isinstance(expected, str):
        assert (result.exit_code, [node.message for node in result.results]) == (3, [expected])
    else:
        assert rows(config.database, "from s") == expected


def test_a_relative_path_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~x.csv` is a file of that name, not one of a user's home."""
    monkeypatch.chdir(tmp_path)
    Path("~x.csv").write_text("a,b\n1,2\n")
    assert [column.name for column in infer_table(Path("~x.csv")).columns] == ["a", "b"]


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer may append faster than it is read."""
    path = tmp_path / "things.csv"
    path.write_text(CONTENT * 2)

    def grow(tally: object, chunk: bytes) -> None:
        with path.open("a") as file:
            file.write("2,Two,110,-6\n" * 2)
        add(tally, chunk)  # type: ignore[arg-type]

    add = _Tally.add
    monkeypatch.setattr(_Tally, "add", grow)
    monkeypatch.setattr("genredb.warehouse.csvfile.CHUNK_BYTES", 16)
    with pytest.raises(InputError, match="changed while it was being read"):
        survey(path)


def test_a_digest_is_of_the_bytes_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that followed a growing file would never be done."""
    path = tmp_path / "things.csv"
    path.write_text(CONTENT)
    before = file_digest(path)

    class Growing(io.FileIO):
        """A file that others append to as fast as it is read."""

        def read(self, size: int | None = -1, /) -> bytes:
            with path.open("a") as file:
                file.write(CONTENT)
            return super().read(size) or b""

    monkeypatch.setattr("genredb.warehouse.rawfile.opened", Growing)
    assert file_digest(path) == before


@pytest.mark.parametrize("file", ["models/a.yml", "seeds/a.csv", "models/b.sql"])
@pytest.mark.parametrize("is_link", [False, True])
def test_a_pipe_is_no_file_of_a_project(tmp_path: Path, file: str, *, is_link: bool) -> None:
    """To read one would wait for a writer that never comes."""
    write_project(tmp_path, {"models/b.sql": "select 1 as x", "seeds/a.csv": "x\n1\n"})
    path = tmp_path / file
    path.unlink(missing_ok=True)
    pipe = tmp_path / "pipe" if is_link else path
    os.mkfifo(pipe)
    if is_link:
        path.symlink_to(pipe)
    with pytest.raises(ProjectError, match=r"is not a regular file\."):
        build(read_config(Settings(project_dir=tmp_path)))


@pytest.mark.parametrize("place", ["/dev/zero", "pipe"])
def test_a_pipe_or_device_is_no_database_and_no_csv(tmp_path: Path, place: str) -> None:
    write_project(tmp_path, {})
    os.mkfifo(tmp_path / "pipe")
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / place)
    with pytest.raises(UsageError, match=r"is not a regular file; name another one for the database\."):
        read_config(Settings(project_dir=tmp_path, database=link))
    with pytest.raises(InputError, match=r"link\.csv is not a regular file\."):
        survey(link)


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is loaded is one state of the file: the one whose digest is recorded."""
    path = tmp_path / "things.csv"
    path.write_text(CONTENT)

    def grow(*arguments: object) -> bool:
        with path.open("a") as file:
            file.write("2,Two,110,-6\n")
        return load_clean(*arguments)  # type: ignore[arg-type]

    load_clean = RawTable.load_clean
    monkeypatch.setattr(RawTable, "load_clean", grow)
    with open_memory() as connection:
        create_tables(connection)
        with pytest.raises(InputError, match="changed while it was being read; nothing of it was loaded"):
            load_source(connection, SOURCE, [path])


@pytest.mark.parametrize("place", ["", "models/a\udcff.sql", "seeds/a\udcff.csv", "models/m\udcff/a.sql"])
def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path, place: str) -> None:
    """It could stand in no artifact and no SQL."""
    root = tmp_path / ("root" if place else "root\udcff")
    files = {"models/b.sql": "select 1 as x"} | ({place: "x"} if place else {})
    with pytest.raises(GenredbError, match=r"is not UTF-8; rename"):
        build(write_project(root, files))


def test_a_raw_folder_whose_name_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path, {})
    (tmp_path / "raw\udcff").mkdir()
    with pytest.raises(UsageError, match=r"is not UTF-8; rename it\."):
        read_config(Settings(project_dir=tmp_path, raw_dir=tmp_path / "raw\udcff"))
