"""Where in a user's own file an error arose: `file:line:column`, the line quoted, a caret below it."""

import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import UndefinedError

from genredb.compile.context import NeedsDatabaseError
from genredb.errors import ProjectError, did_you_mean, quoted

# How many lines below the one that jinja names an expression may go on.
_REACH = 12
_NAMELESS: Mapping[type[Exception], str] = {MemoryError: "the template takes more memory than there is"}


class TemplateError(ProjectError):
    """An error of a template whose place is still to be found; ``needle`` is the word at fault."""

    def __init__(self, message: str, needle: str = "") -> None:
        super().__init__(message)
        self.needle = needle


class LocatedError(ProjectError):
    """An error that names its place already."""


class located_errors:  # noqa: N801 - reads as a statement
    """Turns what jinja raises, and errors without a place, into a ProjectError with place and quote.

    ``texts`` maps the paths of templates to their texts, ``known_names`` gives what a template may name.
    """

    def __init__(self, path: str, texts: Mapping[str, str], known_names: Callable[[], Iterable[str]]) -> None:
        self._path = path
        self._texts = texts
        self._known_names = known_names

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception) or isinstance(error, LocatedError | NeedsDatabaseError):
            return
        if isinstance(error, TemplateSyntaxError):
            path = error.filename or self._path
            message = f"{str(error.message).rstrip('.')}."
            raise LocatedError(self._quote(path, error.lineno, "", message)) from None
        path, line = self._place(trace)
        needle, message = self._explained(error)
        raise LocatedError(self._quote(path, line, needle, message)) from None

    def _explained(self, error: Exception) -> tuple[str, str]:
        """Return the word at fault and the sentence."""
        if isinstance(error, TemplateError):
            return error.needle, str(error)
        if isinstance(error, ProjectError):
            return "", f"{str(error).rstrip('.')}."
        if isinstance(error, UndefinedError):
            names = re.findall(r"'([^']*)'", str(error))
            name = names[-1] if names else ""
            hint = did_you_mean(name, self._known_names()) if "is undefined" in str(error) else ""
            hint = hint if "Did you mean" in hint else ""
            return name, f"{str(error).rstrip('.')}.{hint}"
        return "", f"{str(error).rstrip('.') or _NAMELESS.get(type(error), type(error).__name__)}."

    def _place(self, trace: Any) -> tuple[str, int | None]:
        """Return path and line of the innermost frame that is a template; jinja names them by their path."""
        for frame in reversed(traceback.extract_tb(trace)):
            if frame.filename in self._texts:
                return frame.filename, frame.lineno
        return self._path, None

    def _quote(self, path: str, line: int | None, needle: str, message: str) -> str:
        text = self._texts.get(path)
        if text is None or line is None:
            return f"{path}: {message}"
        lines = text.splitlines()
        package = f"{needle}." if needle else ""
        for number in range(line, min(line + _REACH, len(lines) + 1)) if needle else ():
            found = re.search(rf"(?<![\w.]){re.escape(needle)}(?!\w)", lines[number - 1])
            if found is None:
                continue
            if lines[number - 1].startswith(package, found.start()) and "is undefined" in message:
                message = (
                    f"'{needle}' is undefined. If it is a package: genredb supports none; "
                    "write the macro into the project."
                )
            return quoted((path, number, found.start() + 1), text, message, len(needle))
        return quoted((path, line, None), text, message)
