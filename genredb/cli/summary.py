"""The summary of a build or test, as one line or as JSON."""

from collections.abc import Sequence

from genredb.cli.console import Console, print_json
from genredb.cli.options import Context
from genredb.runner.project.config import Config
from genredb.runner.results import BuildResult, NodeResult, Status


def print_report(result: BuildResult) -> None:
    """Print the result of a build or test as JSON."""
    from genredb.reports.builds import build_report

    print_json(build_report(result))


def report_build(context: Context, result: BuildResult) -> None:
    """Print the outcome of a build."""
    context.console.loads(result.loads)
    if context.json:
        print_report(result)
    for message in result.messages:
        context.console.say(message)
    summarize(context.console, context.config, result)


def summarize(console: Console, config: Config, result: BuildResult) -> None:
    """Print a one-line summary of a build."""
    name = config.database.name
    if result.exit_code:
        end = f"{_counts(result)}; {name} is unchanged."
        if config.settings.engine == "duckdb":
            end += " `genredb retry` resumes from here."
        console.line(("Failed: ", "red bold"), (end, ""))
    elif not result.is_published:
        console.say(f"Nothing changed since the last build; {name} is up to date.", "green")
        if result.standing_warnings:
            count = result.standing_warnings
            warned = f"{count} {'check' if count == 1 else 'checks'} warned"
            console.warn(f"{warned} in the last run; `genredb test` shows the rows.")
    else:
        did = _counts(result) if result.results else "nothing had to be rebuilt"
        console.say(f"Built {name} in {result.seconds:.1f} s: {did}.", "green")
        if result.forgotten:
            console.warn("The predictions were out of date and have been removed; run `genredb predict`.")


def summarize_checks(console: Console, result: BuildResult) -> None:
    """Print a one-line summary of the checks."""
    style = "red" if result.exit_code else "green"
    console.say(f"{_counts(result)} in {result.seconds:.1f} s.", style)


def _of_them(results: Sequence[NodeResult], how: str) -> str:
    """Return how many of the results are of nodes that ran for changed rows alone, if any."""
    count = sum(result.is_incremental for result in results)
    return f" ({count} {how})" if count else ""


def _counts(result: BuildResult) -> str:
    checks = [r for r in result.results if r.node.is_check]
    nodes = [r for r in result.results if not r.node.is_check]
    failed = [r for r in checks if r.status is Status.FAIL]
    warned = [r for r in checks if r.status is Status.WARN]
    passed = [r for r in checks if r.status is Status.SUCCESS]
    built = [r for r in nodes if r.status is Status.SUCCESS]
    parts = [
        (len(built), "relation built", f"relations built{_of_them(built, 'incrementally')}"),
        (len(passed), "check passed", f"checks passed{_of_them(passed, 'on changed rows alone')}"),
        (len(warned), "check warned", "checks warned"),
        (len(failed), "check failed", "checks failed"),
        (result.count(Status.ERROR), "error", "errors"),
        (result.count(Status.SKIPPED), "skipped", "skipped"),
    ]
    shown = [f"{count} {one if count == 1 else many}" for count, one, many in parts if count]
    return ", ".join(shown) or "nothing to do"
