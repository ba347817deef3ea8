"""The verb ``build``: bring the database up to date with the project and its raw files.

A build runs the nodes of the graph in order, upstream first. Nodes downstream of a failure are skipped, and
nothing is published unless every node, and every check of severity ``error``, succeeded. A failed build is
kept for ``retry``. If nothing changed, comparing the files' contents shows it, without importing the modules
that compile and run a project.
"""

import time

from genredb.runner.artifacts.run_results import write_run_results
from genredb.runner.execution.engine import DUCKDB, Engine
from genredb.runner.extension import PLAIN, Extension
from genredb.runner.planning.options import Options
from genredb.runner.planning.receipt import read_receipt
from genredb.runner.project.config import Config
from genredb.runner.project.find import project_digest
from genredb.runner.results import BuildResult, Observer, SilentObserver

_SILENT = SilentObserver()
_ALL = Options()


def build(
    config: Config,
    observer: Observer = _SILENT,
    options: Options = _ALL,
    extension: Extension = PLAIN,
    engine: Engine = DUCKDB,
) -> BuildResult:
    """Bring the database up to date with the project's files and the raw files.

    Nodes whose text, configuration, upstream nodes and input files are unchanged are skipped; if all are,
    nothing is written. Raises GenredbError if files are invalid; failing checks and failing SQL are reported
    in the result.
    """
    started = time.perf_counter()
    # Computed before the files are read, so that the next build sees edits made during this one.
    files_digest = project_digest(config)
    receipt = read_receipt(config, files_digest) if options.may_be_current and engine.has_receipt else None
    if receipt is not None:
        observer.settled(config)
        seconds = time.perf_counter() - started
        result = BuildResult((), seconds=seconds, standing_warnings=receipt.warnings)
        write_run_results(config, "build", result)
        config.failed_build.unlink(missing_ok=True)
        return result
    from genredb.runner.execution.job import run_job  # noqa: PLC0415 - slow to import, and often not needed
    from genredb.runner.execution.prepare import Request  # noqa: PLC0415

    try:
        return run_job(Request(config, observer, options, extension, files_digest, engine))
    finally:
        engine.close()
