"""Without permission every command says which file it is about and exits 3; doctor finds it before a build does."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genredb.ask.export import export
from genredb.cli.app import main
from genredb.doctor import Finding, examine
from genredb.errors import GenredbError, ResourceError
from genredb.runner.project.config import Config, Settings
from genredb.warehouse.database import open_reader
from tests.project_files import write_project
from tests.verbs import build

NOBODY = 65_534


@pytest.fixture
def config() -> Iterator[Config]:
    """A built project in a folder that others may read; the test runs as somebody whom permissions bind."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        config = write_project(folder, {"models/m.sql": "select 1 as i"})
        assert build(config).exit_code == 0
        export(config, "m", folder / "m.csv")
        list(examine(Settings(project_dir=folder)))
        if is_root:
            os.seteuid(NOBODY)
        try:
            yield config
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o755)


def edit_as_owner(config: Config, change: Callable[[Path], object]) -> None:
    """Do something that the test itself may not do."""
    euid = os.geteuid()
    os.seteuid(os.getuid())
    change(config.root)
    os.seteuid(euid)


def problems(config: Config) -> list[Finding]:
    return [one for one in examine(Settings(project_dir=config.root)) if one.level == "problem"]


def refused(config: Config, verb: Callable[[Config], object], named: str) -> None:
    with pytest.raises(ResourceError, match=f"{named}: Permission denied") as caught:
        verb(config)
    assert caught.value.exit_code == 3


def test_a_folder_that_may_only_be_read(config: Config) -> None:
    """Reading goes on; a build says what it may not write, and doctor said so before."""
    edit_as_owner(config, lambda folder: (folder / "models" / "m.sql").write_text("select 2 as i"))
    edit_as_owner(config, lambda folder: folder.chmod(0o555))
    refused(config, build, r"small\.duckdb\.lock")
    assert {(one.about, one.exit_code) for one in problems(config)} == {("permissions", 3)}
    assert any(
        one.text.startswith(str(config.root)) and "cannot be written" in one.text for one in problems(config)
    )
    with open_reader(config.database) as connection:
        assert connection.rows("from m") == [(1,)]
    refused(config, lambda config: export(config, "m", config.root / "m.csv"), "m.csv.*")


def test_a_database_that_may_not_be_read(config: Config) -> None:
    edit_as_owner(config, lambda _: config.database.chmod(0o000))
    edit_as_owner(config, lambda folder: folder.chmod(0o777))
    edit_as_owner(config, lambda folder: (folder / "small.duckdb.lock").chmod(0o666))
    edit_as_owner(config, lambda folder: (folder / "models" / "m.sql").write_text("select 2 as i"))
    refused(config, build, r"small\.duckdb")
    refused(config, lambda config: export(config, "m", config.root / "m.csv"), r"small\.duckdb")
    assert ("database", 3) in [(one.about, one.exit_code) for one in problems(config)]


def test_a_folder_where_the_lock_should_be(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/m.sql": "select 1 as i"})
    (tmp_path / "small.duckdb.lock").mkdir()
    with pytest.raises(GenredbError, match=r"small\.duckdb\.lock: Is a directory") as caught:
        build(config)
    assert caught.value.exit_code == 3
    assert [(one.about, one.exit_code) for one in problems(config)] == [("permissions", 3)]


def test_a_file_of_sql_that_may_not_be_read(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = config.root / "secret.sql"
    edit_as_owner(config, lambda _: secret.write_text("select 1"))
    edit_as_owner(config, lambda _: secret.chmod(0o000))
    monkeypatch.setattr(
        "sys.argv", ["genredb", "query", "-f", str(secret), "--project-dir", str(config.root)]
    )
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
