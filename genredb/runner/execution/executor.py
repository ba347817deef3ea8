"""The interface between a build and an engine: creating relations, running SQL, inspecting what exists.

Loads, models, checks and unit tests run through this interface, in SQL of DuckDB's dialect, which an engine
of another dialect transpiles. What genredb itself stores is in the *ledger*, a DuckDB file, whatever the
engine: build state and history, quarantined rows, classifiers. The leak guard proves on DuckDB, too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from genredb.runner.templates.relation import Relation

if TYPE_CHECKING:
    from genredb.warehouse.connection import Connection
    from genredb.warehouse.declared import SourceSpec
    from genredb.warehouse.load import Load
    from genredb.warehouse.rawfile import Held


class Executor(Protocol):
    """An engine that creates relations. Each method raises SqlError if the project's SQL is invalid."""

    def run(self, sql: str) -> int | None:
        """Execute a statement; return the number of rows written, if the engine reports it."""

    def query(self, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the columns and rows of a query."""

    def sample(self, sql: str, limit: int) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], int]:
        """Return a query's columns, its first ``limit`` rows in sorted order, and its total rows."""

    def statement_kinds(self, sql: str) -> Sequence[str]:
        """Return the kinds of statements in a text, such as ``SELECT``."""

    def load(self, source: "SourceSpec", files: Sequence[Path]) -> "tuple[Load, ...]":
        """Load raw files into their source's table, quarantining rows that cannot be loaded."""

    def extend(
        self, source: "SourceSpec", held: "Mapping[Path, Held | None]", added: Relation
    ) -> "tuple[Load, ...] | None":
        """Load what is new in a source's files, and create the table ``added`` of these rows.

        None means that the source must be loaded anew.
        """

    def load_seed(self, relation: Relation, file: Path, separator: str, types: Mapping[str, str]) -> int:
        """Create a table from a seed's CSV, with the given or inferred types; return its number of rows.

        ProjectError with the line that cannot be read.
        """

    def create_schema(self, relation: Relation) -> None:
        """Create the schema of a relation if it is missing."""

    def create(self, relation: Relation, kind: str, sql: str) -> int | None:
        """Create or replace a ``table`` or ``view`` from one query; return the number of rows of a table."""

    def create_temporary(self, relation: Relation, sql: str) -> int | None:
        """Create a table from one query that only this build sees; return its number of rows."""

    def names_of_python(self) -> AbstractContextManager[None]:
        """Let SQL name variables of Python inside the block, which must hold whole transactions."""

    def keep_result(self, relation: Relation, run: Callable[[Any], Any]) -> None:
        """Create a table that only this build sees from what ``run`` returns, given the DuckDB connection.

        ProjectError if that is no relation, pandas or polars frame, or Arrow table.
        """

    def drop(self, relation: str) -> None:
        """Drop a table or view (``schema.name``) if it exists."""

    def mark(self, relation: Relation, kind: str, digest: str) -> None:
        """Mark a relation as created by genredb for this digest; replacing it removes the mark."""

    def marks(self) -> Mapping[str, str]:
        """Return the mark of every relation (``schema.name``), empty if it has none."""

    def relations(self) -> Mapping[tuple[str, str], str]:
        """Return every relation by (schema, name): ``table`` or ``view``."""

    def refuse_damage(self, made: Collection[str]) -> None:
        """Raise an error if a table is damaged that would be published again; ``made`` are new."""

    def copy_rows(self, relation: Relation, most: int, target: "Connection") -> None:
        """Copy the first rows of a relation into a new table of that name in another DuckDB database."""

    def kind(self, relation: Relation) -> str | None:
        """Return ``table`` or ``view``, or None if the relation does not exist."""

    def columns(self, of: str) -> dict[str, str]:
        """Return the columns and types of a relation or query, given as SQL."""

    def transaction(self) -> AbstractContextManager[None]:
        """Run the block in a transaction: if it fails, nothing changes."""
