"""Files that people ask to be written: under which names, in which formats, and over what."""

import csv
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genredb.ask.export import export
from genredb.ask.output import replaced
from genredb.cli.app import add_commands, app
from genredb.errors import ConsentError, GenredbError, ResourceError, UsageError
from genredb.runner.project.config import Config
from tests.conftest import config_for


@pytest.fixture
def own(predicted: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The predicted database with a target folder of its own to remember in."""
    monkeypatch.chdir(tmp_path)
    database = tmp_path / "genre.duckdb"
    database.write_bytes(predicted.database.read_bytes())
    return config_for(predicted.raw_dir, database)


def run(config: Config, *arguments: str) -> str:
    """Run a command in this process; return what it prints on stdout; its errors are raised."""
    add_commands([arguments[0]])
    done = CliRunner().invoke(app, [*arguments, "--database", str(config.database)])
    if isinstance(done.exception, GenredbError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_file_that_genredb_did_not_write_is_kept(own: Config, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# Mine\n")
    with pytest.raises(ConsentError, match=r"README.md exists, and genredb did not write it; .* --force"):
        run(own, "query", "select 1 as a", "-o", "README.md")
    with pytest.raises(ConsentError):
        run(own, "export", "songs", "-o", "README.md", "--format", "csv")
    assert readme.read_text() == "# Mine\n"
    run(own, "query", "select 1 as a", "-o", "README.md", "--force")
    run(own, "query", "select 2 as a", "-o", "README.md")  # this one genredb wrote
    assert readme.read_text() == "| a |\n| ---: |\n| 2 |\n"
    readme.write_text("# Mine again\n")
    with pytest.raises(ConsentError):
        run(own, "query", "select 1 as a", "-o", "README.md")
    (tmp_path / "empty.csv").touch()  # as mktemp makes it
    run(own, "query", "select 1 as a", "-o", "empty.csv")


def test_stdout_has_names(own: Config) -> None:
    for name in ("-", "/dev/stdout"):
        header, *rows = csv.reader(run(own, "export", "-o", name).splitlines())
        assert (header, len(rows)) == (["Id", "top genre"], 3)
        assert run(own, "query", "select 1 as a", "-o", name, "--format", "csv") == "a\n1\n"
    assert not Path("-").exists()
    with pytest.raises(UsageError, match="would both write to stdout"):
        run(own, "export", "-o", "-", "--json")


def test_an_ending_of_no_format_is_refused_by_query_as_by_export(own: Config) -> None:
    for arguments in (["query", "select 1"], ["export", "songs"]):
        with pytest.raises(UsageError, match="There is no format 'xlsx'; choose "):
            run(own, *arguments, "-o", "x.xlsx")
    run(own, "query", "select 1 as a", "-o", "x.xlsx", "--format", "csv")
    assert Path("x.xlsx").read_text() == "a\n1\n"
    run(own, "query", "select 1 as a", "-o", "x.txt")
    assert " a \n" in Path("x.txt").read_text()


def test_query_says_how_json_is_asked_for(own: Config) -> None:
    with pytest.raises(UsageError, match="use --format json"):
        run(own, "query", "select 1", "--json")


def test_a_folder_that_may_not_be_written_is_named(own: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with (
        pytest.raises(ResourceError, match="is not writable: permission denied"),
        replaced(own, Path("x")),
    ):
        pass
    with pytest.raises(ResourceError, match="permission denied"):
        export(own, "songs", Path("x.csv"))
