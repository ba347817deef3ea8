"""``genredb deps``."""

from typing import Annotated

import typer

from genredb.cli.options import Context, command


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("deps")(deps)


@command()
def deps(
    context: Context,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Ignore package-lock.yml and take what packages.yml allows now.")
    ] = False,
) -> None:
    """Install the packages that packages.yml lists into dbt_packages, and write package-lock.yml.

    Example: genredb deps
    """
    from genredb.cli.console import print_json
    from genredb.deps.install import Dependency, install
    from genredb.runner.project.config import read_own_package

    def report(one: Dependency) -> None:
        version = f" ({one.version})" if one.version else ""
        context.console.say(f"Installed {one.name} from {one.where}{version}.")

    package, target = read_own_package(context.settings)
    found = install(package, target, context.settings.vars, is_upgrade=upgrade, report=report)
    if context.json:
        print_json(found)
    if not found:
        context.console.say("The project lists no packages.")
