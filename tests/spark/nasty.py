"""Rows on which engines tend to differ, as relations of the schema ``nasty`` on DuckDB and on Spark."""

from typing import TYPE_CHECKING

from genredb.spark.dialect import spark_type
from genredb.spark.types import Schema
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

INTEGERS = ("0", "1", "-1", "7", "100", "2147483647", "-2147483648", "null")
BIGINTS = ("0", "9007199254740993", "-5", "9223372036854775807", "-9223372036854775808", "null", "3", "12")
DOUBLES = (
    "0.0",
    "-0.0",
    "1.5",
    "-2.5",
    "0.1",
    "0.49999999999999994",
    "1e300",
    "-1e-300",
    "'nan'",
    "'inf'",
    "'-inf'",
    "null",
    "2.5",
    "0.5",
    "-0.5",
    "3.0",
    "28.499999999999996",
)
TEXTS = (
    "",
    " ",
    "b",
    "B",
    "abc",
    "a b",
    "  a   b  ",
    "mix",
    "remix",
    "(mix)",
    "éxmixé",
    "the mix",
    "x - mix\ny",
    "b\n",
    "\nb",
    "a\rb",
    "a\x0bb",
    "a\x85b",
    "a\u2028b",
    "\u00a0a\u00a0",
    "\u1680a",
    "\u3000x\u205f",
    "\u200da",
    "Ângel",
    "ÂÔ",
    "Straße",
    "ΑΣ",
    "ΣΑΣ Σ",
    "İstanbul",
    "Iı",
    "ǅ",
    "Ꭰ",
    "e\u0301a",
    "é",
    "日本",
    "한국어",
    "각",
    "\U0001f600b",
    "a\U0001f600",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467x",
    "\U0001f1e9\U0001f1ea!",
    "\U00010400",
    "a,b,,c",
    ",",
    ",a",
    "a, b. c",
    "1999",
    "2e3",
    " 12 ",
    "12\n",
    "100%",
    "a_b",
    "a\\b",
    "$1",
    "\\1",
    "'",
    '"',
    "\x01",
    "\x7f",
    "CAFÉ’S",
    "CÃ©line",
    "; x;y",
    "Ω",
    "ß",
    "ſ",
    "ab" * 3000,
)
DATES = ("date '1970-01-01'", "date '2024-02-29'", "date '0001-01-01'", "date '9999-12-31'", "null")
BOOLEANS = ("true", "false", "null")
_PAIRS = (
    "(0, '', 0.0, '12', 'C3A9')",
    "(1, 'b', 1.5, '-7', 'C3')",
    "(-1, 'abc', -0.0, '2147483647', 'FF')",
    "(7, null, 'nan', null, null)",
    "(null, 'é', null, ' 5 ', '')",
    "(100, 'B', 'inf', '0', 'F09F9880')",
    "(3, 'ΑΣ', 3.0, '+3', 'EDA080')",
)


def create(connection: Connection) -> None:
    """Create the relations in DuckDB."""
    rows = max(map(len, (INTEGERS, BIGINTS, DOUBLES, TEXTS, DATES, BOOLEANS)))
    texts = ["null", *map(literal, TEXTS)]

    def pick(values: tuple[str, ...] | list[str], number: int) -> str:
        return values[number % len(values)]

    scalars = ", ".join(
        f"({n}, {pick(INTEGERS, n)}, {n % 13 - 6}, {pick(BIGINTS, n)}, {pick(DOUBLES, n)}, {pick(texts, n // 2)},"
        f" {pick(DATES, n)}, {pick(BOOLEANS, n // 3)})"
        for n in range(2 * rows)
    )
    numbers = ", ".join(
        f"({n % 7}, {'null' if n % 11 == 3 else f'{n * n % 97}.25'}, {n * 37 % 101 - 50}.5)"
        for n in range(200)
    )
    for statement in (
        "create schema nasty",
        "create table nasty.scalars (id integer, i integer, small integer, b bigint, d double, t varchar, day date, yes boolean)",
        f"insert into nasty.scalars values {scalars}",
        "create table nasty.texts (n integer, t varchar)",
        f"insert into nasty.texts values {', '.join(f'({n}, {text})' for n, text in enumerate(texts))}",
        "create table nasty.pairs (k integer, v varchar, w double, digits varchar, bytes varchar)",
        f"insert into nasty.pairs values {', '.join(_PAIRS)}",
        "create table nasty.numbers (g integer, v double, w double)",
        f"insert into nasty.numbers values {numbers}, (50, 4, 2), (60, null, 1), (70, 1, 1), (70, 1, 2), (80, -0.0, 3)",
        "create table nasty.nested (n integer, items integer[], pair struct(name varchar, share double))",
        "insert into nasty.nested values (1, [3, null, 1], {'name': 'a', 'share': 0.5}), (2, [], {'name': null, 'share': 1}),"
        " (3, null, null)",
    ):
        connection.execute(statement)


def schema_of(connection: Connection) -> Schema:
    """Return the columns of the relations."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for schema, table, column, kind in connection.rows(
        "select table_schema, table_name, column_name, data_type from information_schema.columns order by ordinal_position"
    ):
        found.setdefault(schema, {}).setdefault(table, {})[column] = kind
    return found


def create_on_spark(session: "SparkSession", connection: Connection) -> None:
    """Create the same relations in Spark."""
    for schema, tables in schema_of(connection).items():
        for table, columns in tables.items():
            rows = connection.engine.sql(f"from {schema}.{table}").to_arrow_table()
            typed = ", ".join(f"{name} {spark_type(kind)}" for name, kind in columns.items())
            session.createDataFrame(rows, typed).createOrReplaceTempView(f"`{schema}.{table}`")
