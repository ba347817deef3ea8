"""``target/genredb.log``: one line for each event of a run.

A log that cannot be written is no error, and no folder is created for it: without a target folder, nothing
has been built yet.
"""

import logging
import shlex
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from genredb.cli.visible import visible_cell
from genredb.runner.project.config import Config
from genredb.version import __version__

BYTES = 1 << 20
logger = logging.getLogger("genredb")
logger.addHandler(logging.NullHandler())
logger.propagate = False
logger.setLevel(logging.INFO)
_started = time.perf_counter()


def logged(config: Config) -> Config:
    """Start the log of a run in the project's target folder; return the configuration."""
    kept = [handler for handler in logger.handlers if isinstance(handler, _Log)]
    if not any(Path(handler.baseFilename) == config.log_file for handler in kept):
        for handler in kept:
            logger.removeHandler(handler)
            handler.close()
        logger.addHandler(_Log(config.log_file))
        arguments = shlex.join(sys.argv[1:])
        logger.info("run: genredb %s (version %s, in %s)", arguments, __version__, Path.cwd())
    return config


def log_end(exit_code: object) -> None:
    """Log the exit code and the elapsed time."""
    logger.info("end: exit %s after %.3f s", exit_code or 0, time.perf_counter() - _started)


class _Log(RotatingFileHandler):
    """Writes records to a file, and keeps them in memory until the file's folder exists."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=BYTES, backupCount=1, encoding="utf-8", delay=True)
        self._path = path
        self._kept: list[logging.LogRecord] = []
        self.setFormatter(_Line())

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record)
        if self.stream is None and not self._can_be_opened():
            return
        kept, self._kept = self._kept, []
        for one in kept:
            super().emit(one)

    def _can_be_opened(self) -> bool:
        try:
            return self._path.is_file() or (self._path.parent.is_dir() and not self._path.exists())
        except OSError:
            return False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Ignore the error."""


class _Line(logging.Formatter):
    """Formats a record as one line; line breaks become visible characters."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(process)d %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        return visible_cell(super().format(record))
