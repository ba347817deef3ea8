"""Parses and binds SQL of a user; errors give the place and a suggestion."""

import contextlib
import difflib
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import duckdb

from genredb.errors import SqlError, UsageError
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import relations
from genredb.warehouse.duckdb_errors import Mistake, place_in_query, read_mistake, sql_errors

ASKS = frozenset({"SELECT", "MULTI"})  # PIVOT becomes MULTI
_EXPLAIN = "explain "
_PLAIN = frozenset(
    "varchar boolean tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint"
    " float double decimal".split()
)


def read_query(connection: Connection, sql: str) -> str:
    """Return the SQL's only query, without a final semicolon; UsageError if it is not one query."""
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise UsageError("The SQL is not UTF-8 text") from None
    with _located(connection, sql):
        statements = connection.engine.extract_statements(sql)
    if not statements:
        raise UsageError("There is no SQL to run")
    if len(statements) != 1:
        raise UsageError(f"Only one statement can be run at a time; there are {len(statements)}")
    kind = _kind(statements[0])
    if kind not in ASKS:
        cure = "in `genredb shell`, .explain shows how a query would run" if kind == "EXPLAIN" else ""
        raise UsageError(f"Only queries can be run, not {kind} statements", cure=cure)
    ended, rest = split_statements(statements[0].query)
    return ended[0] if ended else rest


def statement_kinds(connection: Connection, sql: str) -> list[str]:
    """Return the kind of each statement, such as SELECT or COPY; SqlError if the SQL does not parse."""
    with sql_errors(sql):
        return [_kind(statement) for statement in connection.engine.extract_statements(sql)]


def asked_names(known: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names that queries use for relations (schema, name): no schema if it is ``main``."""
    return [name if schema == "main" else f"{schema}.{name}" for schema, name in known]


def find_relation(connection: Connection, asked: str) -> tuple[str, str]:
    """Return schema and name of the relation ``asked``, given with or without schema; UsageError if none."""
    schema, _, name = asked.rpartition(".")
    known = relations(connection)
    plain = ((schema or "main").lower(), name.lower())
    found = next((one for one in known if (one[0].lower(), one[1].lower()) == plain), None)
    if found is None:
        raise UsageError(f"There is no table or view '{asked}'", name=asked, choices=asked_names(known))
    return found


def refuse_several(connection: Connection, statement: str) -> None:
    """Raise SqlError if ``statement``, which wraps a query, is several statements because the query was."""
    with sql_errors(statement):
        count = len(connection.engine.extract_statements(statement))
    if count > 1:
        raise SqlError(f"it has {count} statements; only one query is allowed")


def fetch_sample(
    connection: Connection, sql: str, limit: int
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], int]:
    """Return a query's columns, the first ``limit`` of its sorted rows, and its total number of rows.

    Raises SqlError if the SQL is invalid.
    """
    inside = f"select * from (\n{sql}\n)"
    refuse_several(connection, inside)
    with sql_errors(inside):
        asked = connection.engine.execute(inside)
        columns = tuple(column[0] for column in asked.description or ())
        if asked.fetchone() is None:
            return columns, (), 0
        rows = connection.rows(f"{inside} order by all limit {limit}")
        total = connection.rows(f"select count(*) from (\n{sql}\n)")[0][0]
    return columns, tuple(rows), int(total)


def split_statements(sql: str) -> tuple[list[str], str]:
    """Return the statements that end with a semicolon, without it, and the text after the last one."""
    text = sql.encode()
    statements, start = [], 0
    for place, kind in duckdb.tokenize(sql):
        if kind == duckdb.token_type.operator and text[place : place + 1] == b";":
            statements.append(text[start:place].decode())
            start = place + 1
    return statements, text[start:].decode()


def is_blank(sql: str) -> bool:
    """Return whether the SQL is only white space and comments."""
    return all(kind == duckdb.token_type.comment for _, kind in duckdb.tokenize(sql))


def called_functions(sql: str) -> set[str]:
    """Return the lower-case names before opening parentheses: the functions that the SQL may call."""
    text = sql.encode()
    places = [(place, kind) for place, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    called = set()
    for (start, _), (end, _) in itertools.pairwise(places):
        if text[end : end + 1] == b"(":
            name = re.match(r'"[^"]*"|\w+', text[start:end].decode())
            called.update([name[0].strip('"').lower()] if name else [])
    return called


def bind_query(
    connection: Connection, query: str, parameters: Mapping[str, object], functions: Collection[str] = ()
) -> Any:
    """Return a query as a DuckDB relation that has not run yet.

    If the query is invalid, UsageError gives line, caret and a suggestion: a relation or column of the
    database, or a function (DuckDB's own and ``functions``).
    """
    values = dict(parameters) or None
    with _located(connection, query, values, functions):
        asked = {name for one in connection.engine.extract_statements(query) for name in one.named_parameters}
        _refuse_other_parameters(asked, parameters)
        return connection.engine.sql(query, params=values)


def _refuse_other_parameters(asked: Collection[str], given: Collection[str]) -> None:
    """Raise UsageError unless values are given for exactly the parameters of a query.

    Names are case-insensitive, as in DuckDB.
    """
    asked, given = {one.lower() for one in asked}, {one.lower() for one in given}
    for name in sorted(asked):
        if name not in given:
            raise UsageError(f"No value is given for ${name}", name=name, choices=given - asked)
    for name in sorted(given):
        if name not in asked:
            raise UsageError(f"The SQL has no parameter ${name}", name=name, choices=asked)


def plain(relation: Any) -> Any:
    """Return a relation with only strings, numbers and booleans; other types are cast to text by DuckDB."""
    values = [
        f"c{place}" if str(kind.id) in _PLAIN else f"c{place}::varchar"
        for place, kind in enumerate(relation.types)
    ]
    if all("::" not in value for value in values):
        return relation
    names = ", ".join(f"c{place}" for place in range(len(values)))
    return relation.query("answer", f"select {', '.join(values)} from answer as answer({names})")


def plan_of(connection: Connection, query: str) -> str:
    """Return DuckDB's drawing of the query plan of a query that was already bound."""
    return "\n".join(text for _, text in connection.rows(_EXPLAIN + query))


def _kind(statement: Any) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # a kind that DuckDB's Python API does not name
        return "other"


@contextlib.contextmanager
def _located(
    connection: Connection,
    sql: str,
    parameters: dict[str, object] | None = None,
    functions: Collection[str] = (),
) -> Iterator[None]:
    try:
        yield
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        found = read_mistake(error, sql)
        if found.offset is None:
            found = _located_by_explain(connection, sql, parameters) or found
        place = place_in_query(sql, found.offset, found.width)
        raise UsageError(**found.parts(_choices(connection, found, functions)), place=place) from None


def _located_by_explain(
    connection: Connection, sql: str, parameters: dict[str, object] | None
) -> Mistake | None:
    """Return the error of running the query as a statement: for a relation DuckDB gives no position."""
    statement = _EXPLAIN + sql
    try:
        connection.engine.execute(statement, parameters or {})
    except duckdb.Error as error:
        found = read_mistake(error, statement)
        if found.offset is not None:
            return replace(found, offset=found.offset - len(_EXPLAIN))
    return None


def _choices(connection: Connection, found: Mistake, functions: Collection[str]) -> Collection[str] | None:
    """Return the database's names of the same kind as the unknown one; None if the kind is unclear."""
    if found.kind == "Table":
        return asked_names(relations(connection))
    if found.kind.endswith("Function"):
        known = connection.rows("select distinct function_name from duckdb_functions()")
        return difflib.get_close_matches(found.name, [*functions, *(name for (name,) in known)], n=1)
    return None
