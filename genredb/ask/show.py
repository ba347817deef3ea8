"""The verb ``show``: the first rows of a model's SQL in its current file."""

from genredb.ask.query import Question
from genredb.runner.compile import compile_sql
from genredb.runner.project.config import Config


def show(config: Config, name: str | None, template: str | None, limit: int) -> Question:
    """Return the query for the first ``limit`` rows of a node or of an inline template.

    UsageError if neither or both are given, or if the node is a Python model.
    """
    return Question(compile_sql(config, name, template, is_to_run=True), limit=limit)
