"""Collects the errors of a project while it is read and compiled."""

import contextlib
from collections.abc import Iterator

from genredb.errors import FollowUpError, ProjectError, ProjectErrors


class Problems:
    """The errors of a project so far, so that users see all of them at once.

    ``hides_more`` means that something could not be read at all; then what is missing may well be in it, and
    a FollowUpError says nothing.
    """

    def __init__(self) -> None:
        self._errors: list[ProjectError] = []
        self.hides_more = False

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Collect a ProjectError that the block raises."""
        try:
            yield
        except ProjectErrors as error:
            self._errors += error.errors
        except ProjectError as error:
            self._errors.append(error)

    @contextlib.contextmanager
    def gathered_of_all(self) -> Iterator[None]:
        """Collect a ProjectError because of which the rest of the block is missing."""
        before = len(self._errors)
        with self.gathered():
            yield
        self.hides_more |= len(self._errors) > before

    def add(self, error: ProjectError) -> None:
        """Collect an error."""
        self._errors.append(error)

    def raise_all(self) -> None:
        """Raise the collected errors once each, if any: a single one as it is, several as ProjectErrors."""
        causes = [error for error in self._errors if not isinstance(error, FollowUpError)]
        told = causes if self.hides_more and causes else self._errors
        errors = list({str(error): error for error in told}.values())
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ProjectErrors(errors)
