"""The allow-list of regular expressions, whose constant patterns are translated to Java's."""

from collections.abc import Callable

from sqlglot import exp

from genredb.spark.allowed import Allowed, Why, constant, parts, spark
from genredb.spark.patterns import (
    PatternError,
    before_first,
    groups,
    may_be_empty,
    to_java,
    to_java_replacement,
    whole,
)
from genredb.spark.types import Family, family


def _texts(sql: str) -> str:
    return f"select n, {sql} as x from nasty.texts"


def _pattern(node: exp.Expr) -> str:
    """Return the constant pattern of a function; PatternError if there is none."""
    pattern = constant(node.expression)
    if pattern is None:
        raise PatternError("that is not a constant")
    return to_java(pattern)


def _translated(translate: Callable[[exp.Expr], exp.Expr]) -> Callable[[exp.Expr], Why]:
    """Return a check that a pattern and its replacement can be translated."""

    def refuses(node: exp.Expr) -> Why:
        try:
            translate(node.copy())
        except PatternError as error:
            return f"with a pattern {error}"
        return None if family(node.this) in (Family.TEXT, Family.NULL) else f"of type {family(node.this)}"

    return refuses


def _matches(node: exp.Expr) -> exp.Expr:
    return spark("regexp_like", node.this, _pattern(node))


def _full_match(node: exp.Expr) -> exp.Expr:
    return spark("regexp_like", node.this, whole(_pattern(node)))


def _extract(node: exp.Expr) -> exp.Expr:
    group, pattern = node.args.get("group") or exp.Literal.number(0), _pattern(node)
    if not (isinstance(group, exp.Literal) and group.is_int):
        raise PatternError("whose group is not a constant number")
    if int(group.name) > groups(pattern):
        raise PatternError(f"that has no group {group.name}")
    return spark("regexp_extract", node.this, pattern, group)


def _replace(node: exp.Expr) -> exp.Expr:
    """Replace every match with 'g', else the first, with what precedes it."""
    java, replacement = _pattern(node), constant(node.args["replacement"])
    if replacement is None:
        raise PatternError("whose replacement is not a constant")
    modifiers = constant(node.args.get("modifiers")) or ""
    if modifiers not in ("", "g"):
        raise PatternError(f"of the options '{modifiers}'")
    if modifiers == "g":
        if may_be_empty(java):
            raise PatternError("that matches an empty text")
        return spark("regexp_replace", node.this, java, to_java_replacement(replacement, groups(java)))
    shifted = "$1" + to_java_replacement(replacement, groups(java), shift=1)
    return spark("regexp_replace", node.this, before_first(java), shifted)


REGEXPS = (
    Allowed(
        exp.RegexpLike,
        (_texts(r"regexp_matches(t, '\bmix\b|[Â-ô]$')"), _texts(r"regexp_matches(t, '^.\s*b')")),
        refuses=_translated(_matches),
        translate=_matches,
    ),
    Allowed(
        exp.RegexpFullMatch,
        (
            _texts(r"regexp_full_match(t, '([\x{01}-\x{7F}]|[Â-Ô].)*')"),
            _texts(r"regexp_full_match(t, '\d{4}')"),
        ),
        refuses=_translated(_full_match),
        translate=_full_match,
    ),
    Allowed(
        exp.RegexpExtract,
        (_texts(r"regexp_extract(t, '^[;\s]*([^;]*)', 1)"), _texts(r"regexp_extract(t, '\w+')")),
        parts("group null_if_pos_overflow"),
        _translated(_extract),
        _extract,
    ),
    Allowed(
        exp.RegexpReplace,
        (
            _texts(r"regexp_replace(t, '[\s\x{A0}\x{2000}-\x{200D}]+', ' ', 'g')"),
            _texts(r"regexp_replace(t, '([ab])(.)', '$\2\1', 'g')"),
            _texts(r"regexp_replace(t, '( - |[(]).*\bmix\b.*', '')"),
            _texts(r"regexp_replace(t, '(b)', '\1\1')"),
            _texts(r"regexp_replace(t, '()()()()()()()()(.)b', '0\9x')"),
            _texts("regexp_replace(t, '()()()()()()()()()b', '0x')"),
        ),
        parts("replacement modifiers single_replace"),
        _translated(_replace),
        _replace,
    ),
)
