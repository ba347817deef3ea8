"""``genredb ls``."""

from enum import StrEnum
from typing import Annotated

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import Exclude, Select, State
from genredb.cli.visible import echo


class ResourceType(StrEnum):
    """The kinds of nodes to list, by dbt's names."""

    SOURCE = "source"
    SEED = "seed"
    MODEL = "model"
    SNAPSHOT = "snapshot"
    TEST = "test"
    UNIT_TEST = "unit_test"
    EXPOSURE = "exposure"


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("ls")(ls)


@command()
def ls(
    context: Context,
    selected: Select = None,
    excluded: Exclude = None,
    state: State = None,
    resource_type: Annotated[ResourceType | None, typer.Option(help="List only this kind of node.")] = None,
) -> None:
    """List sources, seeds, models, checks and exposures, upstream first.

    Example: genredb ls --resource-type model --select +submission
    """
    from genredb.catalog import Catalog
    from genredb.runner.ls import ls as list_nodes

    with Catalog(context.config) as catalog:
        nodes = list_nodes(catalog, selected or (), excluded or (), state, resource_type)
    if context.json:
        from genredb.cli.console import print_json
        from genredb.reports.contents import listed

        print_json([listed(node) for node in nodes])
        return
    for node in nodes:
        echo(f"{node.resource_type:<9} {node.label:<30} {node.path}")
