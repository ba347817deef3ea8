"""The leak guard's two proofs: on the lineage of the SQL, and on data with permuted labels.

Both run when the SQL, roles or configuration of the feature views or their upstream nodes change.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from genredb.errors import ProjectError, ProjectErrors, SqlError
from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.execution.executor import Executor
from genredb.runner.execution.located import located
from genredb.runner.execution.runtime import Runtime, TemplateDatabase
from genredb.runner.extension import Extension
from genredb.runner.flow.features import PROOF_ROWS, columns_of_role, feature_views, guarded_nodes, row_filter
from genredb.runner.flow.leaks import INTENDED, find_leaks, label_columns
from genredb.runner.flow.lineage import ColumnRef, Lineage, relation_key
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.fingerprint import portable_sql
from genredb.runner.graph.nodes import Dataset, Model, Source
from genredb.runner.project.package import HOOK_KEYS, PROJECT_FILE
from genredb.runner.results import Proof, ProvedView
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import column_types, open_memory, own_macros, quote, run_sql
from genredb.warehouse.user_sql import statement_kinds

_PROOF = quote("genredb proof")
_WRITES = frozenset("update insert delete merge create alter truncate copy drop".split())
_UNSTEADY = ProjectError(
    "Cannot rule out target leakage: features differ each time they are computed, as with random() or now()"
)


class LeakGuard:
    """The leak guard of one project; ``executor``, if any, provides what the files do not state."""

    def __init__(self, compilation: Compilation, executor: Executor | None, extension: Extension) -> None:
        self._compilation = compilation
        self._extension = extension
        self._lineage = Lineage(compilation, TemplateDatabase(executor) if executor else None)

    def refuse_leaks(self) -> None:
        """Prove by lineage that no feature depends on a label.

        ProjectErrors shows the paths of leaks, or the syntax errors if SQL cannot be parsed.
        """
        leaks = find_leaks(self._lineage)
        if leaks:
            raise ProjectErrors([*_syntax_errors(self._compilation)] or leaks)

    def prove_on_data(self, ledger: Connection, executor: Executor) -> Proof | None:
        """Rebuild the feature views in memory with permuted labels, and compare them with the originals.

        ``executor`` reads the built relations, of which only the first rows of each source are used. Returns
        None if a source or seed does not exist yet. Raises ProjectErrors if a feature changed or the SQL's
        lineage cannot be trusted.
        """
        compilation, lineage = self._compilation, self._lineage
        views, roots = feature_views(compilation), _roots(compilation)
        if not all(executor.kind(node.relation) for node in roots):
            return None
        _refuse_macros(compilation, ledger)
        _refuse_hooks(compilation)
        with _memory(ledger) as memory:
            for node in roots:
                memory.execute(f"create schema if not exists {quote(str(node.relation.schema))}")
                executor.copy_rows(node.relation, PROOF_ROWS, memory)
            _make_models(compilation, memory)
            unreadable = [*self._extension.unreadable_features(compilation, memory)]
            if unreadable:
                raise ProjectErrors(unreadable)
            errors = [*_unread(compilation, lineage, memory)]
            _keep(views, memory)
            labels = [
                ref
                for ref in sorted(label_columns(lineage))
                if not isinstance(lineage.nodes[ref.relation], Model)
            ]
            for ref in labels:
                _permute(memory, lineage.nodes[ref.relation], ref)
            _make_models(compilation, memory)
            errors += [found for view in views for found in _without_identity(view, memory)]
            if errors:
                raise ProjectErrors(errors)
            differences = [found for view in views for found in _differences(view, memory)]
            if differences:  # or do they differ even without permuted labels?
                _keep(views, memory)
                _make_models(compilation, memory)
                is_unsteady = any(next(_differences(view, memory), None) for view in views)
                raise ProjectErrors([_UNSTEADY] if is_unsteady else differences)
            return Proof(
                tuple(_proved(view, memory) for view in views),
                tuple(f"{ref.relation}.{ref.column}" for ref in labels),
            )


def _proved(view: Dataset, memory: Connection) -> ProvedView:
    [(rows,)] = memory.rows(f"select count(*) {_in_both(view)}")
    return ProvedView(relation_key(view), tuple(columns_of_role(view, "feature")), rows, row_filter(view))


def _models(compilation: Compilation) -> list[Model]:
    """Return the feature views and the upstream relations that the project creates."""
    return [n for n in guarded_nodes(compilation) if isinstance(n, Model) and n.is_built]


def _syntax_errors(compilation: Compilation) -> Iterator[ProjectError]:
    """Yield DuckDB's syntax errors in the feature views and their upstream nodes, with their places."""
    with open_memory() as memory:
        runtime = Runtime(DuckDBExecutor(memory), compilation, may_write=False)
        for node in _models(compilation):
            try:
                statement_kinds(memory, node.sql)
            except SqlError as error:
                yield located(runtime, node, error)


def _refuse_macros(compilation: Compilation, connection: Connection) -> None:
    """Raise an error for SQL that calls database macros: lineage does not see what they read."""
    macros = own_macros(connection)
    errors = []
    for node in _models(compilation) if macros else ():
        called = macros.intersection(word.lower() for word in re.findall(r"(\w+)\s*\(", node.sql))
        errors += [_unproved(node, f"it calls the macro {name}()") for name in sorted(called)]
    if errors:
        raise ProjectErrors(errors)


def _refuse_hooks(compilation: Compilation) -> None:
    """Raise an error for any hook that names a relation upstream of a feature view and may change it."""
    config = compilation.project.config
    stated = [(PROJECT_FILE, hook.text) for key in HOOK_KEYS for hook in config.hooks(key)]
    for node in compilation.nodes.values():
        hooks = [hook for key in ("pre-hook", "post-hook") for hook in node.config.get(key) or ()]
        stated += [(node.path, str(hook["sql"] if isinstance(hook, Mapping) else hook)) for hook in hooks]
    guarded = {node.relation.identifier.lower() for node in guarded_nodes(compilation)}
    errors = []
    for path, text in stated:
        words = {word.lower() for word in re.findall(r"\w+", text)}
        errors += [
            ProjectError(f"cannot rule out target leakage: a hook may change {name}", place=path)
            for name in sorted(words & guarded if words & _WRITES else ())
        ]
    if errors:
        raise ProjectErrors(errors)


def _unread(compilation: Compilation, lineage: Lineage, memory: Connection) -> Iterator[ProjectError]:
    """Yield an error for each relation whose columns DuckDB and the lineage disagree on."""
    for node in _models(compilation):
        relation = node.relation
        seen = set(lineage.flow(relation_key(node)).columns)
        there = {name.lower() for name in column_types(memory, str(relation.schema), relation.identifier)}
        if seen != there:
            yield _unproved(node, f"name these columns with `as`: {', '.join(sorted(seen ^ there))}")


def _unproved(node: Dataset, reason: str, **parts: Any) -> ProjectError:
    return ProjectError(f"cannot rule out target leakage: {reason}", place=node.path, **parts)


@contextlib.contextmanager
def _memory(connection: Connection) -> Iterator[Connection]:
    """Yield a connection to an in-memory database, attached to the database of another connection."""
    with connection.duplicate() as memory:
        database = str(memory.rows("select current_database()")[0][0])
        memory.execute(f"attach ':memory:' as {_PROOF} (read_write)")
        memory.execute(f"use {_PROOF}")
        try:
            yield memory
        finally:
            memory.execute(f"use {quote(database)}")
            memory.execute(f"detach {_PROOF}")


def _roots(compilation: Compilation) -> list[Dataset]:
    """Return the sources and seeds upstream of feature views, except sources that a model creates."""
    return [
        node
        for node in guarded_nodes(compilation)
        if not isinstance(node, Model) and not (isinstance(node, Source) and node.depends_on)
    ]


def _make_models(compilation: Compilation, memory: Connection) -> None:
    for node in _models(compilation):
        kind = "view" if node.materialization.is_view else "table"
        memory.execute(f"create schema if not exists {quote(str(node.relation.schema))}")
        _run(node, memory, f"create or replace {kind} {_here(node)} as\n{portable_sql(node, compilation)}")


def _permute(memory: Connection, node: Dataset, ref: ColumnRef) -> None:
    """Permute the labels between the rows of a table; the order of the rows stays the same."""
    label = quote(ref.column)
    memory.execute(
        f"""
        create or replace table {_here(node)} as
        with numbered as (
            select *, row_number() over () as "genredb row" from {_here(node)}
        ),
        shuffled as (
            select
                {label} as "genredb label",
                row_number() over (order by hash("genredb row"), "genredb row") as "genredb row"
            from numbered
        )
        select numbered.* exclude ("genredb row") replace (shuffled."genredb label" as {label})
        from numbered
        inner join shuffled on numbered."genredb row" = shuffled."genredb row"
        order by numbered."genredb row"
        """
    )


def _keep(views: Iterable[Dataset], memory: Connection) -> None:
    """Keep a copy of the current feature views for later comparison."""
    for view in views:
        _run(view, memory, f"create or replace table {_before(view)} as from {_here(view)}")


def _run(node: Dataset, memory: Connection, sql: str) -> None:
    try:
        run_sql(memory, sql)
    except SqlError as error:
        choices = {"name": error.name, "choices": error.choices, "cure": error.cure}
        raise ProjectErrors([_unproved(node, error.what, **choices)]) from None


def _without_identity(view: Dataset, memory: Connection) -> Iterator[ProjectError]:
    """Yield an error if a view's rows cannot be told apart."""
    keys = columns_of_role(view, "id")
    if not keys:
        what = f"{view.label} has features but no column with `role: id` to identify its rows"
        yield ProjectError(what, place=view.path)
        return
    listed = ", ".join(map(quote, keys))
    doubled = " union all ".join(
        f"(select 1 from {relation} group by {listed} having count(*) > 1 limit 1)"
        for relation in (_here(view), _before(view))
    )
    if memory.rows(doubled):
        what = f"several rows of {view.label} have the same {', '.join(keys)}, its role of id"
        yield ProjectError(what, place=view.path)


def _differences(view: Dataset, memory: Connection) -> Iterator[ProjectError]:
    """Yield an error for each feature that changed, and for rows that were added or removed."""
    features = columns_of_role(view, "feature")
    now, before = _here(view), _before(view)
    changed = [
        f"count(*) filter (where now_.{name} is distinct from before_.{name})"
        for name in map(quote, features)
    ]
    common, *counts = memory.rows(f"select count(*), {', '.join(changed)} {_in_both(view)}")[0]
    for name, count in zip(features, counts, strict=True):
        if count:
            yield ProjectError(
                f"the feature {name} of {view.label} depends on a label: with the labels permuted, "
                f"{count} of {common} rows have a different value",
                place=view.path,
            )
    totals = memory.rows(f"select count(*) from {now} union all select count(*) from {before}")
    if not row_filter(view) and any(total != common for (total,) in totals):
        yield ProjectError(
            f"which rows {view.label} has depends on a label: with the labels permuted, they differ",
            place=view.path,
            cure=INTENDED,
        )


def _in_both(view: Dataset) -> str:
    """Return the rows that a view has now and had before, side by side."""
    keys = map(quote, columns_of_role(view, "id"))
    same = " and ".join(f"now_.{key} is not distinct from before_.{key}" for key in keys)
    return f"from {_here(view)} as now_ inner join {_before(view)} as before_ on {same}"


def _here(node: Dataset) -> str:
    return str(node.relation.include(database=False))


def _before(view: Dataset) -> str:
    return f"main.{quote(f'before {relation_key(view)}')}"
