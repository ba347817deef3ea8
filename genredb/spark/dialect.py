"""Translates the project's SQL, which is DuckDB's, to Spark's, or says what cannot be translated.

sqlglot parses, qualifies and types the query; everything in it must be in the allow-list; then each construct
that Spark runs differently is replaced.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError
from sqlglot.optimizer.qualify import qualify

from genredb.spark.names import doubled, misread_in_order, of_no_relation, unreachable
from genredb.spark.registry import ALLOWED
from genredb.spark.types import Schema, annotated


@dataclass(frozen=True)
class Refusal:
    """A part of a query that is not known to run on Spark as on DuckDB; ``offset`` is its place, if known."""

    what: str
    offset: int | None = None


class RefusedError(Exception):
    """A query that is not run on Spark, with all reasons."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(one.what for one in refusals))
        self.refusals = tuple(refusals)


def to_spark(sql: str, schema: Schema) -> str:
    """Return a query in Spark's SQL; RefusedError if it is not known to give the same rows there.

    ``schema`` has the relations that it may read. Their names become single identifiers, ``schema.name``, as
    the session's views are called.
    """
    query = _typed_query(sql, schema)
    refusals = [*_refusals(query), *_misread(query, schema)]
    if refusals:
        raise RefusedError(refusals)
    translated = query.transform(_named, copy=False)
    translated = _translated(translated)
    try:
        return translated.sql("spark", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise RefusedError([Refusal(str(error))]) from None


def with_types(sql: str, types: Mapping[str, str]) -> str:
    """Return a translated query with these column names and DuckDB types."""
    places = [f"c{number}" for number in range(len(types))]
    columns = (
        f"cast({place} as {spark_type(kind)}) as {quoted(name)}"
        for place, (name, kind) in zip(places, types.items(), strict=True)
    )
    return f"select {', '.join(columns)} from (\n{sql}\n) as q({', '.join(places)})"


def with_values(sql: str, parameters: Mapping[str, object]) -> str:
    """Return a query of DuckDB's dialect with texts in place of its parameters, which Spark does not have."""
    if not parameters:
        return sql
    values = {name.lower(): str(value) for name, value in parameters.items()}
    query = sqlglot.parse_one(sql, dialect="duckdb")
    for one in [*query.find_all(exp.Parameter, exp.Placeholder)]:
        one.replace(exp.Literal.string(values[one.name.lower()]))
    return query.sql("duckdb")


def spark_type(duckdb_type: str) -> str:
    """Return Spark's name for a DuckDB type."""
    built = exp.DataType.build(duckdb_type, dialect="duckdb")
    return built.transform(_without_hugeint).sql("spark")


def _without_hugeint(node: exp.Expr) -> exp.Expr:
    is_hugeint = isinstance(node, exp.DataType) and node.this == exp.DataType.Type.INT128
    return exp.DataType.build("decimal(38, 0)") if is_hugeint else node


def type_name(text: str) -> str:
    """Return the name of one of Spark's types in the spelling of :func:`spark_type`, in upper case."""
    return "VOID" if text == "void" else exp.DataType.build(text, dialect="spark").sql("spark").upper()


def quoted(name: str) -> str:
    """Return an identifier in Spark's quotes."""
    return "`" + name.replace("`", "``") + "`"


def _typed_query(sql: str, schema: Schema) -> exp.Expr:
    """Return the parsed query with all names resolved and all types known that can be."""
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise RefusedError([Refusal("a statement that is not a single query")])
        query: exp.Expr = statements[0]
        for table in query.find_all(exp.Table):
            table.set("catalog", None)
        if any(map(_is_joined_using_part, query.find_all(exp.Join))):
            raise RefusedError([Refusal("JOIN with USING after a RIGHT or FULL join")])
        query = qualify(
            query,
            db="main",
            schema=dict(schema),
            dialect="duckdb",
            validate_qualify_columns=False,
            quote_identifiers=True,
        )
        for union in [*query.find_all(exp.SetOperation)][::-1]:
            if union.args.get("by_name"):
                _align(union)
        return annotated(query, schema)
    except SqlglotError as error:
        raise RefusedError(
            [Refusal(f"SQL that sqlglot cannot read ({str(error).splitlines()[0]})")]
        ) from None


def _is_joined_using_part(join: exp.Expr) -> bool:
    """Return True if sqlglot would join by the first relation's column, which is NULL in some rows."""
    joins = join.parent.args.get("joins", []) if join.parent and join.args.get("using") else []
    before = joins[: joins.index(join)] if joins else []
    return any(str(one.side).upper() in ("RIGHT", "FULL") for one in before)


def _align(union: exp.SetOperation) -> None:
    """Give both sides of a union by name the same columns in the same order."""
    left, right = union.left, union.right
    names = list(dict.fromkeys((*left.named_selects, *right.named_selects)))
    union.set("this", _with_columns(left, names))
    union.set("expression", _with_columns(right, names))
    union.set("by_name", None)


def _with_columns(query: exp.Query, names: Sequence[str]) -> exp.Query:
    there = {one.alias_or_name: one for one in query.selects}
    if list(there) == list(names):
        return query
    if isinstance(query, exp.Select) and not query.args.get("distinct"):
        selected = [there.get(name) or _null(name) for name in names]
        return query.select(*selected, append=False)
    found = [exp.column(name, "q", quoted=True) if name in there else exp.null() for name in names]
    renamed = [exp.alias_(one, name, quoted=True) for one, name in zip(found, names, strict=True)]
    return exp.select(*renamed).from_(query.subquery("q"))


def _null(name: str) -> exp.Expr:
    return exp.alias_(exp.null(), name, quoted=True)


def _refusals(query: exp.Expr) -> Iterator[Refusal]:
    for node in query.walk():
        entry = ALLOWED.get(type(node))
        why = "" if entry is None else entry.why_not(node)
        if why is not None:
            yield Refusal(f"{_name(node)} {why}".strip(), _offset(node))


def _misread(query: exp.Expr, schema: Schema) -> Iterator[Refusal]:
    for one in misread_in_order(query, schema):
        yield Refusal(f"ORDER BY an expression of {one.name}, a column and an alias,", _offset(one))
    for one in unreachable(query):
        yield Refusal(f"a subquery that reads {one.name} of the query around it here", _offset(one))
    for column, name in doubled(query):
        yield Refusal(f"a second column of the name {name}", _offset(column))
    for one in of_no_relation(query):
        yield Refusal(f"{one.name}, which is no column of a relation,", _offset(one))


def _name(node: exp.Expr) -> str:
    """Return what a construct is called in SQL."""
    if isinstance(node, exp.Anonymous):
        return f"{node.name.lower()}()"
    if isinstance(node, exp.Func) and not isinstance(node, exp.Cast | exp.Case | exp.And | exp.Or | exp.If):
        return _WORDS.get(type(node)) or f"{node.sql_names()[0].lower()}()"
    return _WORDS.get(type(node), node.key.upper())


_WORDS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.IntDiv: "//",
    exp.Mod: "%",
    exp.DPipe: "||",
    exp.TryCast: "TRY_CAST",
    exp.Bracket: "[]",
    exp.Explode: "unnest()",
    exp.ArrayAgg: "list()",
}


def _offset(node: exp.Expr) -> int | None:
    starts = [one.meta["start"] for one in node.walk() if "start" in one.meta]
    return min(starts) if starts else None


def _named(node: exp.Expr) -> exp.Expr:
    """Make the name of a relation a single identifier."""
    if isinstance(node, exp.Table) and node.db:
        name = exp.to_identifier(f"{node.db}.{node.name}", quoted=True)
        return exp.Table(this=name, alias=node.args.get("alias"))
    return node


def _translated(query: exp.Expr) -> exp.Expr:
    """Replace what Spark runs differently, operands before what uses them."""
    for node in [*query.walk()][::-1]:
        made = ALLOWED[type(node)].translate(node) if type(node) in ALLOWED else node
        if made is not node:
            if node is query:
                query = made
            else:
                node.replace(made)
    return query
