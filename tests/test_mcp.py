"""`genredb mcp`, asked by the protocol SDK's own client: what it answers, and what it refuses."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from genredb.ask.guard import Limits
from genredb.errors import UsageError
from genredb.runner.project.config import Config, Settings
from tests.cli_reference import commands
from tests.conftest import ROOT

ENDLESS = "select count(*) from range(1000000000000)"
Ask = Callable[..., Awaitable[tuple[bool, list[str]]]]


def session(server: Any, talk: Callable[[Ask], Awaitable[None]]) -> None:
    """Let a client of the SDK talk to a server, or to a process that it starts."""
    client_of = pytest.importorskip("mcp", reason="needs genredb[mcp]").Client

    async def run() -> None:
        async with client_of(server) as client:

            async def ask(tool: str, **arguments: Any) -> tuple[bool, list[str]]:
                found = await client.call_tool(tool, arguments)
                return found.is_error, [one.text for one in found.content]

            await talk(ask)

    # In a thread of its own: in this one a browser of other tests may have a loop that runs.
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, run()).result()


def one(config: Config, tool: str, *, seconds: float = 60.0, **arguments: Any) -> tuple[bool, list[str]]:
    """The answer to one question."""
    answers = []

    async def talk(ask: Ask) -> None:
        answers.append(await ask(tool, **arguments))

    session(server_of(config, seconds), talk)
    return answers[0]


def server_of(config: Config, seconds: float = 60.0) -> Any:
    pytest.importorskip("mcp", reason="needs genredb[mcp]")
    from genredb.mcp.server import make_server

    settings = Settings(project_dir=ROOT, raw_dir=config.raw_dir, database=config.database)
    # Its memory would be limited with that of this process, which holds what other tests left.
    return make_server(settings, Limits(seconds, memory=None))


@pytest.mark.slow
def test_an_assistant_asks_about_the_real_songs_and_is_refused_what_writes_reads_files_or_never_ends(
    real_config: Config, tmp_path: Path
) -> None:
    stdio = pytest.importorskip("mcp.client.stdio", reason="needs genredb[mcp]")
    arguments = ["--database", real_config.database, "--raw-dir", real_config.raw_dir, "--timeout", "20"]
    process = stdio.StdioServerParameters(
        command=sys.executable,
        args=["-m", "genredb", "mcp", *map(str, arguments)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    before = real_config.database.read_bytes()

    async def talk(ask: Ask) -> None:
        counted = (
            "select genre_group, count(*) as n from songs where split = 'train' group by all order by n desc"
        )
        is_error, (text, note) = await ask("query", sql=counted, limit=2)
        assert json.loads(text) == [{"genre_group": "rock", "n": 137}, {"genre_group": "pop", "n": 135}]
        assert (is_error, note) == (False, "Showing the first 2 rows; use a larger limit for more.")

        _, (text, note) = await ask("columns", relation="songs")
        tempo = next(column for column in json.loads(text) if column["name"] == "bpm")
        assert (tempo["least"], tempo["greatest"], note) == (62, 199, "songs: 566 rows")
        assert "beats per minute" in tempo["meaning"].lower()

        _, (text,) = await ask("lineage", name="songs.genre")
        assert "top genre" in {file["header"] for file in json.loads(text)["files"]}

        for refused, why in [
            ("delete from songs", "Only queries can be run, not DELETE statements."),
            (f"from '{ROOT}/README.md'", "does not exist"),
            (ENDLESS, "timed out after 20 s"),
        ]:
            is_error, (text,) = await ask("query", sql=refused)
            assert is_error
            assert why in text

    session(process, talk)
    assert real_config.database.read_bytes() == before


def test_relations_come_with_their_columns_and_meaning(predicted: Config) -> None:
    _, (text,) = one(predicted, "relations")
    songs = next(found for found in json.loads(text) if found["relation"] == "songs")
    assert songs["kind"] == "table"
    assert songs["meaning"].startswith("One row per")
    assert "genre_group" in songs["columns"]


def test_a_genre_is_explained(predicted: Config) -> None:
    _, (text,) = one(predicted, "explain", song="song 3", is_title=True)
    [song] = json.loads(text)
    assert (song["song_key"], song["genre"]) == ("train:3", "disco")


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("query", {"sql": "create table x as select 1"}, "Only queries can be run"),
        ("query", {"sql": "copy songs to 'x.csv'"}, "Only queries can be run"),
        ("query", {"sql": "from read_text('/etc/hostname')"}, "file"),
        ("query", {"sql": "select unnest(range(1000000)) as n", "limit": 10_000_000}, "less than or equal"),
        ("query", {"sql": "select repeat('x', 1000) as x from range(1000)", "limit": 1000}, "larger than 256 KiB"),
        ("query", {"sql": "select sum(a.range) from range(10)"}, "SQL:1:12"),
        ("columns", {"relation": "song"}, "Did you mean 'songs'?"),
        ("lineage", {"name": "songs.gener"}, "songs has no column 'gener'. Did you mean 'genre'?"),
        ("explain", {"song": "9999"}, "There is no song whose Id or key is '9999'."),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_a_sentence(
    predicted: Config, tool: str, arguments: dict[str, Any], why: str
) -> None:
    is_error, (text,) = one(predicted, tool, **arguments)
    assert is_error
    assert why in text
    assert "Traceback" not in text


def test_an_endless_question_is_ended_by_the_clock(predicted: Config) -> None:
    is_error, (text,) = one(predicted, "query", sql=ENDLESS, seconds=1)
    assert is_error
    assert "timed out after 1 s; raise the limit with --timeout" in text


@pytest.mark.slow
def test_a_question_that_is_given_up_is_ended_at_once(predicted: Config) -> None:
    """The SDK's client says so to a server that is a process of its own."""
    stdio = pytest.importorskip("mcp.client.stdio", reason="needs genredb[mcp]")
    arguments = ["--database", predicted.database, "--raw-dir", predicted.raw_dir, "--timeout", "60"]
    process = stdio.StdioServerParameters(
        command=sys.executable,
        args=["-m", "genredb", "mcp", "--project-dir", str(ROOT), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )

    async def talk(ask: Ask) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask("query", sql=ENDLESS), 1)
        is_error, (text,) = await asyncio.wait_for(ask("query", sql="select 1 as one"), 30)
        assert (is_error, json.loads(text)) == (False, [{"one": 1}])

    session(process, talk)


@pytest.mark.slow
def test_a_question_that_nobody_waits_for_makes_room_when_its_time_is_over(predicted: Config) -> None:
    async def talk(ask: Ask) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask("query", sql=ENDLESS), 1)
        is_error, (text,) = await asyncio.wait_for(ask("query", sql="select 1 as one"), 40)
        assert (is_error, json.loads(text)) == (False, [{"one": 1}])

    session(server_of(predicted, seconds=3), talk)


def test_without_the_sdk_one_sentence_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    monkeypatch.delitem(sys.modules, "genredb.mcp.server", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'genredb\[mcp\]'"):
        commands()["mcp"].main(["--project-dir", str(ROOT)], standalone_mode=False)
