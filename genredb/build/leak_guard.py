"""The leak guard's two proofs: on the lineage of the SQL, and on data whose labels were permuted.

Both run where the SQL, the roles or the configuration of what feature views are made of changed.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping

from genredb.build.feature_columns import unreadable_features
from genredb.build.locate import located
from genredb.build.results import Proof
from genredb.build.runtime import Runtime, TemplateDatabase, relation_of
from genredb.compile.compiler import Compilation
from genredb.compile.features import columns_of_role, feature_views, guarded_nodes, row_filter
from genredb.compile.fingerprint import portable_sql
from genredb.compile.leaks import find_leaks, label_columns
from genredb.compile.lineage import ColumnRef, Lineage, relation_key
from genredb.compile.nodes import Node, NodeKind
from genredb.errors import ProjectErrors, SqlError
from genredb.warehouse.database import (
    Connection,
    column_types,
    fetch_all,
    open_memory,
    own_macros,
    quote,
    relation_exists,
    run_sql,
)
from genredb.warehouse.user_sql import statement_kinds

# Rows of each source that the proof on data takes: enough for a feature that depends on a label to show it.
PROOF_ROWS = 1_000
_PROOF = quote("genredb proof")
_WRITES = frozenset("update insert delete merge create alter truncate copy drop".split())
_UNSTEADY = (
    "It cannot be proved that no label leaks: features are others each time they are made, "
    "as by random() or now()."
)


class LeakGuard:
    """The guard of one project; ``connection``, if there is a database, tells what no file states."""

    def __init__(self, compilation: Compilation, connection: Connection | None) -> None:
        self._compilation = compilation
        self._lineage = Lineage(compilation, TemplateDatabase(connection) if connection else None)

    def refuse_leaks(self) -> None:
        """Prove by lineage that no feature depends on a label.

        ProjectErrors prints the paths of leaks; where SQL cannot be parsed, it says that instead.
        """
        leaks = find_leaks(self._lineage)
        if leaks:
            raise ProjectErrors([*_syntax_errors(self._compilation)] or leaks)

    def prove_on_data(self, connection: Connection) -> Proof | None:
        """Rebuild the feature views in memory, labels permuted, and hold them against those of before.

        ``connection`` is to the built database, of which only the first rows of each source are looked at.
        Returns None where a source or seed is not there yet. Raises ProjectErrors where a feature changed,
        or where the SQL's lineage is not to be trusted.
        """
        compilation, lineage = self._compilation, self._lineage
        views, roots = feature_views(compilation), _roots(compilation)
        if not all(_is_there(connection, node) for node in roots):
            return None
        _refuse_macros(compilation, connection)
        _refuse_hooks(compilation)
        with _memory(connection) as (memory, database):
            for node in roots:
                memory.execute(f"create schema if not exists {quote(str(relation_of(node).schema))}")
                rows = f"from {database}.{_here(node)} limit {PROOF_ROWS}"
                memory.execute(f"create table {_here(node)} as {rows}")
            _make_models(compilation, memory)
            unreadable = [*unreadable_features(compilation, memory)]
            if unreadable:
                raise ProjectErrors(unreadable)
            errors = [*_unread(compilation, lineage, memory)]
            _keep(views, memory)
            for ref in sorted(label_columns(lineage)):
                if lineage.nodes[ref.relation].kind is not NodeKind.MODEL:
                    _permute(memory, lineage.nodes[ref.relation], ref)
            _make_models(compilation, memory)
            errors += [found for view in views for found in _without_identity(view, memory)]
            if errors:
                raise ProjectErrors(errors)
            differences = [found for view in views for found in _differences(view, memory)]
            if differences:  # or do they differ by themselves?
                _keep(views, memory)
                _make_models(compilation, memory)
                is_unsteady = any(next(_differences(view, memory), None) for view in views)
                raise ProjectErrors([_UNSTEADY] if is_unsteady else differences)
        return Proof(len(views), sum(len(columns_of_role(view, "feature")) for view in views))


def _models(compilation: Compilation) -> list[Node]:
    """Return the feature views, and the relations that the project makes for them."""
    return [n for n in guarded_nodes(compilation) if n.kind is NodeKind.MODEL and n.is_built]


def _syntax_errors(compilation: Compilation) -> Iterator[str]:
    """Yield what DuckDB cannot parse of the feature views and what they are made of, with its place."""
    with open_memory() as memory:
        runtime = Runtime(memory, compilation, may_write=False)
        for node in _models(compilation):
            try:
                statement_kinds(memory, node.sql)
            except SqlError as error:
                yield located(runtime, node, error)


def _refuse_macros(compilation: Compilation, connection: Connection) -> None:
    """Refuse SQL that calls macros of the database: the lineage does not see what they read."""
    macros = own_macros(connection)
    errors = []
    for node in _models(compilation) if macros else ():
        called = macros.intersection(word.lower() for word in re.findall(r"(\w+)\s*\(", node.sql))
        errors += [_unproved(node, f"it calls the macro {name}()") for name in sorted(called)]
    if errors:
        raise ProjectErrors(errors)


def _refuse_hooks(compilation: Compilation) -> None:
    """Refuse hooks, whosever they are, that name what feature views are made of and may change it."""
    config = compilation.project.config
    stated = [("dbt_project.yml", text) for text in (*config.on_run_start, *config.on_run_end)]
    for node in compilation.nodes.values():
        hooks = [hook for key in ("pre-hook", "post-hook") for hook in node.config.get(key) or ()]
        stated += [(node.path, str(hook["sql"] if isinstance(hook, Mapping) else hook)) for hook in hooks]
    guarded = {relation_of(node).identifier.lower() for node in guarded_nodes(compilation)}
    errors = []
    for path, text in stated:
        words = {word.lower() for word in re.findall(r"\w+", text)}
        errors += [
            f"{path}: it cannot be proved that no label leaks: a hook may change {name}."
            for name in sorted(words & guarded if words & _WRITES else ())
        ]
    if errors:
        raise ProjectErrors(errors)


def _unread(compilation: Compilation, lineage: Lineage, memory: Connection) -> Iterator[str]:
    """Yield where DuckDB sees other columns than the lineage."""
    for node in _models(compilation):
        relation = relation_of(node)
        seen = set(lineage.flow(relation_key(node)).columns)
        there = {name.lower() for name in column_types(memory, str(relation.schema), relation.identifier)}
        if seen != there:
            yield _unproved(node, f"give these columns names by `as`: {', '.join(sorted(seen ^ there))}")


def _unproved(node: Node, reason: str) -> str:
    return f"{node.path}: it cannot be proved that no label leaks: {reason.rstrip('.')}."


@contextlib.contextmanager
def _memory(connection: Connection) -> Iterator[tuple[Connection, str]]:
    """Give a cursor that works in a database in memory, and the name of the built one."""
    with contextlib.closing(connection.cursor()) as cursor:
        database = str(fetch_all(cursor, "select current_database()")[0][0])
        cursor.execute(f"attach ':memory:' as {_PROOF} (read_write)")
        cursor.execute(f"use {_PROOF}")
        try:
            yield cursor, quote(database)
        finally:
            cursor.execute(f"use {quote(database)}")
            cursor.execute(f"detach {_PROOF}")


def _roots(compilation: Compilation) -> list[Node]:
    """Return the sources and seeds that feature views are made of; not other names of what a model makes."""
    return [
        node
        for node in guarded_nodes(compilation)
        if node.kind is not NodeKind.MODEL and not (node.kind is NodeKind.SOURCE and node.depends_on)
    ]


def _is_there(connection: Connection, node: Node) -> bool:
    relation = relation_of(node)
    return bool(relation_exists(connection, str(relation.schema), relation.identifier))


def _make_models(compilation: Compilation, memory: Connection) -> None:
    for node in _models(compilation):
        kind = "view" if node.materialized == "view" else "table"
        memory.execute(f"create schema if not exists {quote(str(relation_of(node).schema))}")
        _run(node, memory, f"create or replace {kind} {_here(node)} as\n{portable_sql(node, compilation)}")


def _permute(memory: Connection, node: Node, ref: ColumnRef) -> None:
    """Give each row of a table the label of another one; the order of the rows stays."""
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


def _keep(views: Iterable[Node], memory: Connection) -> None:
    """Keep the feature views as they are now, to be held against them later."""
    for view in views:
        _run(view, memory, f"create or replace table {_before(view)} as from {_here(view)}")


def _run(node: Node, memory: Connection, sql: str) -> None:
    try:
        run_sql(memory, sql)
    except SqlError as error:
        raise ProjectErrors([_unproved(node, str(error))]) from None


def _without_identity(view: Node, memory: Connection) -> Iterator[str]:
    """Yield what keeps a view's rows from being told apart."""
    keys = columns_of_role(view, "id")
    if not keys:
        yield f"{view.path}: {view.label} has features but no column of role id, which tells its rows apart."
        return
    listed = ", ".join(map(quote, keys))
    doubled = " union all ".join(
        f"(select 1 from {relation} group by {listed} having count(*) > 1 limit 1)"
        for relation in (_here(view), _before(view))
    )
    if fetch_all(memory, doubled):
        yield f"{view.path}: several rows of {view.label} have the same {', '.join(keys)}, its role of id."


def _differences(view: Node, memory: Connection) -> Iterator[str]:
    """Yield a sentence for each feature that is another one now, and for rows that came or went."""
    keys, features = columns_of_role(view, "id"), columns_of_role(view, "feature")
    now, before = _here(view), _before(view)
    same = " and ".join(f"now_.{key} is not distinct from before_.{key}" for key in map(quote, keys))
    changed = [
        f"count(*) filter (where now_.{name} is distinct from before_.{name})"
        for name in map(quote, features)
    ]
    joined = f"from {now} as now_ inner join {before} as before_ on {same}"
    common, *counts = fetch_all(memory, f"select count(*), {', '.join(changed)} {joined}")[0]
    for name, count in zip(features, counts, strict=True):
        if count:
            yield (
                f"{view.path}: the feature {name} of {view.label} depends on a label: with the labels "
                f"permuted, {count} of {common} rows have another value."
            )
    totals = fetch_all(memory, f"select count(*) from {now} union all select count(*) from {before}")
    if not row_filter(view) and any(total != common for (total,) in totals):
        yield (
            f"{view.path}: which rows {view.label} has depends on a label: with the labels permuted, "
            "others are there. If that is meant, say `config: {meta: {row_filter: label}}` of the model."
        )


def _here(node: Node) -> str:
    return str(relation_of(node).include(database=False))


def _before(view: Node) -> str:
    return f"main.{quote(f'before {relation_key(view)}')}"
