"""The verb ``diff``: compares two databases, including the predictions of songs.

genredb's own tables are left out because they change with every run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genredb.ask.diff_rows import Counted, count_rows
from genredb.songs.tables import ML_TABLES
from genredb.warehouse.connection import Connection
from genredb.warehouse.pair import AFTER, BEFORE, open_pair
from genredb.warehouse.settings import SetUp
from genredb.warehouse.tables import META_TABLES

_PREDICTIONS = "main.predictions"
_OWN = frozenset(table.name for table in (*META_TABLES, *ML_TABLES))


@dataclass(frozen=True)
class RelationDiff:
    """How a table or view differs. ``rows`` is None if only one of the databases has it.

    ``retyped`` maps each column whose type changed to the types before and after.
    """

    relation: str
    is_before: bool
    is_after: bool
    added_columns: tuple[str, ...] = ()
    removed_columns: tuple[str, ...] = ()
    retyped: Mapping[str, tuple[str, str]] | None = None
    rows: Counted | None = None

    @property
    def is_same(self) -> bool:
        """True if there is no difference."""
        has_columns = self.added_columns or self.removed_columns or self.retyped
        has_rows = self.rows is not None and self.rows.is_different
        return self.is_before and self.is_after and not has_columns and not has_rows


@dataclass(frozen=True)
class PredictionDiff:
    """A song whose predicted genre changed; None if only one of the databases predicts it."""

    song_key: str
    title: str
    artist: str
    before: str | None
    after: str | None
    probability_before: float | None
    probability_after: float | None


@dataclass(frozen=True)
class Diff:
    """The number of compared relations, those that differ, and the predictions that differ."""

    compared: int
    relations: tuple[RelationDiff, ...]
    predictions: tuple[PredictionDiff, ...]


def diff(before: Path, after: Path, settings: Sequence[SetUp] = ()) -> Diff:
    """Compare two databases; nothing is written. UsageError if a file does not exist."""
    with open_pair(before, after, settings) as connection:
        columns = {side: _columns(connection, side) for side in (BEFORE, AFTER)}
        names = sorted({*columns[BEFORE], *columns[AFTER]})
        found = [
            _relation(connection, name, columns[BEFORE].get(name), columns[AFTER].get(name)) for name in names
        ]
        needed = {"song_key", "title", "artist", "genre", "probability"}
        has_predictions = all(needed <= columns[side].get(_PREDICTIONS, {}).keys() for side in columns)
        predictions = _predictions(connection) if has_predictions else ()
    return Diff(len(found), tuple(one for one in found if not one.is_same), predictions)


def _columns(connection: Connection, side: str) -> dict[str, dict[str, str]]:
    """Return the types of the columns of each relation (``schema.name``)."""
    rows = connection.rows(
        """
        select table_schema, table_name, column_name, data_type
        from information_schema.columns
        where table_catalog = ?
        order by table_schema, table_name, ordinal_position
        """,
        [side],
    )
    found: dict[str, dict[str, str]] = {}
    for schema, name, column, data_type in rows:
        if f"{schema}.{name}" not in _OWN:
            found.setdefault(f"{schema}.{name}", {})[column] = data_type
    return found


def _relation(
    connection: Connection, name: str, before: dict[str, str] | None, after: dict[str, str] | None
) -> RelationDiff:
    if before is None or after is None:
        return RelationDiff(name, before is not None, after is not None)
    shared = [column for column in after if column in before]
    retyped = {
        column: (before[column], after[column]) for column in shared if before[column] != after[column]
    }
    return RelationDiff(
        name,
        is_before=True,
        is_after=True,
        added_columns=tuple(column for column in after if column not in before),
        removed_columns=tuple(column for column in before if column not in after),
        retyped=retyped,
        rows=count_rows(connection, name, [column for column in shared if column not in retyped]),
    )


def _predictions(connection: Connection) -> tuple[PredictionDiff, ...]:
    rows: Sequence[tuple[str, str, str, str | None, str | None, float | None, float | None]] = (
        connection.rows(
            f"""
        select
            song_key,
            coalesce(after.title, before.title, ''),
            coalesce(after.artist, before.artist, ''),
            before.genre,
            after.genre,
            before.probability,
            after.probability
        from {BEFORE}.{_PREDICTIONS} as before
        full join {AFTER}.{_PREDICTIONS} as after using (song_key)
        where before.genre is distinct from after.genre
        order by song_key
        """,
        )
    )
    return tuple(PredictionDiff(*row) for row in rows)
