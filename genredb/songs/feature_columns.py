"""Checks that classifiers can read the features: numbers and booleans, the same columns in every view.

And that the views do not read predictions, which are made from them.
"""

from collections.abc import Iterator

from genredb.errors import ProjectError, ProjectErrors
from genredb.runner.execution.located import column_place
from genredb.runner.flow.features import feature_views
from genredb.runner.flow.lineage import relation_key
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Dataset
from genredb.runner.planning.own_tables import readers_of
from genredb.runner.planning.planner import ancestors
from genredb.songs.views import VIEWS
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types
from genredb.warehouse.declared import Column

_PREDICTIONS = "ml.predictions"
_NUMBERS = frozenset(
    "tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint"
    " float double decimal boolean".split()
)


def refuse_differing_features(compilation: Compilation) -> None:
    """Raise ProjectErrors with the place of each feature that is not in all views that classifiers read."""
    views = _read(compilation)
    errors = []
    for view in views:
        for column in _features(view):
            lacking = [v.label for v in views if column.name not in {one.name for one in _features(v)}]
            if lacking:
                place = column_place(compilation.project.config, column)
                what = f"{column.name} is a feature of {view.label}, but not of {' and '.join(lacking)}"
                errors.append(ProjectError(what, place=place, cure=_cure(view)))
    if errors:
        raise ProjectErrors(errors)


def refuse_predictions(compilation: Compilation) -> None:
    """Raise ProjectErrors for views that classifiers read if they are made from predictions."""
    readers = {*readers_of(compilation, {_PREDICTIONS})}
    errors = []
    for view in _read(compilation):
        if view.unique_id in readers:
            upstream = ancestors(compilation, {view.unique_id})
            first = next(
                compilation.nodes[i] for i in readers_of(compilation, {_PREDICTIONS}) if i in upstream
            )
            how = "" if first.unique_id == view.unique_id else f" by way of {first.label}"
            what = f"{view.label} reads {_PREDICTIONS}{how}, but predictions are made from it"
            errors.append(ProjectError(what, place=first.path, cure="predict from the songs alone"))
    if errors:
        raise ProjectErrors(errors)


def unreadable_features(compilation: Compilation, connection: Connection) -> Iterator[ProjectError]:
    """Yield an error for each feature that is neither a number nor a boolean, once for all views."""
    seen: set[tuple[object, ...]] = set()
    for view in _read(compilation):
        types = column_types(connection, str(view.relation.schema), view.relation.identifier)
        for column in _features(view):
            kind = types.get(column.name, "")
            is_reported = (column.path, column.keys) in seen
            if kind and kind.lower().partition("(")[0] not in _NUMBERS and not is_reported:
                seen.add((column.path, column.keys))
                place = column_place(compilation.project.config, column)
                yield ProjectError(
                    f"the feature {column.name} is of the type {kind}; classifiers read numbers and booleans",
                    place=place,
                )


def _read(compilation: Compilation) -> list[Dataset]:
    """Return the feature views that classifiers read; views with other names are for other tools."""
    named = {relation_key(view): view for view in feature_views(compilation)}
    return [named[key] for key in (f"features.{name}" for name in VIEWS) if key in named]


def _features(view: Dataset) -> list[Column]:
    return [column for column in view.columns if column.role == "feature"]


def _cure(view: Dataset) -> str:
    other = (view.config.get("meta") or {}).get("roles_from")
    return f"describe it in {other}, from which all take their roles" if other else "describe it there, too"
