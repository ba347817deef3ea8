"""The page of runs: what could not be loaded, and builds, checks, row counts and accuracy over time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from genredb.look.site import bars, dag
from genredb.look.site.frame import File, Site
from genredb.runner.artifacts.history import CheckCounts
from genredb.runner.results import Status

if TYPE_CHECKING:
    from genredb.runner.artifacts.history import NodeRun, Run
    from genredb.songs.learn.leaderboard import PastAccuracy

MOST_ROWS, MOST_RUNS, MOST_NODES = 1_000, 50, 15
MOST_CHARACTERS = 2_000  # of a quarantined record


@dataclass(frozen=True)
class RunRow:
    """A run with the bar of its time, the number of nodes that it built and the results of its checks."""

    run: "Run"
    bar: Markup
    built: int
    checks: CheckCounts
    checks_bar: Markup


@dataclass(frozen=True)
class Timeline:
    """The last runs of a kind, newest first, and the number of all."""

    runs: tuple[RunRow, ...]
    total: int


@dataclass(frozen=True)
class NodeRow:
    """A node of the last build that built it: its time, beside that of the slowest."""

    name: str
    path: str
    node: "NodeRun"
    bar: Markup


@dataclass(frozen=True)
class Series:
    """A number over time, the newest last: the row count of a model or the accuracy of a classifier."""

    name: str
    path: str
    values: tuple[float, ...]
    times: str
    songs: str = ""

    @property
    def line(self) -> Markup:
        """Its picture."""
        return bars.line(self.values)

    @property
    def change(self) -> float:
        """The difference between the last two values."""
        return self.values[-1] - self.values[-2] if len(self.values) > 1 else 0.0


def write(site: Site) -> Iterator[File]:
    """Yield the page."""
    catalog = site.catalog
    builds, others = _timelines(site)
    yield site.page(
        "runs.html",
        "runs.html",
        loads=catalog.loads,
        reasons=catalog.quarantine_reasons,
        quarantined=sum(catalog.quarantine_reasons.values()),
        records=catalog.quarantined_rows(MOST_ROWS),
        most_characters=MOST_CHARACTERS,
        builds=builds,
        others=others,
        slowest=_slowest(site),
        row_counts=_row_counts(site),
        accuracies=_accuracies(site) if site.has_songs else None,
    )


def node_path(site: Site, unique_id: str) -> str:
    """Return the path of a node's page, empty if the project no longer has the node."""
    return site.once(dag.addresses).get(unique_id, "")


def _timelines(site: Site) -> tuple[Timeline, Timeline]:
    """Return the runs that built or checked something, and the others."""
    catalog = site.catalog
    checks = {one.run_id: one for one in catalog.check_counts}
    built: dict[str, int] = {}
    for node in catalog.node_runs:
        built[node.run_id] = built.get(node.run_id, 0) + (node.status == Status.SUCCESS)

    def timeline(runs: "list[Run]") -> Timeline:
        shown = runs[:MOST_RUNS]
        longest = max((run.seconds for run in shown), default=0.0) or 1.0
        return Timeline(tuple(row(run, longest) for run in shown), len(runs))

    def row(run: "Run", longest: float) -> RunRow:
        found = checks.get(run.run_id) or CheckCounts(run.run_id, 0, 0, 0, 0)
        return RunRow(
            run, bars.share(run.seconds, longest), built.get(run.run_id, 0), found, _checks_bar(found)
        )

    is_build = {run.run_id: run.run_id in built or run.run_id in checks for run in catalog.runs}
    builds = [run for run in catalog.runs if is_build[run.run_id]]
    return timeline(builds), timeline([run for run in catalog.runs if not is_build[run.run_id]])


def _checks_bar(checks: CheckCounts) -> Markup:
    return bars.stacked(
        [(checks.passed, "good"), (checks.warned, "warn"), (checks.failed, "bad"), (checks.skipped, "other")]
    )


def _slowest(site: Site) -> list[NodeRow]:
    """Return the slowest nodes, each in the last run that built it."""
    last: dict[str, NodeRun] = {}
    for node in site.catalog.node_runs:  # newest first
        last.setdefault(node.unique_id, node)
    slowest = sorted(last.values(), key=lambda one: (-one.seconds, one.unique_id))[:MOST_NODES]
    longest = slowest[0].seconds if slowest else 0.0
    return [
        NodeRow(
            _name(one.unique_id),
            node_path(site, one.unique_id),
            one,
            bars.share(one.seconds, longest or 1.0),
        )
        for one in slowest
    ]


def _row_counts(site: Site) -> list[Series]:
    """Return the row counts of models and seeds that are stored, in the last runs that built them."""
    found: dict[str, list[int]] = {}
    for node in site.catalog.node_runs:
        if node.row_count is not None and len(found.setdefault(node.unique_id, [])) < MOST_RUNS:
            found[node.unique_id].append(node.row_count)
    return [
        Series(_name(unique_id), node_path(site, unique_id), tuple(map(float, counts[::-1])), _times(counts))
        for unique_id, counts in sorted(found.items(), key=lambda one: _name(one[0]))
    ]


def _accuracies(site: Site) -> list[Series]:
    """Return the accuracy of each classifier on the songs of its last evaluation, the most accurate first."""
    found: dict[str, list[float]] = {}
    latest: dict[str, PastAccuracy] = {}
    for past in site.catalog.past_accuracies():  # newest first
        newest = latest.setdefault(past.classifier, past)
        if past.data == newest.data:  # other songs or folds cannot be compared
            found.setdefault(past.classifier, []).append(past.accuracy)
    return [
        Series(name, "", tuple(values[::-1]), _times(values), f"{latest[name].songs:,}")
        for name, values in sorted(found.items(), key=lambda one: (-one[1][0], one[0]))
    ]


def _times(values: Sequence[object]) -> str:
    return f"{len(values):,}"


def _name(unique_id: str) -> str:
    """Return a node's name without its type and project."""
    return unique_id.split(".", 2)[-1]
