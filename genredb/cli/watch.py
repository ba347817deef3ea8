"""``genredb build --watch``: rebuilds after each edit until Ctrl-C."""

import signal
import time
from collections.abc import Callable
from dataclasses import replace

from genredb.cli import signals
from genredb.cli.console import Console
from genredb.cli.log import logger
from genredb.cli.observer import BuildObserver
from genredb.cli.options import Context
from genredb.cli.summary import report_build
from genredb.errors import DatabaseLockedError, GenredbError
from genredb.runner.build import build
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from genredb.runner.project.edits import GLANCE, Watched
from genredb.songs.extension import SONGS

_NAMED = 3


def watch(context: Context, options: Options) -> None:
    """Build after each edit until Ctrl-C. Errors are printed; the next edit may fix them.

    All builds run in one process, which saves the imports. A full refresh applies to the first build only.
    """
    config = context.config
    if not config.is_shipped:  # keep this project even if dbt_project.yml is missing for a moment
        context = replace(context, settings=replace(context.settings, project_dir=config.root))
    try:
        _watch(context, config, options)
    except (signals.InterruptedBySignal, Exception):
        if signals.arrived[:1] != [signal.SIGINT]:
            raise
    signals.ignore_the_rest()
    context.console.say("Stopped watching.")


def _watch(context: Context, config: Config, options: Options) -> None:
    console, watched = context.console, Watched(config)
    is_first = True
    while True:
        watched.look()
        _build_in_turn(context, options, watched, is_first=is_first)
        if is_first:
            console.say("Watching for edits; press Ctrl-C to stop.", "dim")
        is_first, options = False, replace(options, is_full_refresh=False)
        edited = watched.wait()
        names = ", ".join(config.show_path(path) for path in edited[:_NAMED])
        more = f" and {len(edited) - _NAMED:,} more" if len(edited) > _NAMED else ""
        logger.info("edit: %s%s", names, more)
        console.say(f"\n{names}{more} changed.", "bold")


def _build_in_turn(context: Context, options: Options, watched: Watched, *, is_first: bool) -> None:
    """Build as soon as no other process is writing to the database; print errors."""
    was_locked = False
    while True:
        try:
            fresh = replace(context)  # without the cached configuration
            with context.console.progress() as progress:
                observer = _Observer(context.console, progress, watched, is_first=is_first)
                result = build(fresh.config, observer, options, SONGS)
            report_build(fresh, result)
        except DatabaseLockedError as error:
            if not was_locked:
                context.console.complain(str(error))
            was_locked = True
            time.sleep(GLANCE)
            continue
        except (GenredbError, OSError) as error:
            context.console.complain(str(error))
        return


class _Observer(BuildObserver):
    """Prints a build; only the first one says which project and raw files it uses."""

    def __init__(
        self, console: Console, progress: Callable[[str, int, int], None], watched: Watched, *, is_first: bool
    ) -> None:
        super().__init__(console, progress)
        self._watched = watched
        self._is_first = is_first

    def settled(self, config: Config) -> None:
        """Watch the files of this configuration."""
        self._watched.settled(config)
        if self._is_first:
            super().settled(config)
