"""The options ``--engine`` and ``--master``."""

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.errors import UsageError

if TYPE_CHECKING:
    from genredb.cli.options import Context


class EngineName(StrEnum):
    """The engines that a project can be built on."""

    DUCKDB = "duckdb"
    SPARK = "spark"


EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="The engine that runs it; spark needs genredb[spark] and Java 17.",
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        "--master",
        help="URL of Spark's master; default: `spark: master:` in profiles.yml, else local[*].",
    ),
]


def on_engine(context: "Context", name: EngineName, master: str | None) -> "Context":
    """Return the context of a command on an engine; UsageError if it is not installed."""
    if master and name != EngineName.SPARK:
        raise UsageError("--master is for --engine spark")
    if master is not None and not master.strip():
        raise UsageError("--master is empty", cure="name one such as local[4] or spark://host:7077")
    if name == EngineName.SPARK:
        from genredb.spark.session import refuse_missing

        refuse_missing()
    return replace(context, settings=replace(context.settings, engine=name.value, master=master))
