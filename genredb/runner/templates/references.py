"""The template names ``ref`` and ``source``: each returns a relation and records its unique id."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from genredb.runner.templates.located import TemplateError
from genredb.runner.templates.relation import Relation
from genredb.runner.templates.rendering import Current

# Returns the unique id and the relation for the name of a package whose template it is, and a name.
Resolve = Callable[..., tuple[str, Relation]]
Number = int | float | str


class ReferenceCall:
    """Base class of ``ref`` and ``source``; if ``is_empty``, what they return has no rows."""

    def __init__(self, resolve: Resolve, current: Current, *, is_empty: bool) -> None:
        self._resolve = resolve
        self._current = current
        self._is_empty = is_empty

    def _relation(self, *names: str, version: Number | None = None) -> Relation:
        rendering = self._current.rendering
        if rendering.given.is_naming:
            return Relation("", "", names[-1])
        unique_id, relation = self._resolve(rendering.given.package, *names, version=version)
        rendering.references[unique_id] = None
        given = rendering.given.relations.get(unique_id)  # of a unit test
        return given or replace(relation, is_empty=self._is_empty)


class RefCall(ReferenceCall):
    """``ref('name')``, ``ref('package', 'name')``, either with ``v=1`` or ``version=1``."""

    def __call__(self, *names: str, **version: Any) -> Relation:
        """Return the relation of a model or seed; TemplateError if it does not exist."""
        if not 1 <= len(names) <= 2 or not all(isinstance(name, str) for name in names):
            raise TemplateError("ref() takes the name of a model or seed", "ref")
        stated = version.get("v", version.get("version"))
        if version.keys() - {"v", "version"} or not isinstance(stated, int | float | str | None):
            raise TemplateError("ref() takes a version as v=1 or version=1", "ref")
        return self._relation(*names, version=stated)


class SourceCall(ReferenceCall):
    """``source('source', 'table')``."""

    def __call__(self, source_name: str, name: str) -> Relation:
        """Return the relation of a source; TemplateError if it does not exist."""
        return self._relation(source_name, name)
