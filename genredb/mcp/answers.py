"""Answers an assistant's requests: each writes JSON to a stream and returns notes about it.

They run in a guarded process, so that no request can write anything or crash the server.
"""

from typing import Any, BinaryIO

from genredb.ask.query import Question, write_answer
from genredb.catalog import Catalog
from genredb.runner.project.config import Config
from genredb.values import json_text


def rows(config: Config, stream: BinaryIO, sql: str, limit: int) -> list[str]:
    """Write the rows of a query, at most ``limit``."""
    has_more = write_answer(config, Question(sql, limit=limit), "json", stream)
    return [f"Showing the first {limit:,} rows; use a larger limit for more."] if has_more else []


def relations(config: Config, stream: BinaryIO) -> list[str]:
    """Write the tables and views with their descriptions and column names."""
    from genredb.reports.contents import listed_relation  # noqa: PLC0415 - a query does not need it

    with Catalog(config) as catalog:
        _write(stream, [listed_relation(one) for one in catalog.relations])
    return []


def columns(config: Config, stream: BinaryIO, relation: str) -> list[str]:
    """Write a summary and the description of each column of a relation."""
    from genredb.ask.describe import describe_relation  # noqa: PLC0415

    with Catalog(config) as catalog:
        facts = describe_relation(catalog, relation)
    _write(stream, facts.columns)
    return [f"{facts.relation}: {facts.rows:,} rows"]


def lineage(config: Config, stream: BinaryIO, name: str, *, is_downstream: bool) -> list[str]:
    """Write what a column depends on or, if ``is_downstream``, what depends on it."""
    from genredb.reports.contents import lineage_report  # noqa: PLC0415
    from genredb.runner.lineage import trace  # noqa: PLC0415

    with Catalog(config) as catalog:
        _write(stream, lineage_report(trace(catalog, name, is_downstream=is_downstream)))
    return []


def explanations(config: Config, stream: BinaryIO, song: str, *, is_title: bool) -> list[str]:
    """Write why the classifier gives songs their genres."""
    from genredb.songs.explain import explain  # noqa: PLC0415 - brings scikit-learn

    _write(stream, explain(config, song, is_title=is_title))
    return []


def _write(stream: BinaryIO, value: Any) -> None:
    stream.write(json_text(value).encode())
