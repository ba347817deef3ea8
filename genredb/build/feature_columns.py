"""What classifiers can read: numbers and booleans, the same columns in every view."""

from collections.abc import Iterator

from genredb.build.freshness import VIEWS
from genredb.build.locate import column_place
from genredb.compile.compiler import Compilation
from genredb.compile.features import feature_views
from genredb.compile.lineage import relation_key
from genredb.compile.nodes import Node
from genredb.errors import ProjectErrors
from genredb.project.nodes import Column
from genredb.warehouse.database import Connection, column_types

_NUMBERS = frozenset(
    "tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint"
    " float double decimal boolean".split()
)


def refuse_differing_features(compilation: Compilation) -> None:
    """Refuse a feature that not all views have which classifiers read; ProjectErrors names its place."""
    views = _read(compilation)
    errors = []
    for view in views:
        for column in _features(view):
            lacking = [v.label for v in views if column.name not in {one.name for one in _features(v)}]
            if lacking:
                place = column_place(compilation.project.config, column)
                errors.append(
                    f"{place}: {column.name} is a feature of {view.label}, but not of "
                    f"{' and '.join(lacking)}; {_cure(view)}."
                )
    if errors:
        raise ProjectErrors(errors)


def unreadable_features(compilation: Compilation, connection: Connection) -> Iterator[str]:
    """Yield a sentence for each feature that is neither a number nor a boolean, once for all views."""
    seen: set[tuple[object, ...]] = set()
    for view in _read(compilation):
        types = column_types(connection, *relation_key(view).split(".", 1))
        for column in _features(view):
            kind = types.get(column.name, "")
            is_told = (column.path, column.keys) in seen
            if kind and kind.lower().partition("(")[0] not in _NUMBERS and not is_told:
                seen.add((column.path, column.keys))
                place = column_place(compilation.project.config, column)
                yield (
                    f"{place}: the feature {column.name} is of the type {kind}; "
                    "classifiers read numbers and booleans."
                )


def _read(compilation: Compilation) -> list[Node]:
    """Return the feature views that classifiers read; those of other names are for other tools."""
    named = {relation_key(view): view for view in feature_views(compilation)}
    return [named[key] for key in (f"features.{name}" for name in VIEWS) if key in named]


def _features(view: Node) -> list[Column]:
    return [column for column in view.columns if column.role == "feature"]


def _cure(view: Node) -> str:
    other = (view.config.get("meta") or {}).get("roles_from")
    return f"describe it in {other}, from which all take their roles" if other else "describe it there, too"
