"""The verb ``test``: run the checks and unit tests on the published database."""

import time
from contextlib import ExitStack

from genredb.runner.artifacts.run_results import write_run_results
from genredb.runner.execution.engine import DUCKDB, Engine
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.walk import Walk
from genredb.runner.graph.compiler import compile_files
from genredb.runner.planning.built_with import as_built, read_built_with
from genredb.runner.planning.options import Options
from genredb.runner.planning.selection import chosen_nodes, refuse_notices
from genredb.runner.project.config import Config
from genredb.runner.reasons import Cause, Reason
from genredb.runner.results import BuildResult, Observer, SilentObserver
from genredb.warehouse.database import open_reader
from genredb.warehouse.publish import publication

_SILENT = SilentObserver()
_ALL = Options()


def test(
    config: Config, observer: Observer = _SILENT, options: Options = _ALL, engine: Engine = DUCKDB
) -> BuildResult:
    """Run all or the selected checks on the published database.

    The file is opened read-only unless failing rows are to be stored. Raises UsageError for a selector that
    matches nothing.
    """
    started = time.perf_counter()
    if config.database.is_file():
        with open_reader(config.database, config.engine) as reader:
            config = as_built(config, read_built_with(reader))
    compilation = compile_files(config)
    refuse_notices(compilation.notices, options)
    chosen = chosen_nodes(compilation, options)
    checks = [
        n for n in compilation.nodes.values() if n.is_check and (chosen is None or n.unique_id in chosen)
    ]
    with ExitStack() as stack:
        stack.callback(engine.close)
        opened, writer = (config.database, config.engine), None
        if options.store_failures:
            writer = stack.enter_context(publication(*opened))
        connection = writer.begin() if writer else stack.enter_context(open_reader(*opened))
        observer.begin(checks)
        runtime = Runtime(
            engine.executor(connection),
            compilation,
            store_failures=options.store_failures,
            warn_error=options.warn_error,
            fail_fast=options.fail_fast,
            may_write=writer is not None,
        )
        reasons = {node.unique_id: Reason(Cause.ASKED) for node in checks}
        results = tuple(Walk(runtime, reasons, observer).run())
        if writer:
            writer.commit()
            engine.publish()
    result = BuildResult(results, seconds=time.perf_counter() - started, messages=runtime.all_messages)
    write_run_results(config, "test", result)
    return result
