"""The flow of the columns and rows of one SELECT."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlglot import exp

from genredb.runner.flow.expression import Scope, expanded, expression_flow, has_aggregate
from genredb.runner.flow.relation import limits, ordered, place, table
from genredb.runner.flow.values import (
    NOTHING,
    Flow,
    How,
    Obstacle,
    QueryFlow,
    UnresolvedError,
    ordered_as_filter,
    together,
)
from genredb.runner.graph.identity import digest


class Select:
    """One SELECT: first its relations and joins, then its rows, then its columns."""

    def __init__(self, node: exp.Select, scope: Scope) -> None:
        self._node = node
        self._scope = replace(scope, sources={}, aliases={})
        self._rows: list[Flow] = []  # what determines which rows exist
        self._keys: list[Flow] = []  # the GROUP BY keys
        self._is_total = False  # an aggregate over all rows

    def flow(self) -> QueryFlow:
        """Return the flow of the columns and rows."""
        node, scope = self._node, self._scope
        if node.args.get("pivots"):
            raise UnresolvedError(Obstacle.COLUMNS_OF, "PIVOT and UNPIVOT")
        from_ = node.args.get("from_")
        if from_ is not None:
            self._add(from_.this)
        for join in node.args.get("joins") or ():
            self._join(join)
        for lateral in node.args.get("laterals") or ():
            self._add(lateral)
        self._aliases_ahead()
        for clause in ("where", "qualify"):
            self._correlate(node.args.get(clause))
        self._decide(node.args.get("where"), How.FILTER)
        for projection in node.expressions:
            if projection.find(exp.Unnest, exp.Explode):  # one row per element
                self._rows.append(Flow().influenced(self._projected(projection), How.FILTER))
        seen = together([*(source.rows for source in scope.sources.values()), *self._rows, self._clauses()])
        columns = self._columns(seen)
        scope.aliases = dict(columns)
        return self._ended(columns, seen)

    def _ended(self, columns: dict[str, Flow], seen: Flow) -> QueryFlow:
        """Apply the clauses after the columns: HAVING, QUALIFY, DISTINCT, ORDER BY, LIMIT."""
        node, scope = self._node, self._scope
        self._rows = []
        for clause in ("having", "qualify"):
            self._decide(node.args.get(clause), How.FILTER)
        order = list(ordered(node, scope))
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            text = Flow(NOTHING, str(node.args.get("order")))
            chosen = together(
                [
                    seen,
                    text,
                    *order,
                    *(expression_flow(key, scope) for key in distinct.args["on"].expressions),
                ]
            )
            columns = {name: flow.influenced(chosen, How.DISTINCT) for name, flow in columns.items()}
        if distinct is not None:
            self._rows += [Flow().influenced(flow, How.DISTINCT) for flow in columns.values()]
        limited = limits(node, scope)
        how = How.FILTER if limited.definition else How.ORDER
        seen = ordered_as_filter(seen) if limited.definition else seen
        self._rows += [Flow().influenced(flow, how) for flow in (*order, limited) if flow.definition]
        keys = [Flow().influenced(key, How.GROUP) for key in self._keys]
        decided = [*([] if self._is_total else [seen]), *keys, *self._rows]
        return QueryFlow(columns, together(decided) if decided else Flow(definition="one row"))

    def _add(self, node: exp.Expr) -> list[str]:
        """Add a relation after FROM or JOIN to the scope; return its names there."""
        scope = self._scope
        if isinstance(node, exp.Subquery) and not node.alias and isinstance(node.this, exp.Table):
            names = self._add(node.this)  # (a join b)
            for join in node.args.get("joins") or ():
                names += self._join(join)
            return names
        if isinstance(node, exp.Lateral | exp.Unnest):
            inside = node.this if isinstance(node, exp.Lateral) else node
            is_query = isinstance(inside, exp.Query)
            found = scope.follow(inside, scope) if is_query else self._unnested(inside)
            found = found.influenced(found.rows, How.ROWS) if is_query else found
            found = found.renamed(node.alias_column_names)
        elif isinstance(node, exp.Table):
            found = table(node, scope)
        else:
            # A subquery after FROM may refer to earlier relations, as if it were LATERAL.
            found = scope.follow(node, scope).renamed(getattr(node, "alias_column_names", ()))
            if scope.sources:
                found = found.influenced(found.rows, How.ROWS)
        name = node.alias_or_name.lower() or f"unnamed {len(scope.sources)}"
        scope.sources[name] = found
        names = [name]
        for join in node.args.get("joins") or () if isinstance(node, exp.Table) else ():
            names += self._join(join)
        return names

    def _unnested(self, node: exp.Expr) -> QueryFlow:
        made = expression_flow(node, self._scope)
        return QueryFlow({}, rows=made, every_name=made)

    def _join(self, join: exp.Join) -> list[str]:
        """Add a joined relation; the join condition determines which of its rows match."""
        scope = self._scope
        before = list(scope.sources)
        names = self._add(join.this)
        shared = self._shared(join, before, names)
        conditions = [
            scope.sources[name].columns[key]
            for name in (*before, *names)
            for key in shared
            if key in scope.sources[name].columns
        ]
        if join.args.get("on") is not None:
            conditions.append(expression_flow(join.args["on"], scope))
        if join.method == "POSITIONAL":
            conditions += [scope.sources[name].rows for name in (*before, *names)]
        on = Flow().influenced(together(conditions), How.JOIN) if conditions else Flow()
        self._rows.append(on)
        if join.kind in ("SEMI", "ANTI"):
            self._rows += [scope.sources.pop(name).rows for name in names]
            return []
        matched = dict.fromkeys(names, join.side in ("LEFT", "FULL"))
        if join.side in ("RIGHT", "FULL"):
            matched |= dict.fromkeys(before, True)
        for name, may_be_missing in matched.items():
            source = scope.sources[name]
            decided = together([on, source.rows]) if may_be_missing else on
            if decided.definition:
                scope.sources[name] = source.influenced(decided, How.ROWS)
        return names

    def _shared(self, join: exp.Join, before: Iterable[str], names: Iterable[str]) -> list[str]:
        """Return the columns of ``using``, or the common ones of a natural join."""
        if join.method != "NATURAL":
            return [key.name.lower() for key in join.args.get("using") or ()]
        left = {column for name in before for column in self._scope.sources[name].columns}
        return [c for name in names for c in self._scope.sources[name].columns if c in left]

    def _correlate(self, clause: exp.Expr | None) -> None:
        """Treat a condition on several relations as a join condition."""
        if clause is None or len(self._scope.sources) < 2:
            return
        for condition in clause.this.flatten() if isinstance(clause.this, exp.And) else [clause.this]:
            named = {name for column in condition.find_all(exp.Column) for name in self._sources_of(column)}
            if len(named) > 1:
                on = Flow().influenced(expression_flow(condition, self._scope), How.JOIN)
                for name in list(self._scope.sources)[1:]:
                    if name in named:
                        self._scope.sources[name] = self._scope.sources[name].influenced(on, How.JOIN)

    def _sources_of(self, column: exp.Column) -> list[str]:
        """Return the relations here that a column may belong to."""
        sources = self._scope.sources
        if column.table:
            return [column.table.lower()] if column.table.lower() in sources else []
        name = column.name.lower()
        own = [alias for alias, source in sources.items() if name in source.columns]
        return own or [alias for alias, source in sources.items() if source.every_name is not None]

    def _projected(self, projection: exp.Expr) -> Flow:
        return expression_flow(projection.unalias(), self._scope)

    def _clauses(self) -> Flow:
        """Return a digest of the clauses that determine the rows, so that a change changes the definition."""
        names = ("where", "group", "having", "qualify", "distinct", "sample")
        found = [self._node.args[name].sql("duckdb") for name in names if self._node.args.get(name)]
        found += [f"{j.method} {j.side} {j.kind}" for j in self._node.args.get("joins") or ()]
        found += [s.sql("duckdb") for s in self._node.find_all(exp.TableSample)]
        return Flow(NOTHING, digest(*found)) if found else Flow()

    def _decide(self, clause: exp.Expr | None, how: How) -> None:
        if clause is not None:
            self._rows.append(Flow().influenced(expression_flow(clause.this, self._scope), how))

    def _aliases_ahead(self) -> None:
        """Let columns, WHERE and GROUP BY refer to a column alias defined anywhere in the SELECT."""
        waiting = [p for p in self._node.expressions if isinstance(p, exp.Alias)]
        while waiting:
            left = []
            for projection in waiting:
                try:
                    self._scope.aliases[projection.alias.lower()] = expression_flow(
                        projection.this, self._scope
                    )
                except UnresolvedError:
                    left.append(projection)
            if len(left) == len(waiting):
                return  # reported when the column itself is analyzed
            waiting = left

    def _columns(self, seen: Flow) -> dict[str, Flow]:
        """Return the flow of each column; ``seen`` is what determines the rows they are computed from."""
        node, scope = self._node, self._scope
        group = node.args.get("group")
        is_grouped = group is not None or any(
            has_aggregate(part)
            for part in (*node.expressions, node.args.get("having"), node.args.get("order"))
            if part is not None
        )
        self._is_total = is_grouped and group is None
        if group is not None:
            self._keys = list(self._group_keys(group))
        having = node.args.get("having")
        left = [Flow().influenced(expression_flow(having.this, scope), How.FILTER)] if having else []
        windows = [expression_flow(window, scope) for window in node.args.get("windows") or ()]
        columns: dict[str, Flow] = {}
        for projection in node.expressions:
            inside = projection.unalias()
            if _is_star(inside):
                columns |= expanded(inside, scope)
                continue
            flow = expression_flow(inside, scope)
            has_window = inside.find(exp.Window) is not None
            if (is_grouped and has_aggregate(inside)) or has_window:
                flow = flow.influenced(together([seen, *windows, *left]) if has_window else seen, How.ROWS)
                for key in self._keys:
                    flow = flow.influenced(key, How.GROUP)
            name = _name(projection)
            columns[name] = together([columns[name], flow]) if name in columns else flow
        return columns

    def _group_keys(self, group: exp.Expr) -> Iterator[Flow]:
        if group.args.get("all"):
            for projection in self._node.expressions:
                inside = projection.unalias()
                if _is_star(inside):
                    yield from expanded(inside, self._scope).values()
                elif not has_aggregate(projection):
                    yield expression_flow(inside, self._scope)
            return
        for key in group.expressions:
            number = place(key)
            named = key if number is None else self._node.expressions[number].unalias()
            yield expression_flow(named, self._scope)
        for sets in ("rollup", "cube", "grouping_sets"):
            for part in group.args.get(sets) or ():
                yield expression_flow(part, self._scope)


def _is_star(node: exp.Expr) -> bool:
    """Return True for ``*`` or ``t.*``; the star of ``count(*)`` does not stand for columns."""
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _name(projection: exp.Expr) -> str:
    """Return the name of a column; without an alias it is the expression itself."""
    return (projection.alias or projection.output_name or projection.sql("duckdb")).lower()
