"""Asking the published database, read-only."""

from genredb.query.ask import Answer, ask

__all__ = ["Answer", "ask"]
