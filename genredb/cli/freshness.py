"""``genredb freshness``."""

import typer

from genredb.cli.options import Context, command
from genredb.cli.selection import Exclude, Select, State
from genredb.cli.visible import echo


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("freshness")(freshness)


@command(limits=True)
def freshness(
    context: Context,
    selected: Select = None,
    excluded: Exclude = None,
    state: State = None,
) -> None:
    """Tell how old the newest rows of sources are, and whether that is too old.

    Sources say in a yml file what is too old: `freshness:` and `loaded_at_field:`, as in dbt.

    Example: genredb freshness --select source:shop
    """
    from genredb.cli.console import print_json
    from genredb.runner.freshness import freshness as find_ages
    from genredb.runner.planning.options import Options
    from genredb.runner.results import AgeStatus

    options = Options(selected or (), excluded or (), state_dir=state)
    found = find_ages(context.config, options)
    if context.json:
        print_json(found)
    else:
        for one in found:
            age = "" if one.age is None else _shown(one.age)
            echo(f"{one.status:<13} {one.name:<30} {one.message or age}")
    failed = any(one.status in (AgeStatus.ERROR, AgeStatus.RUNTIME_ERROR) for one in found)
    raise typer.Exit(int(failed))


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))
_ERA = 86400 * 365 * 1000


def _shown(age: float) -> str:
    """Return an age in words."""
    if age > _ERA:
        return "no row"
    if age < 0:
        return "loaded in the future"
    for unit, seconds in _UNITS:
        if count := int(age // seconds):
            return f"{count:,} {unit}{'' if count == 1 else 's'} old"
    return "less than a minute old"
