"""Reads a parsed query: how its columns and rows are tied to those of the relations it reads.

It is walked once, upstream first. Whatever is not known here is an UnknownError, never a guess.
"""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from genredb.runner.flow.clauses import reads_name, relation_name, semi_joined, subqueries
from genredb.runner.flow.expression import has_aggregate
from genredb.runner.flow.hindrance import Hindrance, UnknownError
from genredb.runner.flow.joins import Join, Joined, Pair, joined, started
from genredb.runner.flow.parsed import parsed, refuse_rowid
from genredb.runner.flow.relation import place
from genredb.runner.flow.tied_columns import all_columns, columns_of, seen_by, tied_of
from genredb.runner.flow.ties import (
    UNTIED,
    Part,
    Tied,
    grouped,
    hidden,
    mingled,
    relation_part,
    settled,
    union,
    used,
)


@dataclass(frozen=True)
class Known:
    """What is known of the relations that a query may read, by ``schema.name`` in lower case.

    ``names`` are their names in its SQL, ``columns`` their columns in order, in lower case, with their types
    if these are known. ``views`` is the SQL of those that count as a part of the query. ``macros`` are the
    functions that the database itself defines.
    """

    names: Mapping[str, str]
    columns: Mapping[str, Sequence[str] | Mapping[str, str]]
    views: Mapping[str, str] = field(default_factory=dict)
    macros: Collection[str] = ()


# Types whose values are equal only if they are the same number, written in one way.
_INTEGERS = frozenset(f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE"))
_INTEGERS |= {"INTEGER", "UINTEGER"}


class Reader:
    """Walks a parsed query, upstream first."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._joins = itertools.count()
        self.times: Counter[str] = Counter()  # how often each relation is read, also by views
        self._named: Counter[str] = Counter()  # how often the text at hand names each relation

    def text(self, sql: str, *, is_check: bool = False) -> Part:
        """Return the part of a query by its text; that of a check has the columns of what it reads, too."""
        before, self._named = self._named, Counter()
        query = parsed(sql, frozenset(self._known.macros))
        schemas = {relation.partition(".")[0] for relation in self._known.names}
        if any(column.db.lower() in schemas for column in query.find_all(exp.Column)):
            raise UnknownError(Hindrance.FORM, "a column with its schema")  # a part of it is in another
        part = self.query(query, {}, is_check=is_check)
        for relation, times in sorted(self._named.items()):
            if sql.count(self._known.names[relation]) != times:
                raise UnknownError(Hindrance.NAMES, relation)
        self._named = before
        refuse_rowid(part.columns)
        return part

    def query(self, node: exp.Expr, around: Mapping[str, Part], *, is_check: bool = False) -> Part:
        """Return the part of a query of any kind; ``around`` are the CTEs in scope."""
        ctes = dict(around)
        with_ = node.args.get("with_")
        for cte in with_.expressions if with_ else ():
            if with_ and with_.recursive and reads_name(cte, cte.alias):
                raise UnknownError(Hindrance.FORM, "a recursive CTE")
            ctes[cte.alias.lower()] = self.query(cte.this, ctes).renamed(cte.alias_column_names)
        if isinstance(node, exp.Select):
            part = self._select(node, ctes, is_check=is_check)
        elif isinstance(node, exp.Union):
            left, right = self.query(node.this, ctes), self.query(node.expression, ctes)
            part = union(left, right, by_name=bool(node.args.get("by_name")))
            if node.args.get("distinct") is not False:
                part = replace(settled(part), by_row=frozenset())
        elif isinstance(node, exp.Subquery):
            part = self.query(node.this, ctes)
        elif isinstance(node, exp.Table):
            part = self._table(node, ctes)
        else:
            raise UnknownError(Hindrance.FORM, node.key.upper())
        if any(node.args.get(key) for key in ("limit", "offset", "fetch", "sample")):
            part = mingled(part)
        return part

    def _table(self, node: exp.Expr, ctes: Mapping[str, Part]) -> Part:
        if node.args.get("pivots") or node.args.get("sample") or node.args.get("joins"):
            raise UnknownError(Hindrance.FORM, "PIVOT, TABLESAMPLE or a join in parentheses")
        if isinstance(node, exp.Subquery):
            return self.query(node, ctes).renamed(node.alias_column_names)
        if not isinstance(node, exp.Table) or isinstance(node.this, exp.Func):
            raise UnknownError(Hindrance.FORM, "a table function or LATERAL")
        name = node.name.lower()
        if not node.db and name in ctes:
            return ctes[name].renamed(node.alias_column_names)
        return self._relation(relation_name(node)).renamed(node.alias_column_names)

    def _relation(self, relation: str) -> Part:
        known = self._known
        if relation not in known.names:
            raise UnknownError(Hindrance.NAMES, relation)
        self.times[relation] += 1
        self._named[relation] += 1
        refuse_rowid(known.columns[relation])
        if relation not in known.views:
            return relation_part(relation, known.columns[relation])
        part = self.text(known.views[relation])
        if list(part.columns) != list(known.columns[relation]):
            raise UnknownError(Hindrance.FORM, "a column without a name")
        return part

    def _select(self, node: exp.Select, ctes: Mapping[str, Part], *, is_check: bool = False) -> Part:
        for clause in ("laterals", "pivots", "windows", "sample"):
            if node.args.get(clause):
                raise UnknownError(Hindrance.FORM, "LATERAL, PIVOT, WINDOW or TABLESAMPLE")
        node = semi_joined(node)
        from_ = node.args.get("from_")
        if from_ is None:
            return self._inside(node, Part(columns_of(node, None)), ctes)
        here = started(from_.this.alias_or_name.lower(), self._table(from_.this, ctes))
        for join in node.args.get("joins") or ():
            here = self._join(here, join, ctes)
        columns = columns_of(node, here)
        shown = columns if node.args.get("distinct") or not is_check else {**all_columns(here), **columns}
        part = self._inside(node, replace(here.part, columns=shown), ctes)
        part = used(part, _read_columns(_evaluated(node, here), here, columns))
        return _shaped(node, part, here)

    def _join(self, here: Joined, join: exp.Join, ctes: Mapping[str, Part]) -> Joined:
        right, name = self._table(join.this, ctes), join.this.alias_or_name.lower()
        if join.method or name in here.names:
            raise UnknownError(Hindrance.FORM, f"a {join.method} join")
        if join.args.get("using"):
            raise UnknownError(Hindrance.FORM, "USING")
        kind = (join.side or join.kind or "INNER").lower()
        kind = {"cross": "inner"}.get(kind, kind)
        on = join.args.get("on")
        pairs = [pair for pair in _pairs(on, here, name, right) if self._is_same_type(pair, here, right)]
        after = joined(here, Join(name, right, kind, pairs, next(self._joins)))
        if on is None:
            return after
        part = used(self._inside(on, after.part, ctes), _read_columns([on], here, {}))
        return replace(after, part=part)

    def _is_same_type(self, pair: Pair, here: Joined, right: Part) -> bool:
        """Return True if columns are equal by values of one type: of a number, '1' and '01' are both equals.

        Of a column that is computed the type is not known.
        """
        (table, column), other = pair
        found: set[str] = set()
        for tied in (here.names[table][column], right.columns[other]):
            known = [(self._known.columns[tie.relation], tie.column) for tie in tied.equal | tied.bound]
            types = {columns[name] if isinstance(columns, Mapping) else "" for columns, name in known}
            found |= types or {"?"}
        return len({"integer" if type_ in _INTEGERS else type_ for type_ in found}) < 2

    def _inside(self, node: exp.Expr | None, part: Part, ctes: Mapping[str, Part]) -> Part:
        """Return a part whose expressions read queries."""
        for query in subqueries(node):
            part = hidden(part, self.query(query, ctes))
        return part


def _shaped(node: exp.Select, part: Part, here: Joined) -> Part:
    """Apply what a SELECT does to rows besides joining and filtering them."""
    group = node.args.get("group")
    clauses = [*node.expressions, node.args.get("having"), node.args.get("qualify"), node.args.get("order")]
    keys = list(_group_keys(node, group, here)) if group is not None else []
    if keys:
        part = grouped(used(part, keys), keys)
    elif group is not None or any(has_aggregate(clause) for clause in clauses if clause is not None):
        return replace(mingled(part), drivers=None, mixed=part.reads)
    makes_rows = [one for one in node.expressions if one.find(exp.Explode, exp.Unnest)]
    for clause in [*makes_rows, node.args.get("qualify")]:
        if clause is not None:
            part = used(part, [Tied(sees=sees) for sees in seen_by(clause, here)])
    distinct = node.args.get("distinct")
    if distinct is not None:
        if distinct.args.get("on") is not None:
            raise UnknownError(Hindrance.FORM, "DISTINCT ON")
        part = replace(settled(part), by_row=frozenset())
    return part


def _evaluated(node: exp.Select, here: Joined) -> Iterator[exp.Expr]:
    """Yield the expressions of a SELECT that compute something: all but plain columns of what it reads."""
    for clause in ("where", "group", "having", "qualify"):
        if node.args.get(clause) is not None:
            yield node.args[clause]
    for one in node.expressions:
        inside = one.unalias()
        star = isinstance(inside, exp.Star) or isinstance(inside.this, exp.Star)
        if not star and (not isinstance(inside, exp.Column) or _place(inside, here) is None):
            yield one


def _read_columns(nodes: Iterable[exp.Expr], here: Joined, columns: Mapping[str, Tied]) -> Iterator[Tied]:
    """Yield the columns that expressions read, which may be columns of the same SELECT."""
    for column in (column for node in nodes for column in node.find_all(exp.Column)):
        if isinstance(column.this, exp.Star):
            continue
        found = _place(column, here)
        if found:
            yield here.names[found[0]][found[1]]
        else:  # perhaps a whole row
            yield from all_columns(here).values()
        if not column.table and column.name.lower() in columns:  # perhaps a column of the same SELECT
            yield columns[column.name.lower()]


def _place(column: exp.Column, here: Joined) -> tuple[str, str] | None:
    return here.place(column.table.lower(), column.name.lower())


def _group_keys(node: exp.Select, group: exp.Group, here: Joined) -> Iterator[Tied]:
    if any(group.args.get(sets) for sets in ("rollup", "cube", "grouping_sets")):
        raise UnknownError(Hindrance.FORM, "grouping sets")
    if group.args.get("all"):
        yield from (tied_of(p.unalias(), here) for p in node.expressions if not has_aggregate(p))
        return
    aliases = {p.alias.lower(): p.this for p in node.expressions if isinstance(p, exp.Alias)}
    for key in group.expressions:
        if isinstance(key, exp.Tuple) and not key.expressions:
            continue  # group by () has no key
        number = place(key)
        named = key if number is None else node.expressions[number].unalias()
        if tied_of(named, here) is UNTIED and isinstance(named, exp.Column) and not named.table:
            named = aliases.get(named.name.lower(), named)
        yield tied_of(named, here)


def _pairs(on: exp.Expr | None, here: Joined, name: str, right: Part) -> Iterator[Pair]:
    """Yield the columns that a join condition says are equal, of the relations before and of the new one."""
    conditions = on.flatten() if isinstance(on, exp.And) else [on]
    for condition in conditions:
        equation = condition.unnest() if condition is not None else None
        if not isinstance(equation, exp.EQ | exp.NullSafeEQ):
            continue
        sides = (equation.this, equation.expression)
        for own, other in (sides, sides[::-1]):
            if not (isinstance(own, exp.Column) and isinstance(other, exp.Column)):
                continue
            found = here.place(own.table.lower(), own.name.lower())
            is_right = other.table.lower() == name or (
                not other.table and here.place("", other.name.lower()) is None
            )
            if found and is_right and other.name.lower() in right.columns and own.table.lower() != name:
                yield found, other.name.lower()
