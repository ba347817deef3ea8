"""Creates the relation of a node: the functions named in MATERIALIZATIONS, and one for seeds."""

import contextlib
import pkgutil
from dataclasses import replace

from genredb.errors import ProjectError
from genredb.runner.execution.contracts import create_declared, refuse_breach
from genredb.runner.execution.foreign_keys import released
from genredb.runner.execution.incremental import add_rows, is_to_be_added_to, refuse_unknown
from genredb.runner.execution.python_model import RESULT, run_python
from genredb.runner.execution.runtime import Runtime
from genredb.runner.execution.snapshot import add_changes
from genredb.runner.execution.update import apply_change, compare, computed_change, keep_before
from genredb.runner.graph.nodes import Built, Model, PythonModel, Seed, Snapshot
from genredb.runner.graph.snapshots import settings_of, snapshot_sql
from genredb.runner.project.files import delimiter
from genredb.runner.project.types import sql_type


def materialize(runtime: Runtime, node: Built) -> int | None:
    """Create the node's relation and run its hooks; return the number of rows of a table.

    Everything runs in one transaction, except hooks with ``transaction: false``. If the changed rows of its
    inputs are known, only what they change is computed.
    """
    if isinstance(node, Model) and node.unique_id in runtime.updates.localities:
        return _updated(runtime, node)
    return _created(runtime, node)


def _updated(runtime: Runtime, node: Model) -> int | None:
    change = computed_change(runtime, node)
    if change is not None and node.materialized == "table":
        runtime.incremental.add(node.unique_id)
        with runtime.executor.transaction():
            return apply_change(runtime, node, change)
    before = keep_before(runtime, node)
    rows = _created(runtime, node)
    if before is not None:
        compare(runtime, node, before)
    return rows


def _created(runtime: Runtime, node: Built) -> int | None:
    _run_hooks(runtime, node, "pre-hook", is_inside=False)
    is_python = isinstance(node, PythonModel)
    names = runtime.executor.names_of_python() if is_python else contextlib.nullcontext()
    with names, runtime.executor.transaction():
        runtime.executor.create_schema(node.relation)
        _run_hooks(runtime, node, "pre-hook")
        rows = _made(runtime, node)
        _run_hooks(runtime, node, "post-hook")
    _run_hooks(runtime, node, "post-hook", is_inside=False)
    return rows


def _made(runtime: Runtime, node: Built) -> int | None:
    if isinstance(node, Seed):
        return load_seed(runtime, node)
    rows: int | None = pkgutil.resolve_name(node.materialization.function)(runtime, node)
    if isinstance(node, PythonModel):
        runtime.executor.run(f"drop table if exists {RESULT}")
    return rows


def _run_hooks(runtime: Runtime, node: Built, key: str, *, is_inside: bool = True) -> None:
    hooks = runtime.compilation.deferred.hooks(node, key, runtime.database, is_transactional=is_inside)
    for hook in hooks:
        if sql := runtime.said(hook).strip():
            runtime.executor.run(sql)


def table(runtime: Runtime, node: Model) -> int | None:
    """Create a table from the query, with the constraints of the model's contract if it has one."""
    sql = model_sql(runtime, node)
    refuse_breach(runtime, node, sql)
    with released(runtime, node.relation.qualified_name):
        if node.contract is not None:
            return create_declared(runtime, node.relation, node.contract, sql)
        return runtime.executor.create(node.relation, "table", sql)


def view(runtime: Runtime, node: Model) -> int | None:
    """Create a view from the query."""
    sql = model_sql(runtime, node)
    refuse_breach(runtime, node, sql)
    with released(runtime, node.relation.qualified_name):
        return runtime.executor.create(node.relation, "view", sql)


def incremental(runtime: Runtime, node: Model) -> int | None:
    """Add new rows to the table, or create it from the whole query if it does not exist."""
    refuse_unknown(node)
    if not is_to_be_added_to(runtime, node):
        return table(runtime, node)
    sql = model_sql(runtime, node, is_incremental=True)
    refuse_breach(runtime, node, sql)
    return add_rows(runtime, node, sql)


def snapshot(runtime: Runtime, node: Snapshot) -> int | None:
    """Add the rows that changed to the snapshot, or create it if it does not exist."""
    sql = model_sql(runtime, node)
    if runtime.executor.kind(node.relation) == "table":
        return add_changes(runtime, node, sql)
    return runtime.executor.create(node.relation, "table", snapshot_sql(settings_of(node), sql))


def model_sql(runtime: Runtime, node: Model, *, is_incremental: bool = False) -> str:
    """Return the query of a model, after running its ``sql_header`` or, if it is Python, its code."""
    if isinstance(node, PythonModel):
        inputs = runtime.compilation.deferred.names.read_relation
        return run_python(runtime.executor, node, inputs, is_incremental=is_incremental)
    header = str(node.config.get("sql_header") or "").strip()
    if header:
        runtime.executor.run(header)
    return runtime.sql(node, is_incremental=is_incremental)


def load_seed(runtime: Runtime, node: Seed) -> int:
    """Create the table of a seed from its CSV; return the number of rows."""
    seed = runtime.compilation.project.seeds[node.unique_id]
    separator = delimiter(node.config.get("delimiter"), node.path)
    types = {
        str(name): sql_type(data_type, f"`column_types:` of {name}", node.path)
        for name, data_type in (node.config.get("column_types") or {}).items()
    }
    try:
        known = runtime.seed_types.get(node.unique_id, types)
        return runtime.executor.load_seed(node.relation, seed.file, separator, known)
    except ProjectError as error:
        if error.place.path:
            raise
        raise error.at(replace(error.place, path=node.path)) from None
