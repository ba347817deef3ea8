"""The end of a build or test: one line that says how it went, and the same as JSON."""

from typing import Any

from genredb.build.results import BuildResult, FailingRows, Status
from genredb.cli.console import Console, print_json
from genredb.cli.options import Context
from genredb.project.config import Config


def report_build(context: Context, result: BuildResult) -> None:
    """Print how a build ended."""
    context.console.loads(result.loads)
    if context.json:
        print_json(as_json(result))
    for message in result.messages:
        context.console.say(message)
    summarize(context.console, context.config, result)


def summarize(console: Console, config: Config, result: BuildResult) -> None:
    """Say what a build did, in a line."""
    name = config.database.name
    if result.exit_code:
        end = f"{_counts(result)}; {name} is as it was before. `genredb retry` goes on from here."
        console.line(("Failed: ", "red bold"), (end, ""))
    elif not result.is_published:
        console.say(f"Nothing changed since the last build; {name} is current.", "green")
        if result.standing_warnings:
            console.warn(f"{result.standing_warnings} of its checks warn; `genredb test` shows their rows.")
    else:
        did = _counts(result) if result.results else "nothing had to be built anew"
        console.say(f"Built {name} in {result.seconds:.1f} s: {did}.", "green")
        if result.forgotten_predictions:
            console.warn("The predictions no longer fit the data and were removed; run `genredb predict`.")


def summarize_checks(console: Console, result: BuildResult) -> None:
    """Say how the checks went, in a line."""
    style = "red" if result.exit_code else "green"
    console.say(f"{_counts(result)} in {result.seconds:.1f} s.", style)


def _counts(result: BuildResult) -> str:
    checks = [r for r in result.results if r.node.is_check]
    nodes = [r for r in result.results if not r.node.is_check]
    failed = [r for r in checks if r.status is Status.FAIL]
    warned = [r for r in checks if r.status is Status.WARN]
    passed = [r for r in checks if r.status is Status.SUCCESS]
    parts = [
        (len([r for r in nodes if r.status is Status.SUCCESS]), "relation built", "relations built"),
        (len(passed), "check passed", "checks passed"),
        (len(warned), "check warned", "checks warned"),
        (len(failed), "check failed", "checks failed"),
        (result.count(Status.ERROR), "error", "errors"),
        (result.count(Status.SKIPPED), "skipped", "skipped"),
    ]
    shown = [f"{count} {one if count == 1 else many}" for count, one, many in parts if count]
    return ", ".join(shown) or "nothing to do"


def _failing(found: FailingRows | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"total": found.total, "rows": [dict(zip(found.columns, row, strict=True)) for row in found.rows]}


def as_json(result: BuildResult) -> dict[str, Any]:
    """Return a result as a mapping for ``--json``."""
    return {
        "published": result.is_published,
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 3),
        "loads": result.loads,
        "results": [
            {
                "unique_id": r.node.unique_id,
                "kind": r.node.kind.value,
                "name": r.node.name,
                "status": r.status.value,
                "reason": r.reason,
                "rows": r.rows,
                "seconds": round(r.seconds, 4),
                "message": r.message,
                "culprit": r.culprit,
                "failing": _failing(r.failing),
            }
            for r in result.results
        ],
    }
