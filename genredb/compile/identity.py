"""What a node is made of, as digests: its own part of a fingerprint. Imported by what must start fast."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """A node's own part of its fingerprint.

    ``sql`` is the text without the database's name, ``sql_id`` stands for it and for every text that
    means the same; ``rest`` digests configuration, relation, hooks and a file's content.
    """

    sql: str = ""
    sql_id: str = ""
    rest: str = ""

    def fingerprint(self, upstream: Iterable[str]) -> str:
        """Return the fingerprint over these fingerprints of what the node depends on."""
        return digest(self.sql_id, self.rest, *upstream)


def digest(*parts: str) -> str:
    """Return a short sha256 of the parts, in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
