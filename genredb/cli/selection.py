"""The options that select nodes and set how they run."""

from pathlib import Path
from typing import Annotated

import typer

Select = Annotated[
    list[str] | None,
    typer.Option("--select", "-s", help="Nodes to select: name, +name+, tag:x, path:y, source:z+, a,b …"),
]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", help="Nodes to exclude, in the same syntax.")]
_NAMES = ("--select", "-s", "--exclude")


def joined(arguments: list[str]) -> list[str]:
    """Join the values of ``--select a b`` into one argument: ``--select "a b"``."""
    result: list[str] = []
    is_open = False
    for argument in arguments:
        if argument.startswith("-"):
            is_open = False
        elif is_open and result[-1] not in _NAMES:
            result[-1] += f" {argument}"
            continue
        is_open = is_open or argument in _NAMES
        result.append(argument)
    return result


State = Annotated[
    Path | None,
    typer.Option("--state", help="Folder of an earlier manifest.json, for state: and result: selectors."),
]
FullRefresh = Annotated[
    bool,
    typer.Option("--full-refresh", "-f", help="Run every node and rebuild incremental tables from scratch."),
]
Sample = Annotated[
    bool, typer.Option("--sample", help="Use the synthetic sample, even if it replaces your own songs.")
]
AllowDrops = Annotated[
    bool,
    typer.Option("--allow-drops", help="Allow a build to drop incremental tables or most relations."),
]
StoreFailures = Annotated[
    bool, typer.Option("--store-failures", help="Store failing rows, in one table per check.")
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", "-x", help="Stop at the first failure: skip what has not run.")
]
WarnError = Annotated[bool, typer.Option("--warn-error", help="Treat warnings as errors.")]
