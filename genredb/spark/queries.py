"""Runs queries of DuckDB's dialect in a Spark session, in which each stored relation is a view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.errors import ProjectError, SqlError
from genredb.spark.dialect import RefusedError, quoted, spark_type, to_spark, type_name, with_types
from genredb.spark.empty import EmptyCopy
from genredb.spark.failures import explained
from genredb.spark.names import folded
from genredb.spark.snapshots import Stored
from genredb.spark.types import is_of_spark

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# What Spark may compute in a narrower type than DuckDB; nothing is lost by widening it.
_WIDENED = {("INT", "BIGINT"), ("INT", "DECIMAL(38, 0)"), ("BIGINT", "DECIMAL(38, 0)")}


@dataclass(frozen=True)
class Translated:
    """A query in Spark's SQL, and its columns with DuckDB's types."""

    sql: str
    columns: Mapping[str, str]


class Queries:
    """The queries of one session. Spark's errors are explained."""

    def __init__(self, session: "SparkSession") -> None:
        self.session = session

    def typed(self, query: Translated) -> str:
        """Return the query with DuckDB's types; ProjectError if Spark's differ by more than widening."""
        frame = self._run(query.sql, lambda frame: frame)
        if len(query.columns) < len(frame.schema.fields):
            raise ProjectError("two columns have one name", cure="name each with `as`")
        for (name, kind), field in zip(query.columns.items(), frame.schema.fields, strict=True):
            wanted, found = spark_type(kind).upper(), type_name(field.dataType.simpleString())
            if found not in (wanted, "VOID") and (found, wanted) not in _WIDENED:
                raise ProjectError(f"the column {name} is {kind} on DuckDB and {found} on Spark")
        return with_types(query.sql, query.columns)

    def rows(self, translated: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query in Spark's SQL."""
        found = self.table(translated)
        return [*zip(*(column.to_pylist() for column in found.columns), strict=True)]

    def table(self, translated: str) -> "pa.Table":
        """Return the rows of a query in Spark's SQL as an Arrow table."""
        return self._run(translated, lambda frame: frame.toArrow())

    def write(
        self, translated: str, folder: Path, mapped: "Callable[[DataFrame], DataFrame]" = lambda frame: frame
    ) -> None:
        """Write the rows of a query in Spark's SQL, or what is ``mapped`` from them, as Parquet files."""
        self._run(translated, lambda frame: mapped(frame).write.parquet(str(folder)))

    def count(self, name: str) -> int:
        """Return the number of rows of a relation (``schema.name``)."""
        [[count]] = self.rows(f"select count(*) as n from {quoted(name)}")
        return int(count)

    def register(self, one: Stored, folder: Path) -> None:
        """Create the view of a stored relation; ``folder`` has the files of a table."""
        name = quoted(one.qualified_name)
        typed = ", ".join(f"{quoted(column)} {spark_type(kind)}" for column, kind in one.columns.items())
        with explained(one.sql):
            if one.kind == "view":
                self.session.sql(f"create or replace temporary view {name} as {one.sql}")
            else:
                self.session.read.schema(typed).parquet(str(folder)).createOrReplaceTempView(name)

    def _run(self, translated: str, do: "Callable[[DataFrame], Any]") -> Any:
        with explained(translated):
            return do(self.session.sql(translated))


def refuse_columns(columns: Mapping[str, str]) -> None:
    """Raise ProjectError for a column that is only NULL, or of a type or name that Spark cannot tell."""
    names = dict[str, str]()
    for name, kind in columns.items():
        other = names.setdefault(folded(name), name)
        if other != name:
            what = f"the columns {other} and {name} have one name on Spark"
            raise ProjectError(what, cure="rename one of them")
        if '"NULL"' in kind:
            cure = "state one, as in cast(null as varchar)"
            raise ProjectError(f"the column {name} has no type", cure=cure)
        if not is_of_spark(kind):
            what = f"the column {name} is {kind}, which Spark does not have"
            raise ProjectError(what, cure="state another type")


def translate(sql: str, empty: EmptyCopy) -> Translated:
    """Translate a query of the relations of ``empty``; SqlError if it is invalid, or for what is refused."""
    columns = empty.executor.columns(f"(\n{sql}\n)")
    refuse_columns(columns)
    try:
        return Translated(to_spark(sql, empty.schema), columns)
    except RefusedError as error:
        raise refusal_errors(error, sql)[0] from None


def refusal_errors(error: RefusedError, sql: str) -> list[SqlError]:
    """Return one error for each part of a query that is refused, with its place in the SQL."""
    known = "Spark is not known to run {} as DuckDB does"
    return [SqlError(known.format(one.what), sql, one.offset) for one in error.refusals]
