"""Which settings of Spark a profile may have: those that change no row, by names that Spark knows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from genredb.errors import ProjectError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Fixed, because the probes of the allow-list were run with them.
FIXED: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",  # errors where DuckDB has errors, instead of NULL or a wrapped number
    "spark.sql.icu.caseMappings.enabled": "false",  # ICU lowercases newer letters than DuckDB, Java fewer
    "spark.sql.caseSensitive": "false",
    "spark.sql.catalogImplementation": "in-memory",
    # Spark 4.3 fails on `order by` over several grouped branches of a union that this rule has changed.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.PushProjectionThroughUnion",
    "spark.sql.session.timeZone": "UTC",
    # Else a text such as '${env:HOME}' is replaced by what it names.
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
}
# Families of settings that change rows.
_CHANGING = (
    "spark.sql.ansi.",
    "spark.sql.decimaloperations.",
    "spark.sql.files.ignore",
    "spark.sql.legacy.",
    "spark.sql.parser.",
)
_FIXED = frozenset(name.lower() for name in FIXED)
_OF_SQL = "spark.sql."
_OPEN = ("spark.sql.catalog.", "spark.sql.hive.")  # whose names Spark does not list


def refused_settings(settings: Mapping[str, Any]) -> Iterator[ProjectError]:
    """Yield what is wrong with a profile's settings, as far as their text tells."""
    for name, value in settings.items():
        lowered = str(name).lower()
        if lowered in _FIXED or lowered.startswith(_CHANGING):
            yield ProjectError(f"the setting {name} is genredb's, since equality with DuckDB rests on it")
        elif lowered == "spark.master":
            yield ProjectError("spark.master is no setting", cure="use --master, or `master:` under `spark:`")
        elif not lowered.startswith("spark."):
            yield ProjectError(f"Spark has no setting '{name}': all begin with `spark.`")
        elif not isinstance(value, str | int | float):
            yield ProjectError(f"the setting {name} needs one value", cure="write it as a text or number")


def refuse_unknown(session: "SparkSession", names: Iterable[str]) -> None:
    """Raise ProjectError for the name of a setting of Spark's SQL that Spark does not know, and ignores."""
    asked = [name for name in names if name.startswith(_OF_SQL) and not name.startswith(_OPEN)]
    entries = session._jvm.org.apache.spark.internal.config.ConfigEntry
    unknown = next((name for name in asked if entries.findEntry(name) is None), None)
    if unknown is not None:
        defined = session._jsparkSession.sessionState().conf().getAllDefinedConfs()
        known = [defined.apply(place)._1() for place in range(defined.size())]
        raise ProjectError(f"Spark has no setting '{unknown}'", name=unknown, choices=known)
