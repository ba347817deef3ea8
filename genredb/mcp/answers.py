"""What an assistant can ask: each answer is JSON on a stream, and what is to be said of it.

These run in a guarded process, so that whatever is asked, nothing is written and the server lives on.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

from genredb.project.config import Config
from genredb.query.ask import Question, write_answer
from genredb.values import json_value


def rows(config: Config, stream: BinaryIO, sql: str, limit: int) -> list[str]:
    """Write the rows of a query, at most ``limit``."""
    has_more = write_answer(config, Question(sql, limit=limit), "json", stream)
    return [f"Only the first {limit:,} rows; a greater limit gives more."] if has_more else []


def relations(config: Config, stream: BinaryIO) -> list[str]:
    """Write the tables and views, what they mean, and their columns' names."""
    from genredb.query.catalog import read_relations  # noqa: PLC0415 - a query does not need it
    from genredb.warehouse.database import open_reader  # noqa: PLC0415

    with open_reader(config.database) as connection:
        found = read_relations(connection, config)
    _write(
        stream,
        [
            {
                "relation": one.asked_as,
                "kind": one.kind,
                "meaning": one.description,
                "columns": [column.name for column in one.columns],
            }
            for one in found
        ],
    )
    return []


def columns(config: Config, stream: BinaryIO, relation: str) -> list[str]:
    """Write what the columns of a relation hold and mean."""
    from genredb.query.describe import describe_relation  # noqa: PLC0415

    facts = describe_relation(config, relation)
    _write(stream, [asdict(column) for column in facts.columns])
    return [f"{facts.relation}: {facts.rows:,} rows"]


def lineage(config: Config, stream: BinaryIO, name: str, *, is_downstream: bool) -> list[str]:
    """Write what a column is made of, or what is made of it."""
    from genredb.build.trace import trace  # noqa: PLC0415

    _write(stream, trace(config, name, is_downstream=is_downstream).plain())
    return []


def explanations(config: Config, stream: BinaryIO, song: str, *, is_title: bool) -> list[str]:
    """Write why songs are given their genres."""
    from genredb.learn.explain import explain  # noqa: PLC0415 - brings scikit-learn

    _write(stream, explain(config, song, is_title=is_title))
    return []


def _write(stream: BinaryIO, value: Sequence[Any] | dict[str, Any]) -> None:
    stream.write(json.dumps(json_value(value), ensure_ascii=False, allow_nan=False).encode())
