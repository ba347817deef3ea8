"""What a build or test is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genredb.build.artifacts import read_before
from genredb.compile import Compilation, select
from genredb.errors import ProjectErrors


@dataclass(frozen=True)
class Options:
    """What a build or test is asked for: selectors, and how to treat what it finds.

    ``state_dir`` holds the artifacts that ``state:`` and ``result:`` selectors compare with.
    """

    selected: Sequence[str] = ()
    excluded: Sequence[str] = ()
    is_full_refresh: bool = False
    store_failures: bool = False
    warn_error: bool = False
    state_dir: Path | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.selected or self.excluded)


def chosen_nodes(compilation: Compilation, options: Options) -> set[str] | None:
    """Return the unique ids that are selected, or None for everything."""
    if options.is_everything:
        return None
    before = read_before(compilation.project.config, options.state_dir)
    return select(compilation, options.selected, options.excluded, before)


def refuse_notices(compilation: Compilation, options: Options) -> None:
    """Under ``--warn-error``, refuse a project that says what has no effect."""
    if options.warn_error and compilation.notices:
        raise ProjectErrors(compilation.notices)
