"""Materializations of models. To add one, write a function and an entry of MATERIALIZATIONS."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Materialization:
    """A way to materialize a model.

    ``function`` (module:name) creates the relation, given the runtime and the model, and returns the number
    of rows of a table. If empty, there is no relation: models that read this one contain its query.
    ``is_view`` means that it stores no rows itself, ``adds_rows`` that it may store rows of earlier builds,
    which a rebuild would lose.
    """

    name: str
    function: str = ""
    is_view: bool = False
    adds_rows: bool = False


MATERIALIZATIONS: Mapping[str, Materialization] = {
    one.name: one
    for one in (
        Materialization("view", "genredb.runner.execution.materialize:view", is_view=True),
        Materialization("table", "genredb.runner.execution.materialize:table"),
        Materialization("incremental", "genredb.runner.execution.materialize:incremental", adds_rows=True),
        Materialization("snapshot", "genredb.runner.execution.materialize:snapshot", adds_rows=True),
        Materialization("ephemeral"),
    )
}


def stated_materializations() -> list[str]:
    """Return those that a model can state: a snapshot is one by its block or entry."""
    return [name for name in MATERIALIZATIONS if name != "snapshot"]


def adds_rows(materialized: str) -> bool:
    """Return True if a relation of this materialization may store rows of earlier builds."""
    return materialized in MATERIALIZATIONS and MATERIALIZATIONS[materialized].adds_rows
