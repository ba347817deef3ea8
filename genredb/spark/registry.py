"""The allow-list: every construct of SQL that Spark is known to run as DuckDB does."""

from collections.abc import Mapping

from sqlglot import exp

from genredb.spark.aggregates import AGGREGATES
from genredb.spark.allowed import Allowed
from genredb.spark.casts import CASTS
from genredb.spark.clauses import CLAUSES
from genredb.spark.functions import FUNCTIONS
from genredb.spark.lists import LISTS
from genredb.spark.operators import OPERATORS
from genredb.spark.regexps import REGEXPS

ALLOWED: Mapping[type[exp.Expr], Allowed] = {
    one.construct: one for one in (*CLAUSES, *OPERATORS, *CASTS, *FUNCTIONS, *REGEXPS, *LISTS, *AGGREGATES)
}
