"""The graph that the report shows: sources, seeds, models, raw files and the steps of the Python layer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from genredb.look.site.filters import slugs
from genredb.runner.graph.nodes import Dataset, Seed, Source
from genredb.songs.tables import ML_TABLES
from genredb.songs.views import PREDICT_VIEW, TRAIN_VIEW

if TYPE_CHECKING:
    from genredb.catalog import Catalog
    from genredb.look.site.frame import Site
    from genredb.runner.graph.compiler import Compilation

# What a node is, as the legend names it, by the class that gives its colour.
KINDS: Mapping[str, str] = {
    "file": "raw file",
    "source": "source",
    "seed": "seed",
    "table": "table",
    "view": "view",
    "python": "Python",
}
_AS_VIEW = ("view", "ephemeral")


@dataclass(frozen=True)
class PageNode:
    """A node with a page: ``kind`` is one of :data:`KINDS`, ``what`` says it in a word.

    ``dataset`` is None for files and steps of the Python layer.
    """

    unique_id: str
    label: str
    kind: str
    what: str
    folder: str
    description: str
    path: str
    parents: tuple[str, ...] = ()
    dataset: Dataset | None = None


@dataclass(frozen=True)
class Step:
    """A command of the Python layer: which nodes it reads and which sources it writes, by unique id."""

    unique_id: str
    name: str
    description: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True)
class Dag:
    """The nodes by unique id, upstream first, and the steps of the Python layer among them."""

    nodes: Mapping[str, PageNode]
    steps: tuple[Step, ...]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each node in the order of all."""
        return {unique_id: place for place, unique_id in enumerate(self.nodes)}

    @cached_property
    def parents(self) -> Mapping[str, tuple[str, ...]]:
        """The unique ids of each node's direct parents."""
        return {unique_id: node.parents for unique_id, node in self.nodes.items()}

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The unique ids of each node's direct children."""
        found: dict[str, list[str]] = {unique_id: [] for unique_id in self.nodes}
        for node in self.nodes.values():
            for parent in node.parents:
                found[parent].append(node.unique_id)
        return {unique_id: tuple(children) for unique_id, children in found.items()}

    def near(self, unique_id: str, steps: int) -> list[str]:
        """Return a node with all that is at most so many steps upstream or downstream, upstream first."""
        found = {unique_id}
        for onward in (self.parents, self.children):
            edge = [unique_id]
            for _ in range(steps):
                edge = [other for one in edge for other in onward[one] if other not in found]
                found.update(edge)
        return sorted(found, key=self.places.__getitem__)


def addresses(site: "Site") -> dict[str, str]:
    """Return the page of each source, seed and model by unique id, of ``python.train``, and of raw files."""
    compilation = site.catalog.compilation
    files = dict.fromkeys(file_id(one.stated_files) for one in compilation.project.loaded_sources)
    names = [*compilation.datasets, *files, *(f"python.{name}" for name in _STEPS)]
    return {name: f"node/{slug}.html" for name, slug in slugs(names).items()}


def file_id(pattern: str) -> str:
    """Return the unique id of a raw file or of the files that match a pattern."""
    return f"file.{pattern}"


def read_dag(catalog: "Catalog") -> Dag:
    """Return the project's graph."""
    compilation = catalog.compilation
    steps = tuple(_steps(compilation))
    try:
        return _dag(compilation, steps)
    except CycleError:  # the features are made of what was learned from them: no picture of one direction
        return _dag(compilation, ())


def _dag(compilation: "Compilation", steps: tuple[Step, ...]) -> Dag:
    written: dict[str, list[str]] = {}
    for step in steps:
        for one in step.writes:
            written.setdefault(one, []).append(step.unique_id)
    nodes = {node.unique_id: node for node in (*_files(compilation), *_of_steps(steps))}
    loaded = {
        source.qualified_name.lower(): file_id(source.stated_files)
        for source in compilation.project.loaded_sources
    }
    for node in compilation.datasets.values():
        parents = [one for one in node.depends_on if one in compilation.datasets and one != node.unique_id]
        if isinstance(node, Source):
            parents += written.get(node.unique_id, ())
            file = loaded.get(node.relation.qualified_name.lower())
            parents += [file] if file and not node.depends_on else []
        nodes[node.unique_id] = _of_dataset(node, tuple(dict.fromkeys(parents)))
    order = TopologicalSorter({unique_id: node.parents for unique_id, node in nodes.items()}).static_order()
    return Dag({unique_id: nodes[unique_id] for unique_id in order}, steps)


def _of_dataset(node: Dataset, parents: tuple[str, ...]) -> PageNode:
    if isinstance(node, Source | Seed):
        kind = what = node.resource_type
    else:
        what = node.materialized
        kind = "view" if what in _AS_VIEW else "table"
    folder = f"source {node.fqn[1]}" if isinstance(node, Source) and len(node.fqn) > 1 else ""
    return PageNode(
        node.unique_id,
        node.label,
        kind,
        what,
        folder or str(PurePosixPath(node.path).parent),
        node.description,
        node.path,
        parents,
        node,
    )


def _files(compilation: "Compilation") -> Iterator[PageNode]:
    into: dict[str, list[str]] = {}
    patterns = set()
    for source in compilation.project.loaded_sources:
        into.setdefault(source.stated_files, []).append(source.qualified_name)
        if source.files and source.files.is_pattern:
            patterns.add(source.stated_files)
    for name, tables in into.items():
        what = "raw files" if name in patterns else "raw file"
        yield PageNode(
            file_id(name), name, "file", what, "raw files", f"Loaded into {', '.join(tables)}.", name
        )


_STEPS: Mapping[str, str] = {
    "train": "Fits the classifier in use on the labelled songs; genredb predict does so first if needed.",
    "predict": "Predicts the genre of every song that has none, with the fitted classifier.",
    "evaluate": "Fits classifiers on some of the labelled songs and tests them on others.",
}


def _steps(compilation: "Compilation") -> Iterator[Step]:
    """Yield the steps whose views the project has and whose tables its models read."""
    views = {node.relation.qualified_name.lower(): i for i, node in compilation.datasets.items()}
    train = views.get(f"features.{TRAIN_VIEW}")
    if train is None:
        return
    own = {table.name for table in ML_TABLES}
    sources = [node for node in compilation.of_type(Source) if node.relation.qualified_name.lower() in own]
    predictions = [one.unique_id for one in sources if one.relation.identifier.lower() == "predictions"]
    fitted = [one.unique_id for one in sources if one.relation.identifier.lower() == "classifiers"]
    others = [one.unique_id for one in sources if one.unique_id not in (*predictions, *fitted)]
    asked = views.get(f"features.{PREDICT_VIEW}")
    if predictions or fitted:
        yield _step("train", [train], fitted)
    if predictions:
        yield _step("predict", ["python.train", *([asked] if asked else [])], predictions)
    if others:
        yield _step("evaluate", [train], others)


def _step(name: str, reads: Iterable[str], writes: Iterable[str]) -> Step:
    return Step(f"python.{name}", name, _STEPS[name], tuple(reads), tuple(writes))


def _of_steps(steps: Sequence[Step]) -> Iterator[PageNode]:
    for step in steps:
        yield PageNode(
            step.unique_id,
            f"genredb {step.name}",
            "python",
            "Python step",
            "Python",
            step.description,
            "",
            step.reads,
        )
