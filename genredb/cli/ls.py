"""``genredb ls``."""

from enum import StrEnum
from typing import Annotated

import typer

from genredb.cli.options import Context, command


class ResourceType(StrEnum):
    """What can be listed, in dbt's words."""

    SOURCE = "source"
    SEED = "seed"
    MODEL = "model"
    TEST = "test"


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("ls")(ls)


@command()
def ls(
    context: Context,
    resource_type: Annotated[ResourceType | None, typer.Option(help="List one kind only.")] = None,
) -> None:
    """List the project's sources, seeds, models and checks, upstream first.

    Example: genredb ls --resource-type model
    """
    from genredb.cli.console import print_json
    from genredb.compile import compile_project
    from genredb.project import read_project

    nodes = [
        node
        for node in compile_project(read_project(context.config)).nodes.values()
        if resource_type is None or node.kind.value == resource_type.value
    ]
    if context.json:
        print_json(
            [
                {
                    "unique_id": node.unique_id,
                    "kind": node.kind.value,
                    "name": node.name,
                    "relation": node.relation.qualified_name if node.relation else None,
                    "materialized": node.materialized,
                    "path": node.path,
                    "description": node.description,
                    "depends_on": node.depends_on,
                }
                for node in nodes
            ]
        )
        return
    for node in nodes:
        typer.echo(f"{node.kind.value:<7} {node.label:<30} {node.path}")
