"""Whether a column of a relation identifies its rows."""

from genredb.warehouse.connection import Connection
from genredb.warehouse.database import quote

# A bit for each number of a range takes less memory and time than a set, unless the range has large gaps.
_MOST_BITS = 64


def is_unique(connection: Connection, relation: str, name: str) -> bool:
    """Return True if no value occurs twice in the column ``name`` of a relation, given as SQL."""
    key = quote(name)
    bounds = f"select count({key}), min({key}), max({key}) from {relation}"
    [(filled, low, high)] = connection.rows(bounds)
    distinct = f"count(distinct {key})"
    if type(low) is int and high - low < _MOST_BITS * filled:
        distinct = f"bit_count(bitstring_agg({key}, {low}, {high}))"
    [(found,)] = connection.rows(f"select {distinct} from {relation}")
    return bool(found == filled)
