"""``target/genredb.log``: what each run was asked, what it did, warned of, and how it ended; a line each.

Nothing fails because the log cannot be written, and no folder is made for it: where there is no target
folder, nothing was built yet.
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
    """Begin the log of a run, in the target folder of its project; return the configuration."""
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
    """Write how the run ended."""
    logger.info("end: exit %s after %.3f s", exit_code or 0, time.perf_counter() - _started)


class _Log(RotatingFileHandler):
    """Writes records to a file once its folder is there, and keeps them until then."""

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
        """Do without the log."""


class _Line(logging.Formatter):
    """Formats a record as one line, whatever it holds."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(process)d %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        return visible_cell(super().format(record))
