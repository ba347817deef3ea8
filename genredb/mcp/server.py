"""The server that an assistant starts and asks on stdin; the only importer of the protocol's SDK."""

import functools
import io
import threading
from collections.abc import Callable
from typing import Annotated, Any

import anyio.from_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from genredb.errors import GenredbError, UsageError
from genredb.mcp import answers
from genredb.project.config import Settings, read_config
from genredb.query.guard import Limits, run_guarded
from genredb.version import __version__

ROWS = 100
MOST_ROWS = 10_000
ANSWER_BYTES = 1 << 18
_INSTRUCTIONS = (
    "A DuckDB file that a dbt project built: songs and their genres, unless its relations say otherwise."
    " It can be read, never written. Call `relations` first: it says what there is to ask, and what it means."
)


def make_server(settings: Settings, limits: Limits) -> MCPServer:
    """Return the server; each question is answered within ``limits``, of the state published last."""
    server = MCPServer(
        "genredb", instructions=_INSTRUCTIONS, version=__version__, subscriptions=False, log_level="ERROR"
    )
    guarded = _Guarded(settings, limits)
    reads_only = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )

    def tool(function: Callable[..., list[str]]) -> None:
        server.add_tool(function, annotations=reads_only, structured_output=False)

    @tool
    def query(
        sql: Annotated[str, Field(description="One statement of DuckDB's SQL that reads.")],
        limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows at most.")] = ROWS,
    ) -> list[str]:
        """Ask the database in SQL; rows come as JSON objects.

        `predict_genre(songs)` and `genre_probabilities(songs)` call the classifier on a row of songs.
        """
        return guarded.ask(answers.rows, sql, limit)

    @tool
    def relations() -> list[str]:
        """List the tables and views: what they mean, and their columns' names."""
        return guarded.ask(answers.relations)

    @tool
    def columns(
        relation: Annotated[str, Field(description="A table or view, such as songs or features.train.")],
    ) -> list[str]:
        """Say of each column of a relation its type, its range, its missing values, and what it means."""
        return guarded.ask(answers.columns, relation)

    @tool
    def lineage(
        name: Annotated[str, Field(description="A relation or a column, such as songs.genre_group.")],
        downstream: Annotated[bool, Field(description="What is made of it, not what it is made of.")] = False,
    ) -> list[str]:
        """Say what a column is made of, up to the CSV's column, or what is made of it."""
        return guarded.ask(answers.lineage, name, is_downstream=downstream)

    @tool
    def explain(
        song: Annotated[str, Field(description="A song's Id, its key such as test:454, or a title.")],
        is_title: Annotated[bool, Field(description="Whether it is a title, or a part of one.")] = False,
    ) -> list[str]:
        """Say why the classifier gives a song its genre: the artist's songs, the nearest, what weighed."""
        return guarded.ask(answers.explanations, song, is_title=is_title)

    return server


class _Guarded:
    """Answers questions one at a time, each in a guarded process of its own."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._turn = (
            threading.Lock()
        )  # a process started meanwhile would keep the pipes of the first one open

    def ask(self, answer: Callable[..., list[str]], *arguments: Any, **options: Any) -> list[str]:
        """Return the text of an answer and what is to be said of it; ToolError says why there is none."""
        found = io.BytesIO()

        def write(content: bytes) -> None:
            if found.tell() + len(content) > ANSWER_BYTES:
                raise UsageError(
                    f"The answer is longer than {ANSWER_BYTES >> 10} KiB; ask for fewer rows or columns."
                )
            found.write(content)

        try:
            config = read_config(self._settings)
            task = functools.partial(_answered, answer, config, arguments, options)
            with self._turn:
                notes = run_guarded(task, write, self._limits, anyio.from_thread.check_cancelled)
        except GenredbError as error:
            raise ToolError(str(error)) from None
        return [found.getvalue().decode(), *notes]


def _answered(
    answer: Callable[..., list[str]], config: Any, arguments: tuple[Any, ...], options: Any, stream: Any
) -> list[str]:
    return answer(config, stream, *arguments, **options)
