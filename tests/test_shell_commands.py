"""What the shell's commands do: answers set out vertically, exported, and queries that are kept."""

from pathlib import Path

import pytest

from genredb.ask.guard import Limits
from genredb.cli.console import Console
from genredb.cli.options import Context
from genredb.cli.session import Session
from genredb.cli.shell import run_all
from genredb.errors import ConsentError, UsageError
from genredb.runner.project.config import Config, Settings, read_config


@pytest.fixture
def session(predicted: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A shell in a folder of its own, on the predicted database."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(database=predicted.database, raw_dir=predicted.raw_dir)
    assert read_config(settings).home == tmp_path
    return Session(Context(settings, Console(), json=False), Limits(memory=None), is_trusted=False)


def run(session: Session, text: str) -> None:
    run_all(session, text.splitlines(keepends=True))


def test_each_column_on_a_line_of_its_own(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    run(session, ".vertical\nselect id, title, null as more_here from songs where id < 3 order by id;")
    assert capsys.readouterr().out == (
        "       id  1\n    title  Song 1\nmore_here  NULL\n\n       id  2\n    title  Song 2\nmore_here  NULL\n"
    )
    run(session, ".format csv\nselect 1 as a;")
    assert capsys.readouterr().out == "a\n1\n"


def test_the_last_answer_is_exported_as_the_ending_says(session: Session, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no last query yet"):
        run(session, ".export x.csv")
    run(session, "select count(*) as n from songs;\n.export n.csv\n.export n.json")
    assert (tmp_path / "n.csv").read_text() == "n\n16\n"
    assert (tmp_path / "n.json").read_text() == '[\n{"n":16}\n]\n'
    (tmp_path / "own.csv").write_text("mine\n")
    with pytest.raises(ConsentError, match="own.csv exists, and genredb did not write it"):
        run(session, ".export own.csv")
    with pytest.raises(UsageError, match="no format 'xlsx'"):
        run(session, ".export n.xlsx")


def test_queries_are_kept_in_the_project(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(session, ".format csv\nselect max(id) as top\nfrom songs; select 2 as two;\n.save two")
    assert (tmp_path / "queries" / "two.sql").read_text() == "select 2 as two;\n"
    (tmp_path / "queries" / "both.sql").write_text("select 3 as three; select 4 as four")
    capsys.readouterr()
    run(session, ".run both\n.run two\n.save two")
    assert capsys.readouterr().out == "three\n3\nfour\n4\ntwo\n2\n"
    run(session, ".saved")
    assert "select 3 as three; select 4 as four" in capsys.readouterr().out
    for text, message in (
        (".run tow", "There is no saved query 'tow'. Did you mean 'two'?"),
        (".save ../x", "'../x' is not a valid query name"),
        ("select 5 as five;\n.save two", "queries/two.sql already holds another query"),
        (".save", ".save needs an argument: NAME"),
    ):
        with pytest.raises(UsageError, match=message):
            run(session, text)
