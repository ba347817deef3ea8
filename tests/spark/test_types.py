"""Columns of types or names that Spark does not have or tell apart are refused by name."""

import pytest

from genredb.errors import ProjectError
from genredb.spark.queries import refuse_columns


@pytest.mark.parametrize(
    "kind",
    [
        "UBIGINT",
        "UUID",
        "TIME",
        "INTERVAL",
        "INTEGER[3]",
        "STRUCT(a UUID)[]",
        "MAP(VARCHAR, INTEGER)",
        "BIT",
        "JSON",
        "TUPLE(INTEGER, VARCHAR)",
    ],
)
def test_a_type_that_spark_does_not_have_is_refused(kind: str) -> None:
    with pytest.raises(
        ProjectError, match="the column b is .*, which Spark does not have; state another type"
    ):
        refuse_columns({"a": "INTEGER", "b": kind})


def test_types_of_both_are_allowed() -> None:
    refuse_columns(
        {
            kind: kind
            for kind in (
                *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL(18,3)"),
                *("VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "BLOB"),
                *("INTEGER[]", 'STRUCT("a b" INTEGER, b VARCHAR[])[]'),
            )
        }
    )


def test_names_that_spark_takes_for_one_are_refused() -> None:
    with pytest.raises(ProjectError, match="the columns É and é have one name on Spark; rename one"):
        refuse_columns({"É": "INTEGER", "a": "INTEGER", "é": "INTEGER"})
