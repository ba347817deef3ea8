"""The options of a build or test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The options of a build or test: selectors, and how to treat the results.

    ``state_dir`` holds the artifacts that ``state:`` and ``result:`` selectors compare with. ``allow_drops``
    allows a build to drop incremental tables or more than half of the relations. With ``fail_fast``, what has
    not run when something fails is skipped. With ``defer``, nodes that are not selected are read from the
    relations of the state if the database lacks them, with ``favor_state`` in any case.
    """

    selected: Sequence[str] = ()
    excluded: Sequence[str] = ()
    is_full_refresh: bool = False
    store_failures: bool = False
    warn_error: bool = False
    state_dir: Path | None = None
    allow_drops: bool = False
    fail_fast: bool = False
    defer: bool = False
    favor_state: bool = False

    @property
    def may_be_current(self) -> bool:
        """True if a build with these options may have nothing to do."""
        return self.is_everything and not (self.is_full_refresh or self.repeats_warned)

    @property
    def repeats_warned(self) -> bool:
        """True if checks that warned run again, to fail this time or to store their rows."""
        return self.warn_error or self.store_failures

    @property
    def is_everything(self) -> bool:
        """True if nothing is excluded."""
        return not (self.selected or self.excluded)
