"""The verb ``retry``: resume the last failed build."""

from genredb.runner.execution.engine import DUCKDB
from genredb.runner.execution.job import run_job
from genredb.runner.execution.prepare import Request
from genredb.runner.extension import PLAIN, Extension
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from genredb.runner.project.find import project_digest
from genredb.runner.results import BuildResult, Observer, SilentObserver

_SILENT = SilentObserver()
_ALL = Options()


def retry(
    config: Config,
    observer: Observer = _SILENT,
    options: Options = _ALL,
    extension: Extension = PLAIN,
) -> BuildResult:
    """Resume the last failed build: nodes that succeeded in it and did not change do not run again.

    Raises UsageError if no build has failed since the last successful one.
    """
    request = Request(config, observer, options, extension, project_digest(config), DUCKDB)
    return run_job(request, is_retry=True)
