"""The state of one rendering, and the slot through which template functions access it.

Macros from all files share these functions; only at call time is it known which template a call belongs to.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from genredb.errors import Notice
from genredb.runner.templates.given import Given, Rendered
from genredb.runner.templates.relation import Database

Value = TypeVar("Value")


class NeedsDatabaseError(Exception):
    """A template needs a database that does not exist yet; ``what`` is the name it called."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass
class Rendering:
    """The state of one rendering: what was given, and what has been used so far."""

    given: Given
    config: Mapping[str, Any]
    references: dict[str, None] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    environment: set[str] = field(default_factory=set)
    results: dict[str, Any] = field(default_factory=dict)
    asks: str = ""
    asks_incremental: bool = False
    uses_clock: bool = False

    @classmethod
    def of(cls, given: Given) -> "Rendering":
        """Return a new rendering."""
        return cls(given, given.config)

    def without_answer(self, asks: str) -> "Rendering":
        """Return a new rendering that only parses, since no database can answer the query in ``asks``.

        What was used before the query is kept, except for the configuration, which is stated again.
        """
        given = replace(self.given, execute=False)
        return replace(self, given=given, config=given.config, notices=[], asks=asks)

    def database(self, what: str) -> Database | None:
        """Return the database to query, or None if templates are only parsed.

        Raises NeedsDatabaseError, naming ``what``, if there is no database yet.
        """
        if not self.given.execute:
            return None
        if self.given.database is None:
            raise NeedsDatabaseError(what)
        return self.given.database

    def ended(self, value: Value) -> Rendered[Value]:
        """Return the rendered value and everything that was used."""
        return Rendered(
            value,
            references=tuple(self.references),
            config=self.config,
            asks=self.asks,
            asks_incremental=self.asks_incremental,
            messages=tuple(self.messages),
            notices=tuple(self.notices),
            environment=frozenset(self.environment),
            uses_clock=self.uses_clock,
        )


class Current:
    """Holds the rendering in progress."""

    def __init__(self) -> None:
        self._rendering: Rendering | None = None

    @property
    def rendering(self) -> Rendering:
        """The rendering that the running template function belongs to."""
        if self._rendering is None:
            raise RuntimeError("no template is being rendered")
        return self._rendering

    @contextlib.contextmanager
    def entered(self, rendering: Rendering) -> Iterator[None]:
        """Make ``rendering`` the current one inside the block."""
        self._rendering = rendering
        try:
            yield
        finally:
            self._rendering = None
