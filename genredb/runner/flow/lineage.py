"""Column lineage of a project: which columns each column comes from, from raw file headers to exports.

Each model's SQL is parsed once, on first use; its upstream relations provide the columns that ``*`` stands
for. Lineage ends at sources and seeds, except for columns whose ``meta`` names the feature views that the
Python layer learned them from (``learned_from: [train]``).
"""

import contextlib
import csv
import functools
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace

from genredb.errors import SqlError, UsageError
from genredb.runner.flow.values import (
    NOTHING,
    ROWS,
    Flow,
    How,
    Obstacle,
    Origin,
    QueryFlow,
    Unresolved,
    UnresolvedError,
    merged,
    own_columns,
)
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Dataset, Model, PythonModel, Seed, Snapshot, Source
from genredb.runner.graph.snapshots import settings_of, snapshot_sql
from genredb.runner.project.files import delimiter, refuse_special
from genredb.runner.templates.relation import Database
from genredb.warehouse.declared import Column

# The roles of columns that a classifier reads.
LEARNED_ROLES = ("label", "group", "feature")


@dataclass(frozen=True, order=True)
class ColumnRef:
    """A column of a relation (``schema.name``), both in lower case; the column :data:`ROWS` is its rows."""

    relation: str
    column: str


@dataclass(frozen=True)
class Edge:
    """How ``source`` contributes to ``target``."""

    target: ColumnRef
    source: ColumnRef
    how: How


class Lineage:
    """The columns of a compiled project; ``database`` provides columns that no file describes.

    The models ``standing`` (unique ids) are taken as they are there, not read by their SQL.
    """

    def __init__(
        self, compilation: Compilation, database: Database | None = None, standing: Container[str] = ()
    ) -> None:
        self.compilation = compilation
        self._database = database
        self._standing = standing
        self._flows: dict[str, QueryFlow] = {}
        self.nodes: dict[str, Dataset] = {
            relation_key(node): node
            for node in compilation.of_type(Dataset)
            # A source may be an alias of a model's relation.
            if not (isinstance(node, Source) and node.depends_on)
        }

    def flow(self, relation: str) -> QueryFlow:
        """Return the flow of a relation's columns and rows."""
        if relation not in self._flows:
            node = self.nodes[relation]
            if isinstance(node, Model) and node.unique_id not in self._standing:
                made = self._model(node)
            else:
                made = self._root(node)
            self._flows[relation] = made
        return self._flows[relation]

    def read(self, sql: str) -> QueryFlow:
        """Return the flow of a query over the project's relations."""
        from genredb.runner.flow.query import query_flow  # noqa: PLC0415 - sqlglot is slow to import

        return query_flow(sql, self._columns)

    def origins(self, ref: ColumnRef) -> frozenset[Origin]:
        """Return the direct origins of a column or of a relation's rows."""
        flow = self.flow(ref.relation)
        found = flow.rows if ref.column == ROWS else flow.column(ref.column)
        return found.origins if found else NOTHING

    def problem(self, ref: ColumnRef) -> Unresolved | None:
        """Return why the origins of a column are unknown, or None."""
        flow = self.flow(ref.relation)
        is_missing = ref.column != ROWS and flow.column(ref.column) is None
        return flow.unresolved or (Unresolved(Obstacle.NO_COLUMN, ref.column) if is_missing else None)

    def upstream(self, start: ColumnRef) -> list[Edge]:
        """Return all edges upstream of a column, nearest first; the rows of relations are not followed."""
        return _walk(start, lambda ref: (Edge(ref, s, how) for s, how in self._sources(ref)), "source")

    def downstream(self, start: ColumnRef) -> list[Edge]:
        """Return all edges downstream of a column, nearest first."""
        return _walk(start, lambda ref: iter(self._targets.get(ref, ())), "target")

    def edges(self) -> Iterator[Edge]:
        """Yield every edge between two columns of the project once."""
        for found in self._targets.values():
            yield from found

    def find(self, text: str) -> tuple[Dataset, ColumnRef | None]:
        """Return the relation of ``NAME`` or ``NAME.COLUMN``, and the column if one is named.

        UsageError with a suggestion if it does not exist.
        """
        asked = text.lower()
        named = [(name.lower(), relation) for relation, n in self.nodes.items() for name in self._names(n)]
        found = max(
            ((name, r) for name, r in named if asked == name or asked.startswith(f"{name}.")),
            default=None,
            key=lambda pair: (len(pair[0]), not isinstance(self.nodes[pair[1]], Source)),
        )
        if found is None:
            known = [node.label for node in self.nodes.values()]
            missing = text.rpartition(".")[0] or text
            raise UsageError(f"There is no relation '{missing}'", name=missing, choices=known)
        name, relation = found
        column = asked[len(name) + 1 :].strip('"')
        if not column:
            return self.nodes[relation], None
        columns = self.flow(relation).columns
        by_header = {header: own for own, header in self.headers(relation).items()}
        column = column if column in columns else by_header.get(column, column)
        if column not in columns:
            label = self.nodes[relation].label
            raise UsageError(f"{label} has no column '{column}'", name=column, choices=columns)
        return self.nodes[relation], ColumnRef(relation, column)

    def columns(self, node: Dataset) -> list[ColumnRef]:
        """Return the columns of a node's relation, in order."""
        relation = relation_key(node)
        return [ColumnRef(relation, column) for column in self.flow(relation).columns]

    def file_column(self, ref: ColumnRef) -> tuple[str, str] | None:
        """Return the raw file and header that a column is loaded from, or None."""
        node = self.nodes[ref.relation]
        if isinstance(node, Seed):
            return node.path, self.display(ref)
        source = next(
            (s for s in self.compilation.project.loaded_sources if s.qualified_name.lower() == ref.relation),
            None,
        )
        if source is None:
            return None
        column = next((c for c in source.columns if c.name.lower() == ref.column), None)
        if column is not None and column.filled_with is not None:
            return None
        return source.stated_files, self.display(ref) if column is None else column.header

    def headers(self, relation: str) -> dict[str, str]:
        """Return the file header, in lower case, of each column that has one."""
        found = {ref.column: self.file_column(ref) for ref in self.columns(self.nodes[relation])}
        return {column: named[1].lower() for column, named in found.items() if named}

    def label(self, ref: ColumnRef) -> str:
        """Return the display name of a column: its relation's label and its name."""
        node = self.nodes[ref.relation]
        return f"{node.label}.{self.display(ref)}"

    def display(self, ref: ColumnRef) -> str:
        """Return a column's name as the project spells it."""
        columns = self.nodes[ref.relation].columns
        return next((c.name for c in columns if c.name.lower() == ref.column), ref.column)

    @staticmethod
    def _names(node: Dataset) -> Iterator[str]:
        yield from (node.name, node.label)
        if not node.relation.is_cte:
            yield node.relation.qualified_name
        if isinstance(node, Source):
            yield ".".join(node.fqn[1:])
            meta = node.config.get("meta") or {}
            yield str(meta.get("file") or meta.get("files") or node.label)

    def _sources(self, ref: ColumnRef) -> Iterator[tuple[ColumnRef, How]]:
        for origin in sorted(self.origins(ref)):
            if origin.column != ROWS:
                yield ColumnRef(origin.relation, origin.column), origin.how

    @functools.cached_property
    def _targets(self) -> Mapping[ColumnRef, list[Edge]]:
        found: dict[ColumnRef, list[Edge]] = {}
        for relation in self.nodes:
            for column in self.flow(relation).columns:
                target = ColumnRef(relation, column)
                for source, how in self._sources(target):
                    found.setdefault(source, []).append(Edge(target, source, how))
        return found

    def _columns(self, relation: str, catalog: str) -> QueryFlow:
        """Return a relation's columns as seen by a query that reads them."""
        if catalog not in ("", self.compilation.project.config.database_name.lower()):
            relation = f"{catalog}.{relation}"
            if relation not in self.nodes:
                raise UnresolvedError(Obstacle.OTHER_DATABASE, relation)
        if relation not in self.nodes:
            raise UnresolvedError(Obstacle.NO_NODE, relation)
        flow = self.flow(relation)
        if not flow.columns:
            why = flow.unresolved or Unresolved(Obstacle.NO_COLUMNS, self.nodes[relation].label)
            raise UnresolvedError(why.obstacle, why.subject)
        return own_columns(relation, flow.columns)

    def _model(self, node: Model) -> QueryFlow:
        reason = Unresolved(Obstacle.CALLS, node.dynamic) if node.dynamic else None
        reason = reason or (Unresolved(Obstacle.HOOKS) if any(node.hooks) else None)
        if isinstance(node, PythonModel):
            return replace(self._root(node), unresolved=reason)
        try:
            sql = snapshot_sql(settings_of(node), node.sql) if isinstance(node, Snapshot) else node.sql
            flow = self.read(sql)
            if node.incremental_sql:
                self._flows[relation_key(node)] = flow  # it reads itself
                flow = merged(flow, self.read(node.incremental_sql))
        except UnresolvedError as error:
            return replace(self._root(node), unresolved=error.unresolved)
        return replace(flow, unresolved=reason)

    def _root(self, node: Dataset) -> QueryFlow:
        """Return the flow of a relation that no query of the project creates."""
        learned = {column.name.lower(): self._learned(column) for column in node.columns}
        has_hooks = any(node.config.get(key) for key in ("pre-hook", "post-hook"))
        return QueryFlow(
            {name: Flow(learned.get(name, NOTHING)) for name in self._stated_columns(node)},
            unresolved=Unresolved(Obstacle.HOOKS) if has_hooks else None,
        )

    def _learned(self, column: Column) -> frozenset[Origin]:
        """Return the columns of feature views from which a classifier computed a column."""
        found = [self.compilation.find(str(view)) for view in column.meta.get("learned_from") or ()]
        views = [view for view in found if isinstance(view, Dataset)]
        return frozenset(
            Origin(relation_key(view), part.name.lower(), How.CLASSIFIER)
            for view in views
            for part in view.columns
            if part.role in LEARNED_ROLES
        )

    def _stated_columns(self, node: Dataset) -> list[str]:
        if isinstance(node, Seed):
            seed = self.compilation.project.seeds[node.unique_id]
            separator = delimiter(node.config.get("delimiter"), node.path)
            refuse_special(seed.file)
            try:
                with seed.file.open(encoding="utf-8-sig", newline="") as lines:
                    header = next(csv.reader(lines, delimiter=separator), [])
            except (UnicodeDecodeError, csv.Error):
                return []  # a build reports its fault
            return [name.strip().lower() for name in header if name.strip()]
        relation = node.relation
        is_there = (
            self._database is not None
            and relation.schema is not None
            and self._database.relation_type(relation)
        )
        if self._database is not None and is_there:
            with contextlib.suppress(SqlError):  # a view of what is gone
                return [name.lower() for name, _ in self._database.columns(str(relation))]
        return [column.name.lower() for column in node.columns]


def relation_key(node: Dataset) -> str:
    """Return ``schema.name`` of a node's relation in lower case, or an ephemeral model's CTE name."""
    relation = node.relation
    return (relation.identifier if relation.is_cte else relation.qualified_name).lower()


def _walk(start: ColumnRef, edges_of: Callable[[ColumnRef], Iterator[Edge]], end: str) -> list[Edge]:
    """Return all reachable edges, each once; ``end`` is the side of an edge to continue from."""
    edges: list[Edge] = []
    seen = {start}
    waiting = deque([start])
    while waiting:
        for edge in edges_of(waiting.popleft()):
            edges.append(edge)
            ref: ColumnRef = getattr(edge, end)
            if ref not in seen:
                seen.add(ref)
                waiting.append(ref)
    return edges
