"""SQL that a user typed: one query of it, bound, with the place and the cure where it is wrong."""

import contextlib
import difflib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import duckdb

from genredb.errors import UsageError, did_you_mean
from genredb.warehouse.database import Connection, asked_names, fetch_all, relations
from genredb.warehouse.duckdb_errors import Mistake, in_query, read_mistake, sql_errors

ASKS = frozenset({"SELECT", "MULTI"})  # what PIVOT becomes is MULTI
_EXPLAIN = "explain "
_PLAIN = frozenset(
    "varchar boolean tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint"
    " float double decimal".split()
)


def read_query(connection: Connection, sql: str) -> str:
    """Return the one query of the SQL, without a semicolon at its end; UsageError where it is none."""
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise UsageError("The SQL is not UTF-8 text.") from None
    with _located(connection, sql):
        statements = connection.extract_statements(sql)
    if not statements:
        raise UsageError("There is no SQL to run.")
    if len(statements) != 1:
        raise UsageError(f"One statement at a time can be asked; there are {len(statements)}.")
    kind = _kind(statements[0])
    if kind not in ASKS:
        cure = " In `genredb shell`, .explain shows how a query would run." if kind == "EXPLAIN" else ""
        raise UsageError(f"Only queries can be asked, no {kind} statement.{cure}")
    ended, rest = split_statements(statements[0].query)
    return ended[0] if ended else rest


def statement_kinds(connection: Connection, sql: str) -> list[str]:
    """Return what kind of statement each one is, such as SELECT or COPY; SqlError where one is none."""
    with sql_errors(sql):
        return [_kind(statement) for statement in connection.extract_statements(sql)]


def split_statements(sql: str) -> tuple[list[str], str]:
    """Return the statements that a semicolon ends, without it, and what comes behind the last one."""
    text = sql.encode()
    statements, start = [], 0
    for place, kind in duckdb.tokenize(sql):
        if kind == duckdb.token_type.operator and text[place : place + 1] == b";":
            statements.append(text[start:place].decode())
            start = place + 1
    return statements, text[start:].decode()


def is_blank(sql: str) -> bool:
    """Whether there is nothing but white space and comments."""
    return all(kind == duckdb.token_type.comment for _, kind in duckdb.tokenize(sql))


def called_functions(sql: str) -> set[str]:
    """Return the names, in lower case, before every opening parenthesis: what the SQL may call."""
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
    """Return a query as a relation that has not run yet.

    UsageError with line, caret and what was perhaps meant where it is wrong: a relation or column of the
    database, or a function, of which ``functions`` exist beside DuckDB's own.
    """
    values = dict(parameters) or None
    with _located(connection, query, values, functions):
        asked = {name for one in connection.extract_statements(query) for name in one.named_parameters}
        _refuse_other_parameters(asked, parameters)
        return connection.sql(query, params=values)


def _refuse_other_parameters(asked: Collection[str], given: Collection[str]) -> None:
    """Raise UsageError where values are not given for all parameters of a query, or for others.

    Large and small letters are the same, as DuckDB has it.
    """
    asked, given = {one.lower() for one in asked}, {one.lower() for one in given}
    for name in sorted(asked):
        if name not in given:
            raise UsageError(f"No value is given for ${name}.{did_you_mean(name, given - asked)}")
    for name in sorted(given):
        if name not in asked:
            raise UsageError(f"The SQL has no parameter ${name}.{did_you_mean(name, asked)}")


def plain(relation: Any) -> Any:
    """Return a relation with texts, numbers and truth values alone; of any other type DuckDB's text."""
    values = [
        f"c{place}" if str(kind.id) in _PLAIN else f"c{place}::varchar"
        for place, kind in enumerate(relation.types)
    ]
    if all("::" not in value for value in values):
        return relation
    names = ", ".join(f"c{place}" for place in range(len(values)))
    return relation.query("answer", f"select {', '.join(values)} from answer as answer({names})")


def plan_of(connection: Connection, query: str) -> str:
    """Return how DuckDB would run a query that is bound already, as a drawing."""
    return "\n".join(text for _, text in fetch_all(connection, _EXPLAIN + query))


def _kind(statement: Any) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # of a kind that DuckDB's Python does not name
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
            found = _asked_again(connection, sql, parameters) or found
        sentence = found.sentence(_choices(connection, found, functions))
        raise UsageError(in_query(sentence, sql, found.offset, found.width)) from None


def _asked_again(connection: Connection, sql: str, parameters: dict[str, object] | None) -> Mistake | None:
    """Return what is wrong as DuckDB says it of a statement, for of a relation it does not say where."""
    statement = _EXPLAIN + sql
    try:
        connection.execute(statement, parameters or [])
    except duckdb.Error as error:
        found = read_mistake(error, statement)
        if found.offset is not None:
            return replace(found, offset=found.offset - len(_EXPLAIN))
    return None


def _choices(connection: Connection, found: Mistake, functions: Collection[str]) -> Collection[str] | None:
    """Return the names, of the kind of what is not known, that the database has; None where that is open."""
    if found.kind == "Table":
        return asked_names(relations(connection))
    if found.kind.endswith("Function"):
        known = fetch_all(connection, "select distinct function_name from duckdb_functions()")
        return difflib.get_close_matches(found.name, [*functions, *(name for (name,) in known)], n=1)
    return None
