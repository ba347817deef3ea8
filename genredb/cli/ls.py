"""``genredb ls``."""

from enum import StrEnum
from typing import Annotated

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import Exclude, Select, State
from genredb.cli.visible import echo


class ResourceType(StrEnum):
    """What can be listed, in dbt's words."""

    SOURCE = "source"
    SEED = "seed"
    MODEL = "model"
    TEST = "test"
    UNIT_TEST = "unit_test"


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("ls")(ls)


@command()
def ls(
    context: Context,
    selected: Select = None,
    excluded: Exclude = None,
    state: State = None,
    resource_type: Annotated[ResourceType | None, typer.Option(help="List one kind only.")] = None,
) -> None:
    """List sources, seeds, models and checks, upstream first.

    Example: genredb ls --resource-type model --select +submission
    """
    from genredb.build.manifest import read_before
    from genredb.cli.console import print_json
    from genredb.compile.compiler import compile_project
    from genredb.compile.select import select
    from genredb.project.discover import read_project

    compilation = compile_project(read_project(context.config))
    chosen = select(compilation, selected or (), excluded or (), read_before(context.config, state))
    nodes = [
        node
        for node in compilation.nodes.values()
        if node.unique_id in chosen and resource_type in (None, node.kind.value)
    ]
    if context.json:
        print_json(
            [
                {
                    "unique_id": node.unique_id,
                    "kind": node.kind.value,
                    "name": node.name,
                    "relation": node.relation.qualified_name if node.relation and not node.is_check else None,
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
        echo(f"{node.kind.value:<9} {node.label:<30} {node.path}")
