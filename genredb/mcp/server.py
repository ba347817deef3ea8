"""The server that an assistant starts and talks to over stdio; the only importer of the protocol's SDK."""

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

from genredb.ask.guard import Limits, run_guarded
from genredb.errors import GenredbError, UsageError
from genredb.mcp import answers
from genredb.runner.project.config import Settings, read_config
from genredb.version import __version__

ROWS = 100
MOST_ROWS = 10_000
ANSWER_BYTES = 1 << 18
_INSTRUCTIONS = (
    "A DuckDB file that a dbt project built: songs and their genres, unless its relations say otherwise."
    " It is read-only. Call `relations` first: it lists the tables and views with descriptions."
)


def make_server(settings: Settings, limits: Limits) -> MCPServer:
    """Return the server; each request runs within ``limits`` on the latest published state."""
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
        sql: Annotated[str, Field(description="One read-only query in DuckDB's SQL.")],
        limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Maximum number of rows.")] = ROWS,
    ) -> list[str]:
        """Run a read-only SQL query; rows are returned as JSON objects.

        `predict_genre(songs)` and `genre_probabilities(songs)` call the classifier on a row of songs.
        """
        return guarded.ask(answers.rows, sql, limit)

    @tool
    def relations() -> list[str]:
        """List the tables and views with their meaning and column names."""
        return guarded.ask(answers.relations)

    @tool
    def columns(
        relation: Annotated[str, Field(description="A table or view, such as songs or features.train.")],
    ) -> list[str]:
        """Describe each column of a relation: type, range, missing values and meaning."""
        return guarded.ask(answers.columns, relation)

    @tool
    def lineage(
        name: Annotated[str, Field(description="A relation or a column, such as songs.genre_group.")],
        downstream: Annotated[
            bool, Field(description="Show what depends on it, instead of what it depends on.")
        ] = False,
    ) -> list[str]:
        """Show what a column is derived from, up to the raw file, or what depends on it."""
        return guarded.ask(answers.lineage, name, is_downstream=downstream)

    @tool
    def explain(
        song: Annotated[str, Field(description="A song's Id, its key such as test:454, or a title.")],
        is_title: Annotated[bool, Field(description="True to search by a title or part of one.")] = False,
    ) -> list[str]:
        """Explain a song's predicted genre: the artist's songs, similar songs, influential columns."""
        return guarded.ask(answers.explanations, song, is_title=is_title)

    return server


class _Guarded:
    """Answers requests one at a time, each in its own guarded process."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._lock = threading.Lock()  # a process started meanwhile would keep the first one's pipes open

    def ask(self, answer: Callable[..., list[str]], *arguments: Any, **options: Any) -> list[str]:
        """Return the text of an answer and notes about it; raises ToolError, with the cause, if it fails."""
        found = io.BytesIO()

        def write(content: bytes) -> None:
            if found.tell() + len(content) > ANSWER_BYTES:
                raise UsageError(
                    f"The result is larger than {ANSWER_BYTES >> 10} KiB",
                    cure="select fewer rows or columns",
                )
            found.write(content)

        try:
            config = read_config(self._settings)
            task = functools.partial(_answered, answer, config, arguments, options)
            with self._lock:
                notes = run_guarded(task, write, self._limits, anyio.from_thread.check_cancelled)
        except GenredbError as error:
            raise ToolError(str(error)) from None
        return [found.getvalue().decode(), *notes]


def _answered(
    answer: Callable[..., list[str]], config: Any, arguments: tuple[Any, ...], options: Any, stream: Any
) -> list[str]:
    return answer(config, stream, *arguments, **options)
