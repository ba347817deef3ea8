"""Counts how the rows of a relation differ between two databases, by a key if there is one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from genredb.warehouse.connection import Connection
from genredb.warehouse.database import quote
from genredb.warehouse.pair import AFTER, BEFORE

_LONGEST_KEY = 3


@dataclass(frozen=True)
class Counted:
    """Numbers of rows before and after, and of those added, removed and changed.

    ``key`` are the columns that identify rows; without a key, a changed row counts as removed and added.
    ``columns`` maps each changed column to the number of rows in which its value changed.
    """

    before: int
    after: int
    added: int
    removed: int
    changed: int
    key: tuple[str, ...]
    columns: dict[str, int] = field(default_factory=dict)

    @property
    def is_different(self) -> bool:
        """True if any row differs."""
        return bool(self.added or self.removed or self.changed)


def count_rows(connection: Connection, name: str, columns: Sequence[str]) -> Counted:
    """Count the rows of ``name`` (``schema.name``) that differ in ``columns``, which both databases have."""
    schema, _, table = name.partition(".")
    old, new = (f"{side}.{quote(schema)}.{quote(table)}" for side in (BEFORE, AFTER))
    [(before, after)] = connection.rows(f"select (select count(*) from {old}), (select count(*) from {new})")
    if not columns:
        return Counted(before, after, max(0, after - before), max(0, before - after), 0, ())
    key = _key(connection, (old, new), columns)
    if not key:
        listed = ", ".join(map(quote, columns))
        added, removed = (
            connection.rows(
                f"select count(*) from (select {listed} from {a} except all select {listed} from {b})",
            )[0][0]
            for a, b in ((new, old), (old, new))
        )
        return Counted(before, after, added, removed, 0, ())
    same = " and ".join(f"old_.{column} = new_.{column}" for column in map(quote, key))
    others = [column for column in columns if column not in key]
    differs = [f"old_.{column} is distinct from new_.{column}" for column in map(quote, others)]
    counts = ", ".join(
        f"count(*) filter (where {one})" for one in [" or ".join(differs) or "false", *differs]
    )
    common, changed, *by_column = connection.rows(
        f"select count(*), {counts} from {old} as old_ inner join {new} as new_ on {same}"
    )[0]
    by_name = {column: count for column, count in zip(others, by_column, strict=True) if count}
    return Counted(before, after, after - common, before - common, changed, key, by_name)


def _key(connection: Connection, relations: tuple[str, str], columns: Sequence[str]) -> tuple[str, ...]:
    """Return the fewest leading columns that identify rows in both databases; empty if three do not."""
    for length in range(1, min(_LONGEST_KEY, len(columns)) + 1):
        listed = ", ".join(map(quote, columns[:length]))
        missing = " or ".join(f"{quote(column)} is null" for column in columns[:length])
        doubled = [
            f"exists (select 1 from {relation} where {missing})"
            f" or exists (select 1 from {relation} group by {listed} having count(*) > 1)"
            for relation in relations
        ]
        if not connection.rows(f"select {' or '.join(doubled)}")[0][0]:
            return tuple(columns[:length])
    return ()
