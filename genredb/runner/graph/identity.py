"""Node identities as digests. A separate module, because code that must start fast imports it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """A node's own part of its fingerprint.

    ``sql`` is the text without the database name; ``sql_id`` identifies it and all texts that mean the same;
    ``rest`` is a digest of configuration, relation, hooks and file contents; on Spark, its version follows.
    ``own_tables`` has a digest of each of genredb's own tables that it reads (``ml.predictions=4/123``).
    """

    sql: str = ""
    sql_id: str = ""
    rest: str = ""
    own_tables: str = ""

    def fingerprint(self, upstream: Iterable[str]) -> str:
        """Return the fingerprint, given the fingerprints of the upstream nodes."""
        return digest(self.sql_id, self.rest, self.own_tables, *upstream)


def digest(*parts: str) -> str:
    """Return a short sha256 of the parts, in order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
