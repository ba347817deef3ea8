"""The verbs ``build`` and ``retry``.

A build walks the graph once, upstream first. What failed keeps what depends on it from running;
nothing is published unless every node and every check of severity ``error`` succeeded. A failed build
is kept aside, and ``retry`` goes on from it. Where nothing changed, that is found by bytes alone, without
importing what compiles and runs a project.
"""

import time

from genredb.build.current import read_receipt
from genredb.build.options import Options
from genredb.build.results import BuildResult, Observer, SilentObserver
from genredb.build.run_results import write_run_results
from genredb.project.config import Config
from genredb.project.find import project_digest

_SILENT = SilentObserver()
_ALL = Options()


def build(config: Config, observer: Observer = _SILENT, options: Options = _ALL) -> BuildResult:
    """Bring the database up to date with the project's files and the raw CSVs.

    Nodes whose text, configuration, upstream and input files did not change are left as they are; if
    that is all of them, nothing is written. Raises GenredbError where files are wrong; failing checks
    and failing SQL are in the result.
    """
    started = time.perf_counter()
    # Taken before the files are read: an edit during the build is seen by the next one.
    files_digest = project_digest(config)
    receipt = read_receipt(config, files_digest) if options.may_be_current else None
    if receipt is not None:
        observer.settled(config)
        seconds = time.perf_counter() - started
        result = BuildResult((), seconds=seconds, standing_warnings=receipt.warnings)
        write_run_results(config, "build", result)
        config.failed_build.unlink(missing_ok=True)
        return result
    from genredb.build.job import run_job  # noqa: PLC0415 - slow to import, and often not needed

    return run_job(config, observer, options, files_digest)


def retry(config: Config, observer: Observer = _SILENT, options: Options = _ALL) -> BuildResult:
    """Go on from the last failed build: what succeeded in it and did not change is not run again.

    Raises UsageError where no build failed since the last one that succeeded.
    """
    from genredb.build.job import run_job  # noqa: PLC0415

    return run_job(config, observer, options, project_digest(config), is_retry=True)
