"""The allow-list of functions on single values, with what Spark runs in their place."""

from collections.abc import Callable

from sqlglot import exp

from genredb.spark.allowed import Allowed, Why, cast, constant, only, parts, spark
from genredb.spark.types import NUMBERS, Family, family

# What DuckDB's lower() maps otherwise than Java 17's: letters that Java maps by those beside them or to two,
# and letters newer than Java 17 (Glagolitic, Latin Extended-D, Vithkuqi).
_UPPER = "Σİ\u2c2f\ua7c0\ua7d0\ua7d6\ua7d8"
_LOWERED = "σi\u2c5f\ua7c1\ua7d1\ua7d7\ua7d9"
_VITHKUQI = "".join(chr(one) for one in range(0x10570, 0x10596) if one not in (0x1057B, 0x1058B, 0x10593))
_VITHKUQI_LOWERED = "".join(chr(ord(one) + 0x27) for one in _VITHKUQI)
# DuckDB's trim() removes what Unicode calls a space separator, Spark's only the blank.
_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# What Java 17 joins otherwise to one character than DuckDB: the viramas of scripts in which they join two
# consonants, Ahom vowels, and marks that are newer than Java 17.
JOINED_OTHERWISE = (
    "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\U00011720\U00011721\u0890\u0891"
    "\u0898-\u089f\u08ca-\u08d2\u0c3c\u0cf3\u0ece\u1715\u180f\u1ac1-\u1ace\u1dfa"
    "\U00010efd-\U00010eff\U00010f82-\U00010f85\U00011070\U00011073\U00011074\U000110c2\U00011241"
    "\U00011f00\U00011f01\U00011f03\U00011f34-\U00011f3a\U00011f3e-\U00011f42"
    "\U00013440\U00013447-\U00013455\U0001cf00-\U0001cf2d\U0001cf30-\U0001cf46\U0001e08f\U0001e2ae"
    "\U0001e4ec-\U0001e4ef"
)
# Of characters that Java 17 does not know, it does not know either what they join with; and what it makes of
# a joiner (U+200D) after another one or after a letter that is joined.
_JOINS_UNLIKE = (
    r"\p{Cn}[^\x00-\x7f]|[^\x00-\x7f]\p{Cn}|[\u200d\p{Mc}\u0e33\u0eb3]\u200d|"
    r"[\u0600-\u0605\u06dd\u070f\u08e2\u0d4e\x{110bd}\x{110cd}\x{111c2}\x{111c3}\x{1193f}\x{11941}"
    r"\x{11a3a}\x{11a84}-\x{11a89}\x{11d46}][^\x00-\x7f]+\u200d"
)


def _select(sql: str) -> str:
    return f"select id, {sql} as x from nasty.scalars"


def _texts(sql: str) -> str:
    return f"select n, {sql} as x from nasty.texts"


def _lower(node: exp.Expr) -> exp.Expr:
    return spark("lower", spark("translate", node.this, _UPPER + _VITHKUQI, _LOWERED + _VITHKUQI_LOWERED))


def _refuse_trim(node: exp.Expr) -> Why:
    return "of given characters" if node.expression else _only_text(node.this)


def _trim(node: exp.Expr) -> exp.Expr:
    return exp.Trim(this=node.this, expression=exp.Literal.string(_SPACES), position="BOTH")


def _refuse_left(node: exp.Expr) -> Why:
    count = node.expression
    is_plain = isinstance(count, exp.Literal) and count.is_int
    return _only_text(node.this) if is_plain else "with a length that is not a constant"


def _only_text(node: exp.Expr) -> Why:
    """Return why this is no text, or None if it is."""
    return None if family(node) in (Family.TEXT, Family.NULL) else f"of type {family(node)}"


def _of_text(node: exp.Expr) -> Why:
    return _only_text(node.this)


def _reverse(node: exp.Expr) -> exp.Expr:
    """Reverse by what readers see as one character, as DuckDB does unless all of a text is ASCII."""
    characters = spark("regexp_extract_all", node.this, r"(\X)", exp.Literal.number(1))
    reversed_ = spark("array_join", spark("reverse", characters), "")
    is_ascii = spark("regexp_like", node.this.copy(), r"\A[\x00-\x7f]*\z")
    is_unlike = spark("regexp_like", node.this.copy(), f"[{JOINED_OTHERWISE}]|{_JOINS_UNLIKE}")
    error = spark(
        "raise_error",
        "Spark does not reverse() texts with Indic viramas, Ahom vowels or characters newer than Java 17",
    )
    otherwise = spark("if", is_unlike, error, reversed_)
    return spark("if", is_ascii, spark("reverse", node.this.copy()), otherwise)


def _floor(node: exp.Expr) -> exp.Expr:
    """Spark's floor() is an integer; rint() is a double like DuckDB's."""
    whole_part = spark("rint", node.this)
    is_above = exp.GT(this=whole_part.copy(), expression=node.this.copy())
    below = exp.Sub(this=whole_part.copy(), expression=exp.Literal.number(1))
    return spark("if", exp.Paren(this=is_above), below, whole_part)


def _ceil(node: exp.Expr) -> exp.Expr:
    whole_part = spark("rint", node.this)
    is_below = exp.LT(this=whole_part.copy(), expression=node.this.copy())
    above = exp.Add(this=whole_part.copy(), expression=exp.Literal.number(1))
    return spark("if", exp.Paren(this=is_below), above, whole_part)


def _decode(node: exp.Expr) -> exp.Expr:
    return spark("validate_utf8", cast(node.this, "string"))


def _refuse_decode(node: exp.Expr) -> Why:
    return None if isinstance(node.this, exp.Unhex) else "of anything but unhex()"


def _try(node: exp.Expr) -> exp.Expr:
    """Catch the only error that there is: bytes that are not UTF-8."""
    found = node.this  # already translated, since operands are translated first
    return spark("try_validate_utf8", *found.expressions)


def _refuse_try(node: exp.Expr) -> Why:
    return None if isinstance(node.this, exp.Decode) else "around anything but decode(unhex())"


def _format(node: exp.Expr) -> exp.Expr:
    """Spark's writes a negative number as its two's complement, and NULL as a word."""
    number = cast(node.expressions[0], "bigint")
    zero = exp.Literal.number(0)
    is_negative = exp.LT(this=number.copy(), expression=zero)
    negative = spark("concat", "-", spark("format_string", "%X", exp.Neg(this=number.copy())))
    is_there = exp.GTE(this=number.copy(), expression=zero.copy())
    return exp.Case().when(is_negative, negative).when(is_there, spark("format_string", "%02X", number))


def _refuse_format(node: exp.Expr) -> Why:
    if constant(node.this) != "{:02X}" or len(node.expressions) != 1:
        return "with any format but '{:02X}'"
    found = family(node.expressions[0])
    return None if found in (Family.INTEGER, Family.NULL) else f"of type {found}"


def _unicode(node: exp.Expr) -> exp.Expr:
    is_empty = exp.EQ(this=node.this.copy(), expression=exp.Literal.string(""))
    return spark("if", is_empty, exp.Literal.number("-1"), spark("ascii", node.this))


def _refuse_pow(node: exp.Expr) -> Why:
    """Return why a power of 1 or -1 may differ: to NaN and to infinity it is 1 in C, but NaN in Java."""
    exponent = node.expression.unnest()
    number = exponent.this if isinstance(exponent, exp.Neg) else exponent
    is_plain = isinstance(number, exp.Literal) or family(number) == Family.INTEGER
    return only(*NUMBERS)(node) if is_plain else "with an exponent that may be NaN"


def _as_bigint(name: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: cast(spark(name, node.this), "bigint")


FUNCTIONS = (
    Allowed(exp.Lower, (_texts("lower(t)"),), refuses=_of_text, translate=_lower),
    Allowed(exp.Trim, (_texts("trim(t)"),), refuses=_refuse_trim, translate=_trim),
    Allowed(exp.Length, (_texts("length(t)"),), refuses=_of_text, translate=_as_bigint("length")),
    Allowed(exp.Left, (_texts("left(t, 4)"), _texts("left(t, 0)")), refuses=_refuse_left),
    Allowed(exp.Contains, (_texts("contains(t, 'b')"), _texts("contains(t, '')")), refuses=only(Family.TEXT)),
    Allowed(
        exp.StrPosition,
        (_texts("instr(t, 'b')"), _texts("instr(t, '😀')"), _texts("instr(t, '')")),
        parts("substr"),
        _of_text,
        lambda node: cast(spark("instr", node.this, node.args["substr"]), "bigint"),
    ),
    Allowed(
        exp.Reverse,
        (_texts("reverse(t)"), _texts("reverse(t || '\r\n')")),
        refuses=_of_text,
        translate=_reverse,
    ),
    Allowed(
        exp.Translate,
        (_texts("translate(t, 'aé😀', 'x€')"),),
        parts("from_ to"),
        _of_text,
        lambda node: spark("translate", node.this, node.args["from_"], node.args["to"]),
    ),
    Allowed(
        exp.Unicode,
        (_texts("unicode(t)"),),
        refuses=_of_text,
        translate=_unicode,
    ),
    Allowed(
        exp.Format,
        (
            "select k, format('{:02X}', k) as x from nasty.pairs",
            "select id, format('{:02X}', i) as x from nasty.scalars",
            "select id, format('{:02X}', i::bigint * 1000) as x from nasty.scalars",
            "select id, format('{:02X}', i::hugeint) as x from nasty.scalars",
        ),
        refuses=_refuse_format,
        translate=_format,
    ),
    Allowed(exp.Unhex, (_texts("decode(unhex('C280C29F'))"),), refuses=_of_text),
    Allowed(exp.Decode, (_texts("decode(unhex('C3A9'))"),), parts("charset"), _refuse_decode, _decode),
    Allowed(
        exp.Try,
        ("select k, try(decode(unhex(bytes))) as x from nasty.pairs",),
        refuses=_refuse_try,
        translate=_try,
    ),
    Allowed(exp.Round, (_select("round(d)"), _select("round(small / 4)")), refuses=only(Family.DOUBLE)),
    Allowed(
        exp.Floor,
        (_select("floor(d)"), _select("floor(d / 3)")),
        refuses=only(Family.DOUBLE),
        translate=_floor,
    ),
    Allowed(
        exp.Ceil, (_select("ceil(d)"), _select("ceil(d / 3)")), refuses=only(Family.DOUBLE), translate=_ceil
    ),
    Allowed(
        exp.Pow,
        (
            _select("pow(small, 2)"),
            _select("pow(d / 1e200, 2)"),
            _select("pow(d, 400)"),
            _select("pow(d, small)"),
            _select("pow(small, -1)"),
            _select("pow(small, 0.5)"),
        ),
        refuses=_refuse_pow,
    ),
)
