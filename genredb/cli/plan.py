"""``genredb plan``."""

from contextlib import closing
from typing import TYPE_CHECKING

import typer

from genredb.cli.engines import EngineName, EngineOption, Master, on_engine
from genredb.cli.options import Context, command
from genredb.cli.selection import Exclude, FullRefresh, Sample, Select, State
from genredb.cli.visible import echo

if TYPE_CHECKING:
    from genredb.runner.execution.engine import Engine
    from genredb.runner.planning.options import Options
    from genredb.runner.planning.plan import Plan, Touched
    from genredb.runner.project.config import Config


_NOTHING = "Nothing to do: the database is up to date."


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("plan")(plan)


@command(limits=True)
def plan(
    context: Context,
    selected: Select = None,
    excluded: Exclude = None,
    state: State = None,
    full_refresh: FullRefresh = False,
    sample: Sample = False,
    engine: EngineOption = EngineName.DUCKDB,
    master: Master = None,
) -> None:
    """Show what a build would run, why, and which columns change. Nothing is written.

    With --engine spark, everything is listed that Spark is not known to run as DuckDB does.

    Example: genredb plan --select songs+
    """
    from genredb.runner.planning.options import Options
    from genredb.runner.planning.receipt import read_receipt
    from genredb.runner.project.find import project_digest
    from genredb.spark.choice import engine_of

    options = Options(selected or (), excluded or (), full_refresh, state_dir=state)
    config = on_engine(context, engine, master).from_sample(sample)
    with closing(engine_of(config)) as chosen:
        may_be_current = options.may_be_current and chosen.has_receipt
        if may_be_current and read_receipt(config, project_digest(config)):
            _show_nothing(context)
        else:
            _show(context, _plan(context, config, options, chosen))


def _plan(context: Context, config: "Config", options: "Options", engine: "Engine") -> "Plan":
    from genredb.catalog import Catalog
    from genredb.cli.observer import BuildObserver
    from genredb.runner.plan import plan as make_plan
    from genredb.songs.extension import SONGS

    with Catalog(config) as catalog:
        observer = BuildObserver(context.console, lambda *_: None)
        return make_plan(catalog, options, SONGS, engine, observer)


def _show_nothing(context: Context) -> None:
    """Say that a build would have nothing to do."""
    if context.json:
        from genredb.cli.console import print_json
        from genredb.reports.builds import PlanReport

        print_json(PlanReport((), (), None, is_confirmed=True, nodes=()))
    else:
        context.console.say(_NOTHING, "green")


def _show(context: Context, found: "Plan") -> None:
    if context.json:
        from genredb.cli.console import print_json
        from genredb.reports.builds import plan_report

        print_json(plan_report(found))
        return
    nodes = found.compilation.nodes
    for raw in found.stale_files:
        how = "changed" if raw.held is None else "has new records"
        echo(f"{'load':<12} {raw.source.qualified_name:<30} {raw.source.stated_files} {how}")
    for relation in found.removed:
        echo(f"{'drop':<12} {relation:<30} no longer made")
    checks = 0
    for unique_id, reason in found.reasons.items():
        node = nodes[unique_id]
        checks += node.is_check
        if not node.is_check or context.console.is_verbose:
            how = "" if node.materialized == "view" else _incremental(found, unique_id)
            columns = _columns(found.touched.get(unique_id))
            echo(f"{node.materialized:<12} {node.label:<30} {reason}{columns}{how}")
    if found.is_empty and (found.is_confirmed or not found.is_whole):
        context.console.say(_NOTHING, "green")
    elif found.is_empty:
        context.console.say(
            "No node would run; a build would record the settings, after the project's hooks."
        )
    elif checks and not context.console.is_verbose:
        context.console.say(f"and {checks} check{'s' if checks > 1 else ''}; -v lists them.", "dim")
    if found.large_drop:
        context.console.warn(f"A build would {found.large_drop}; it stops unless --allow-drops is given.")


def _incremental(found: "Plan", unique_id: str) -> str:
    """Return whether a node runs for changed rows alone and, if not, why, where a build can tell."""
    if found.updates.is_incremental(unique_id):
        return "; incremental"
    why = found.updates.hindrance(unique_id)
    return f"; recomputed, as {why}" if why else ""


def _columns(touched: "Touched | None") -> str:
    """Return which columns of a relation are touched, where that is not the same for all of them."""
    if touched is None or touched.is_everything:
        return ""
    parts = [*touched.columns, *(["which rows"] if touched.has_other_rows else [])]
    return f" → {', '.join(parts) or 'no column'}"
