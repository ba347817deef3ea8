"""The shape of the allow-list: what Spark is known to run as DuckDB does, each entry with its proof.

A construct of SQL that has no entry is refused by name, since many run on Spark without an error and give
other rows. An entry carries the probes that show equality: queries over tests/spark/nasty.py's relations,
which the parity test runs on both engines and compares in values and types.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlglot import exp

from genredb.spark.types import Family, family, is_huge

Why = str | None
"""Why an expression is not allowed, in words that follow its name; None if it is."""


@dataclass(frozen=True)
class Allowed:
    """One construct of SQL that is allowed.

    ``probes`` prove it. ``parts`` are the parts that it may have besides its operands, ``refuses`` looks at
    its operands, and ``translate`` returns what Spark runs in its place if that is not what sqlglot writes.
    """

    construct: type[exp.Expr]
    probes: tuple[str, ...]
    parts: frozenset[str] = frozenset()
    refuses: Callable[[exp.Expr], Why] = lambda _: None
    translate: Callable[[exp.Expr], exp.Expr] = lambda node: node

    def why_not(self, node: exp.Expr) -> Why:
        """Return why this use of the construct is not allowed, or None if it is."""
        for part, value in node.args.items():
            if part not in _OPERANDS and part not in self.parts and value not in (None, False, []):
                return f"with {part.rstrip('_').replace('_', ' ')}"
        return self.refuses(node)


MOST_DIGITS = 38  # of a decimal
_BIGINT_DIGITS = 20  # as Spark counts them
MOST_PLACES = MOST_DIGITS - _BIGINT_DIGITS  # after the point of a literal, so that a bigint fits beside it
_OPERANDS = frozenset(("this", "expression", "expressions"))


def parts(names: str) -> frozenset[str]:
    """Return the names of an expression's parts."""
    return frozenset(names.split())


def spark(name: str, *operands: exp.Expr | str) -> exp.Expr:
    """Return a call of a Spark function; texts are literals."""
    given = [exp.Literal.string(one) if isinstance(one, str) else one for one in operands]
    return exp.Anonymous(this=name, expressions=given)


def cast(node: exp.Expr, to: str) -> exp.Expr:
    """Return a cast to one of Spark's types."""
    return exp.Cast(this=node, to=exp.DataType.build(to, dialect="spark"))


def as_double(node: exp.Expr) -> exp.Expr:
    """Return a number as a double, which is how DuckDB divides, and Spark all but hugeints."""
    return node if family(node) == Family.DOUBLE else cast(node, "double")


def constant(node: exp.Expr | None) -> str | None:
    """Return the value of a text literal, or of several joined by ``||``; None if it is none."""
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    if isinstance(node, exp.Paren):
        return constant(node.this)
    if isinstance(node, exp.DPipe):
        left, right = constant(node.this), constant(node.expression)
        return None if left is None or right is None else left + right
    return None


def operands(node: exp.Expr) -> list[exp.Expr]:
    """Return the direct operands of an expression, in order."""
    found = [node.args.get("this"), node.args.get("expression"), *(node.args.get("expressions") or ())]
    return [one for one in found if isinstance(one, exp.Expr)]


def only(*families: Family) -> Callable[[exp.Expr], Why]:
    """Return a check that all operands are of these families, or NULL."""
    known = {*families, Family.NULL}

    def refuses(node: exp.Expr) -> Why:
        other = next((found for one in operands(node) if (found := family(one)) not in known), None)
        return None if other is None else f"of type {other}"

    return refuses


def condition(node: exp.Expr | None) -> Why:
    """Return why this cannot decide anything on Spark, where only a boolean can; None if it can."""
    found = family(node)
    return None if node is None or found == Family.BOOLEAN else f"with a condition of type {found}"


def comparable(*nodes: exp.Expr | None) -> Why:
    """Return why values cannot be compared on both engines alike: they would be converted, or are lists."""
    found = {family(node) for node in nodes if node is not None} - {Family.NULL}
    if Family.DECIMAL in found and any(map(is_huge, nodes)):
        return "between types decimal, hugeint"  # of 38 digits and a fraction, Spark rounds the fraction
    if Family.DECIMAL in found and Family.DOUBLE not in found and not _fit_together(nodes):
        return "between decimals and integers that have more than 38 digits together"
    if found <= {Family.INTEGER, Family.DOUBLE, Family.DECIMAL} and len(found) < 3:
        return None
    plain = {Family.TEXT, Family.BOOLEAN, Family.DATE}
    if len(found) == 1 and found <= plain:
        return None
    return f"between types {', '.join(sorted(found)) or Family.NULL}"


def _fit_together(nodes: Iterable[exp.Expr | None]) -> bool:
    """Return True if Spark has a decimal that holds all of these; else it rounds their fractions."""
    widths = [_width(node) for node in nodes if node is not None and family(node) != Family.NULL]
    return max(whole for whole, _ in widths) + max(fraction for _, fraction in widths) <= MOST_DIGITS


def _width(node: exp.Expr) -> tuple[int, int]:
    """Return the digits before and after the point that a number may have."""
    if isinstance(node.unnest(), exp.Literal):
        whole, _, fraction = node.unnest().name.partition(".")
        return len(whole), len(fraction)
    if family(node) == Family.DECIMAL and node.type and node.type.expressions:
        digits, places = (*(int(one.name) for one in node.type.expressions), 0)[:2]
        return digits - places, places
    return (_BIGINT_DIGITS, 0) if family(node) == Family.INTEGER else (_BIGINT_DIGITS, MOST_PLACES)
