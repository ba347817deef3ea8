"""Locates errors in a user's own file: `file:line:column`, the quoted line, and a caret below it."""

import re
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import UndefinedError

from genredb.errors import FollowUpError, Place, ProjectError, near
from genredb.runner.templates.rendering import NeedsDatabaseError
from genredb.runner.templates.tags import MACRO_PREFIX

# How many lines an expression may extend below the line that jinja reports.
_REACH = 12
# Python's own message for these exceptions depends on where they occur, or is empty.
_TOLD: Mapping[type[Exception], str] = {
    MemoryError: "the template needs more memory than is available",
    RecursionError: "maximum recursion depth exceeded",
}


class TemplateError(ProjectError):
    """A template error whose place is not known yet; ``needle`` is the word at fault."""

    def __init__(self, what: str, needle: str = "", **parts: Any) -> None:
        super().__init__(what, **parts)
        self.needle = needle


class UnknownInTemplateError(TemplateError, FollowUpError):
    """A template names a node, package or macro that the project does not have."""


class DisabledReferenceError(TemplateError):
    """A template refers to a disabled node: dbt leaves out a check that does, and refuses a model."""


class located_errors:  # noqa: N801 - reads as a statement
    """Turns jinja's exceptions, and errors without a place, into a ProjectError with place and quote.

    ``texts`` maps template paths to their texts, ``known_names`` returns the names available to templates,
    ``missing`` are the names of packages that are not installed.
    """

    def __init__(
        self,
        path: str,
        texts: Mapping[str, str],
        known_names: Callable[[], Iterable[str]],
        missing: Sequence[str],
    ) -> None:
        self._path = path
        self._texts = texts
        self._known_names = known_names
        self._missing = missing

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, trace: Any) -> None:
        is_located = isinstance(error, ProjectError) and error.place.path
        if not isinstance(error, Exception) or is_located or isinstance(error, NeedsDatabaseError):
            return
        if isinstance(error, TemplateSyntaxError):
            place = self._found(error.filename or self._path, error.lineno, "")
            raise ProjectError(str(error.message), place=place) from None
        path, line = self._innermost(trace)
        found, needle = self._explained(error)
        place = self._found(path, line, needle)
        if isinstance(error, UndefinedError) and needle in self._missing:
            found = ProjectError(f"the package {needle} is not installed", cure="run `genredb deps`")
        elif needle and isinstance(error, UndefinedError) and self._is_package(place):
            cure = "if it is a package, list it in packages.yml and run `genredb deps`"
            found = FollowUpError(f"'{needle}' is undefined", cure=cure)
        raise found.at(place) from None

    def _explained(self, error: Exception) -> tuple[ProjectError, str]:
        """Return the error as a ProjectError, and the word at fault."""
        if isinstance(error, ProjectError):
            return error, error.needle if isinstance(error, TemplateError) else ""
        if isinstance(error, UndefinedError):
            names = re.findall(r"'([^']*)'", str(error))
            name = names[-1] if names else ""
            choices = near(name, self._known_names()) if "is undefined" in str(error) else ()
            return FollowUpError(str(error), name=name, choices=choices), name
        told = str(error).replace(f"'{MACRO_PREFIX}", "'").rstrip(".")
        return ProjectError(_TOLD.get(type(error)) or told or type(error).__name__), ""

    def _innermost(self, trace: Any) -> tuple[str, int | None]:
        """Return path and line of the innermost template frame; jinja uses the path as file name."""
        for frame in reversed(traceback.extract_tb(trace)):
            if frame.filename in self._texts:
                return frame.filename, frame.lineno
        return self._path, None

    def _found(self, path: str, line: int | None, needle: str) -> Place:
        """Return the place of a word at or below a line if it is found, else that of the line."""
        text = self._texts.get(path)
        if text is None or line is None:
            return Place(path)
        lines = text.splitlines()
        for number in range(line, min(line + _REACH, len(lines) + 1)) if needle else ():
            found = re.search(rf"(?<![\w.]){re.escape(needle)}(?!\w)", lines[number - 1])
            if found is not None:
                return Place(path, number, found.start() + 1, text, len(needle))
        return Place(path, line, None, text)

    @staticmethod
    def _is_package(place: Place) -> bool:
        """Return True if the word in this place is followed by a dot, as a package name is."""
        if place.line is None or place.column is None:
            return False
        return place.text.splitlines()[place.line - 1].startswith(".", place.column - 1 + place.width)
