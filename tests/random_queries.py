"""Writes random queries over two relations, whose columns are all texts, as models of a project might be."""

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

RELATIONS: Mapping[str, Sequence[str]] = {
    "main.sales": ("id", "shop", "item", "amount"),
    "main.shops": ("shop", "city"),
}
JOINS = ("join", "join", "left join", "left join", "right join", "full join", "semi join", "anti join")
UNIONS = ("union all", "union all", "union", "except", "intersect")
T = TypeVar("T")
Written = tuple[str, list[str]]  # a query and the names of its columns


def in_sql(relation: str) -> str:
    """Return the name of a relation (``schema.name``) in the queries."""
    return '"db"."main"."{}"'.format(relation.removeprefix("main."))


class Writer:
    """Writes queries; no result depends on the order of rows, but for what the language itself leaves open."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._names = 0

    def query(self, depth: int) -> Written:
        """Write a query of some depth of nesting."""
        text, columns = self._select(depth)
        if self._happens(0.18):
            other, others = self._select(depth - 1)
            width = min(len(columns), len(others))
            sides = [
                f"select {', '.join(names[:width])} from ({sql}) as {self._name()}"
                for sql, names in ((text, columns), (other, others))
            ]
            text, columns = f" {self._one(UNIONS)} ".join(sides), columns[:width]
        if self._happens(0.15):
            name = self._name()
            text = f"with {name} as ({text}) select * from {name}"
        return text, columns

    def _select(self, depth: int) -> Written:
        text, scope, first = self._from(depth)
        where = " and ".join(self._condition(scope) for _ in range(self._one((1, 1, 2))))
        text += f" where {where}" if self._happens(0.2) else ""
        return self._grouped(text, scope) if self._happens(0.3) else self._plain(text, scope, first, depth)

    def _plain(self, text: str, scope: list[str], first: str, depth: int) -> Written:
        items: list[str] = []
        names: list[str] = []
        plain = [column.partition(".")[2] for column in scope]
        if self._happens(0.2) and len({*plain}) == len(plain):
            star = self._one(("*", f"{first}.*"))
            items.append(star)
            names += [c.partition(".")[2] for c in scope if star == "*" or c.startswith(f"{first}.")]
        own: list[str] = []
        for _ in range(self._one((1, 2, 3, 4))):
            value, name = self._value(scope, depth, own), self._name()
            items.append(f"{value} as {name}")
            own.append(name)
        distinct = "distinct " if self._happens(0.1) else ""
        qualify = f" qualify {self._window(scope)} > '1'" if self._happens(0.08) else ""
        return f"select {distinct}{', '.join(items)} from {text}{qualify}", names + own

    def _grouped(self, text: str, scope: list[str]) -> Written:
        keys = [
            (self._value(scope, 0) if self._happens(0.25) else self._one(scope), self._name())
            for _ in range(self._one((0, 1, 1, 2)))
        ]
        named = [*keys, *((self._aggregate(scope), self._name()) for _ in range(self._one((1, 2))))]
        if not keys:
            group = self._one(("", " group by ()", " group by all"))
        else:
            numbers = [str(number) for number in range(1, len(keys) + 1)]
            stated = (["all"], numbers, [name for _, name in keys], [sql for sql, _ in keys])
            group = f" group by {', '.join(self._one(stated))}"
        having = " having count(*) > 1" if group and self._happens(0.2) else ""
        items = ", ".join(f"{sql} as {name}" for sql, name in named)
        return f"select {items} from {text}{group}{having}", [name for _, name in named]

    def _from(self, depth: int) -> tuple[str, list[str], str]:
        """Return a FROM clause, the columns that it offers, and its first name."""
        text, scope, first = self._relation(depth)
        for _ in range(self._one((0, 0, 0, 0, 1, 1, 2))):
            other, right, _ = self._relation(depth - 1)
            if self._happens(0.05):
                text += f" cross join {other}"
                scope = scope + right
                continue
            kind, equal = self._one(JOINS), self._one(("=", "=", "is not distinct from"))
            on = [f"{self._one(scope)} {equal} {self._one(right)}" for _ in range(self._one((1, 1, 2)))]
            on += [self._condition(right)] if self._happens(0.15) else []
            text += f" {kind} {other} on {' and '.join(on)}"
            scope = scope if kind in ("semi join", "anti join") else scope + right
        return text, scope, first

    def _relation(self, depth: int) -> tuple[str, list[str], str]:
        name = self._name()
        if depth <= 0 or self._happens(0.45):
            relation = self._one([*RELATIONS])
            text, columns = in_sql(relation), list(RELATIONS[relation])
        else:
            query, columns = self.query(depth - 1)
            text = f"({query})"
        return f"{text} as {name}", [f"{name}.{column}" for column in columns], name

    def _value(self, scope: Sequence[str], depth: int, own: Sequence[str] = ()) -> str:
        """Return an expression; ``own`` are columns of the same SELECT."""
        if own and self._happens(0.3):
            return self._one(own)
        one, other = self._one(scope), self._one(scope)
        values = [one] * 12 + [self._window(scope)] * 4
        values += [f"upper({one})", f"coalesce({one}, 'z')", f"({one} || {other})", f"nullif({one}, {other})"]
        values += [f"case when {one} < 'b' then {other} else {one} end", "'k'", f"{{'f': {one}}}.f"]
        values += [f"{one.partition('.')[0]}::varchar"]  # a whole row
        values += [self._scalar(scope)] if depth > 0 else []
        return self._one(values)

    def _window(self, scope: Sequence[str]) -> str:
        one = self._one(scope)
        function = self._one(("count(*)", f"max({one})", f"min({one})", f"count(distinct {one})", "rank()"))
        keys = self._random.sample(scope, min(len(scope), self._one((0, 1, 1, 1, 2))))
        over = f"partition by {', '.join(keys)}" if keys else ""
        if function == "rank()" or ("distinct" not in function and self._happens(0.2)):
            over += f" order by {self._one(scope)}"
        return f"({function} over ({over}))::varchar"

    def _aggregate(self, scope: Sequence[str]) -> str:
        one = self._one(scope)
        plain = ["count(*)::varchar", f"max({one})", f"min({one})", f"count(distinct {one})::varchar"]
        return self._one(
            [*plain, f"string_agg({one}, ',' order by {one})", "(sum(count(*)) over ())::varchar"]
        )

    def _scalar(self, scope: Sequence[str]) -> str:
        relation, name = self._one([*RELATIONS]), self._name()
        value = self._one([f"max({name}.{self._one(RELATIONS[relation])})", "count(*)::varchar"])
        equal = f"{name}.{self._one(RELATIONS[relation])} = {self._one(scope)}"
        return f"(select {value} from {in_sql(relation)} as {name} where {equal})"

    def _condition(self, scope: Sequence[str]) -> str:
        one, other, constant = self._one(scope), self._one(scope), f"'{self._one('abc123')}'"
        relation, name = self._one([*RELATIONS]), self._name()
        asked, also = self._one(RELATIONS[relation]), self._one(RELATIONS[relation])
        inside = f"from {in_sql(relation)} as {name} where {name}.{asked}"
        return self._one(
            [
                *[f"{one} {sign} {constant}" for sign in ("<", ">", "=", "<>")],
                *[f"{one} {sign} {other}" for sign in ("=", "<", "is not distinct from")],
                f"{one} is not null",
                f"exists (select 1 {inside} = {one})",
                f"not exists (select 1 {inside} = {one} and {name}.{also} > {constant})",
                f"{one} in (select {name}.{asked} {inside} > {constant})",
                f"{one} not in (select {name}.{asked} {inside} is not null)",
            ]
        )

    def _name(self) -> str:
        self._names += 1
        return f"n{self._names}"

    def _happens(self, share: float) -> bool:
        return self._random.random() < share

    def _one(self, of: Sequence[T]) -> T:
        return self._random.choice(of)
