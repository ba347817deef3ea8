"""The verb ``check``: runs the checks and unit tests on the published database."""

import time
from contextlib import ExitStack

from genredb.build.built_with import as_built, read_built_with
from genredb.build.options import Options
from genredb.build.results import BuildResult, Observer, SilentObserver
from genredb.build.run_results import write_run_results
from genredb.build.runtime import Runtime, apply_settings
from genredb.build.selection import chosen_nodes, refuse_notices
from genredb.build.walk import Walk
from genredb.compile.compiler import compile_project
from genredb.project.config import Config
from genredb.project.discover import read_project
from genredb.warehouse.database import open_reader
from genredb.warehouse.publish import publication

_SILENT = SilentObserver()
_ALL = Options()


def check(config: Config, observer: Observer = _SILENT, options: Options = _ALL) -> BuildResult:
    """Run the checks on the published database: all, or those that are selected.

    The file is only read, unless failing rows are to be stored. Raises UsageError for a selector that
    matches nothing.
    """
    started = time.perf_counter()
    if config.database.is_file():
        with open_reader(config.database) as reader:
            config = as_built(config, read_built_with(reader))
    compilation = compile_project(read_project(config))
    refuse_notices(compilation, options)
    chosen = chosen_nodes(compilation, options)
    checks = [
        n for n in compilation.nodes.values() if n.is_check and (chosen is None or n.unique_id in chosen)
    ]
    with ExitStack() as stack:
        turn = stack.enter_context(publication(config.database)) if options.store_failures else None
        connection = turn.begin() if turn else stack.enter_context(open_reader(config.database))
        apply_settings(connection, config.profile)
        observer.begin(checks)
        runtime = Runtime(
            connection,
            compilation,
            store_failures=options.store_failures,
            warn_error=options.warn_error,
            may_write=turn is not None,
        )
        reasons = {node.unique_id: "asked for" for node in checks}
        results = tuple(Walk(runtime, reasons, observer).run())
        if turn:
            turn.commit()
    result = BuildResult(results, seconds=time.perf_counter() - started, messages=tuple(compilation.messages))
    write_run_results(config, "test", result)
    return result
