"""docs/json.md states what each command prints as JSON, and commands print that."""

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from genredb.mcp import answers
from genredb.runner.project.config import Config
from genredb.songs.learn.leaderboard import read_leaderboard
from genredb.songs.learn.reports import report_by, report_by_probability
from genredb.values import json_text
from genredb.warehouse.database import open_reader
from tests.conftest import REAL_FILES, ROOT, Cli
from tests.json_reference import SHAPES, TOOLS, faults, page
from tests.verbs import list_classifiers


def test_the_page_is_that_of_the_classes() -> None:
    """docs/json.md is what the classes say that commands print."""
    path = ROOT / "docs" / "json.md"
    if os.environ.get("GENREDB_UPDATE_GOLDEN"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param("test songs", id="test"),
        pytest.param("plan", id="plan"),
        pytest.param("plan --full-refresh", id="plan"),
        pytest.param("lineage songs.genre_group", id="lineage"),
        pytest.param("ls", id="ls"),
        pytest.param("describe", id="describe"),
        pytest.param("describe songs", id="describe RELATION"),
        pytest.param("doctor", id="doctor"),
        pytest.param("sample -o {folder}/csvs --rows 8", id="sample"),
        pytest.param("init {folder}/laid_out", id="init"),
        pytest.param("export songs -o {folder}/songs.csv", id="export"),
        pytest.param("plot scatter nrgy db -o {folder}/plot.json", id="plot"),
        pytest.param("site -o {folder}/report", id="site"),
        pytest.param("classifiers available", id="classifiers available"),
        pytest.param("classifiers list", id="classifiers list"),
        pytest.param("classifiers show artist_vote", id="classifiers show"),
    ],
)
def test_a_command_prints_the_stated_keys_and_types(
    cli: Cli, built: Path, tmp_path: Path, request: pytest.FixtureRequest, arguments: str
) -> None:
    """No key lacks and none is too many, and each value is of the type that the page states."""
    name = request.node.callspec.id.rstrip("0123456789")
    done = cli(*arguments.format(folder=tmp_path).split(), "--json", cwd=built)
    assert done.code == 0, done.err
    assert list(faults(json.loads(done.out), SHAPES[name])) == []


@pytest.fixture(scope="module")
def edited(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the built folder, in which a song was renamed and another one spoiled since."""
    folder = tmp_path_factory.mktemp("edited") / "songs"
    shutil.copytree(built, folder)
    shutil.copy(folder / "genre.duckdb", folder / "before.duckdb")
    csv = folder / "data" / "raw" / REAL_FILES[1]
    csv.write_text(csv.read_text().replace("Asked 14", "Asked anew").replace("16,", "16.5,", 1))
    return folder


def test_a_session_of_commands_that_write_prints_the_stated_keys_and_types(cli: Cli, edited: Path) -> None:
    """After an edit, each of them has something to report, in the shape that the page states."""
    session = {
        "load": ("loads",),
        "build": ("results",),
        "train --classifier majority": (),
        "predict": (),
        "explain 14": (),
        "diff before.duckdb": ("relations",),
        "clean": ("removed",),
    }
    for arguments, filled in session.items():
        done = cli(*arguments.split(), "--json", cwd=edited)
        assert done.code == 0, done.err
        found = json.loads(done.out)
        assert list(faults(found, SHAPES[arguments.split()[0]])) == []
        assert all(found[key] for key in filled), arguments


def test_evaluations_have_the_stated_keys_and_types(evaluated: Config) -> None:
    """The leaderboard, a report by genre and the classifiers kept are as the page states them."""
    with open_reader(evaluated.database) as connection:
        found: dict[str, Any] = {
            "evaluate": read_leaderboard(connection, "cv", "genre"),
            "evaluate --by genre": report_by(connection, "majority", "cv", "genre", "genre"),
            "evaluate --by probability": report_by_probability(connection, "majority", "cv", "genre"),
            "classifiers list": list_classifiers(evaluated),
        }
    for name, value in found.items():
        assert list(faults(json.loads(json_text(value)), SHAPES[name])) == []


def test_what_assistants_are_answered_has_the_stated_keys_and_types(predicted: Config) -> None:
    """Each tool of `genredb mcp` answers what the page states."""
    asked: dict[str, Callable[[BinaryIO], object]] = {
        "relations": lambda stream: answers.relations(predicted, stream),
        "columns": lambda stream: answers.columns(predicted, stream, "songs"),
        "lineage": lambda stream: answers.lineage(predicted, stream, "songs.year", is_downstream=True),
        "explain": lambda stream: answers.explanations(predicted, stream, "test:14", is_title=False),
    }
    assert asked.keys() == TOOLS.keys()
    for name, answer in asked.items():
        stream = io.BytesIO()
        answer(stream)
        assert list(faults(json.loads(stream.getvalue()), TOOLS[name])) == []


def test_a_wrong_key_or_type_is_found() -> None:
    """A key that lacks, a key too many and a value of another type are told."""
    right = {"source": "raw.songs", "files": ["a.csv"]}
    whole = {"loads": [right], "removed": [], "large_drop": None, "is_confirmed": True, "nodes": []}
    assert list(faults(whole, SHAPES["plan"])) == []
    for wrong in ({"is_confirmed": 1}, {"extra": 1}, {"loads": [{"source": "raw.songs"}]}):
        assert list(faults(whole | wrong, SHAPES["plan"]))
