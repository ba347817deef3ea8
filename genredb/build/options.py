"""What a build or test is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What a build or test is asked for: selectors, and how to treat what it finds.

    ``state_dir`` holds the artifacts that ``state:`` and ``result:`` selectors compare with. ``allow_drops``
    lets a build drop incremental tables, or more than half of the relations.
    """

    selected: Sequence[str] = ()
    excluded: Sequence[str] = ()
    is_full_refresh: bool = False
    store_failures: bool = False
    warn_error: bool = False
    state_dir: Path | None = None
    allow_drops: bool = False

    @property
    def may_be_current(self) -> bool:
        """Whether there may be nothing to do."""
        return self.is_everything and not (self.is_full_refresh or self.repeats_warned)

    @property
    def repeats_warned(self) -> bool:
        """Whether checks that warned run again: they are to fail now, or their rows to be kept."""
        return self.warn_error or self.store_failures

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.selected or self.excluded)
