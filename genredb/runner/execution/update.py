"""Brings a relation up to date by the changed rows of its inputs alone, with the same rows as a build anew.

First, outside the database's transaction, the rows to add and to remove are computed; then they are applied.
"""

from collections.abc import Callable, Iterable, Mapping

from genredb.runner.execution.changes import Change
from genredb.runner.execution.keys import collected_keys, rows_with
from genredb.runner.execution.runtime import Runtime
from genredb.runner.flow.locality import ByKey, ByRow
from genredb.runner.graph.nodes import Check, Dataset, Model
from genredb.runner.planning.updates import inputs, is_ephemeral
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import quote

# If more of the inputs' rows changed than one in this many, a build anew costs less.
FEWEST_UNCHANGED = 4
# To compare more rows than this costs more than it may save.
MOST_COMPARED = 500_000
Sign = Callable[[Relation], Relation]


def known_locality(runtime: Runtime, node: Model | Check) -> ByRow | ByKey | None:
    """Return how a node can run for changed rows alone; None if it must read everything.

    That is so if a change is not known after all, or is large.
    """
    found = runtime.updates.localities.get(node.unique_id)
    if node.unique_id in runtime.whole or not isinstance(found, ByRow | ByKey):
        return None
    relations = _inputs(runtime, node)
    changes = {name: runtime.changes.of(relations[name]) for name in found.changed}
    if any(change is None for change in changes.values()):
        return None
    count = sum(change.rows for name in found.facts if (change := changes.get(name)))
    if not _is_few(runtime, [relations[name] for name in found.makers], count):
        return None
    if isinstance(found, ByKey) and found.lookups:  # few changed rows may reach many
        count = collected_keys(runtime, found, relations).count
        return found if _is_few(runtime, [relations[found.input]], count) else None
    return found


def _is_few(runtime: Runtime, relations: Iterable[Relation], count: int) -> bool:
    """Return True if this is a small part of tables' rows; to count those of a view would compute it."""
    rows = [runtime.changes.rows(relation) for relation in relations]
    return None in rows or count * FEWEST_UNCHANGED <= sum(of or 0 for of in rows)


def computed_change(runtime: Runtime, node: Model) -> Change | None:
    """Compute the rows to add to a model's relation and to remove from it; None if it is to be built anew."""
    locality = known_locality(runtime, node)
    if locality is None:
        return None
    changes, relation = runtime.changes, node.relation
    added, removed = changes.added(relation), changes.removed(relation)
    if isinstance(locality, ByRow):
        for place, sign in ((added, changes.added), (removed, changes.removed)):
            _create(runtime, place, partial_sql(runtime, node, locality, sign))
    else:
        before, after = changes.before(relation), changes.after(relation)
        _create(runtime, after, partial_sql(runtime, node, locality, changes.added))
        keys = collected_keys(runtime, locality, _inputs(runtime, node))
        ids = keys.rows(relation, locality.key, "part.rowid")
        _create(runtime, before, f"select * from {relation} where rowid in ({ids})")
        _compare(runtime, relation, before, after)
    return changes.record(relation)


def apply_change(runtime: Runtime, node: Model, change: Change) -> int:
    """Remove and add rows; return how many the relation has now."""
    run, relation = runtime.executor.run, node.relation
    if change.removed_rows:
        columns = [quote(name) for name in runtime.executor.columns(str(relation))]
        same = " and ".join(f"old.{column} is not distinct from gone.{column}" for column in columns)
        run(
            f"""
            delete from {relation} where rowid in (
                select row_id from (
                    select
                        old.rowid as row_id,
                        gone."genredb times",
                        row_number() over (partition by {", ".join(f"gone.{one}" for one in columns)}) as nth
                    from {relation} as old
                    inner join (
                        select *, count(*) as "genredb times" from {change.removed} group by all
                    ) as gone on {same}
                ) where nth <= "genredb times"
            )
            """
        )
    run(f"insert into {relation} select * from {change.added}")
    runtime.changes.in_place.add(relation.qualified_name)
    _, rows = runtime.executor.query(f"select count(*) from {relation}")
    return int(rows[0][0])


def keep_before(runtime: Runtime, node: Model) -> Relation | None:
    """Keep the rows of a table that is built anew, to find out what changes, if that is of use."""
    if node.unique_id not in runtime.updates.compared or runtime.executor.kind(node.relation) != "table":
        return None
    _, rows = runtime.executor.query(f"select count(*) from {node.relation}")
    if rows[0][0] > MOST_COMPARED:
        return None
    before = runtime.changes.before(node.relation)
    _create(runtime, before, f"select * from {node.relation}")
    return before


def compare(runtime: Runtime, node: Model, before: Relation) -> None:
    """Record what changed in a table that was built anew."""
    _compare(runtime, node.relation, before, node.relation)
    runtime.changes.record(node.relation)


def _compare(runtime: Runtime, relation: Relation, before: Relation, after: Relation) -> None:
    """Find the rows added and removed; rows that SQL calls equal are the same."""
    _create(runtime, runtime.changes.added(relation), f"from {after} except all from {before}")
    _create(runtime, runtime.changes.removed(relation), f"from {before} except all from {after}")
    runtime.executor.run(f"drop table {before}")


def partial_sql(runtime: Runtime, node: Model | Check, locality: ByRow | ByKey, sign: Sign) -> str:
    """Return a node's SQL over those rows of its inputs that matter, after making them available."""
    return _replaced(runtime.sql(node), partial_inputs(runtime, node, locality, sign))


def partial_inputs(
    runtime: Runtime, node: Model | Check, locality: ByRow | ByKey, sign: Sign
) -> dict[Relation, Relation]:
    """Make those rows of a node's inputs available that matter; return where, by input."""
    relations = _inputs(runtime, node)
    if isinstance(locality, ByRow):
        seen = {name: f"select * from {sign(relations[name])}" for name in locality.changed}
        seen |= {name: f"select * from {relations[name]} limit 0" for name in locality.others}
    else:
        keys = collected_keys(runtime, locality, relations)
        seen = {locality.input: rows_with(runtime, relations[locality.input], keys)}
    parts = {relations[name]: _part(runtime, node, relations[name], query) for name, query in seen.items()}
    return _with_views(runtime, node, parts)


def _part(runtime: Runtime, node: Model | Check, relation: Relation, query: str) -> Relation:
    """Make a part of a relation available: as a table if the node reads it several times."""
    if runtime.sql(node).count(str(relation)) < 2:
        return _view(runtime, relation, query)
    place = runtime.changes.copy(relation)
    _create(runtime, place, query)
    return place


def _with_views(
    runtime: Runtime, node: Model | Check, parts: Mapping[Relation, Relation]
) -> dict[Relation, Relation]:
    """Return the parts of what a node reads, after making views over parts where it reads views."""
    found: dict[Relation, Relation] = {}
    for unique_id in node.depends_on:
        read = runtime.compilation.nodes[unique_id]
        if isinstance(read, Model) and is_ephemeral(read):
            found |= _with_views(runtime, read, parts)
        elif isinstance(read, Model) and unique_id in runtime.updates.views:
            inside = _with_views(runtime, read, parts)
            if inside:
                found[read.relation] = _view(runtime, read.relation, _replaced(runtime.sql(read), inside))
        elif isinstance(read, Dataset) and read.relation in parts:
            found[read.relation] = parts[read.relation]
    return found


def _view(runtime: Runtime, relation: Relation, query: str) -> Relation:
    part, views = runtime.changes.part(relation), runtime.changes.views
    if views.get(part) != query:  # the nodes that read a relation often see the same part
        runtime.executor.run(f"create or replace view {part} as\n{query}")
        views[part] = query
    return part


def _replaced(sql: str, parts: Mapping[Relation, Relation]) -> str:
    for relation, part in parts.items():
        sql = sql.replace(str(relation), str(part))
    return sql


def _inputs(runtime: Runtime, node: Model | Check) -> dict[str, Relation]:
    """Return the relations that a node reads, also by views, by ``schema.name`` in lower case."""
    compilation = runtime.compilation
    nodes = (compilation.nodes[i] for i in inputs(compilation, node, runtime.updates.views))
    relations = [node.relation for node in nodes if isinstance(node, Dataset)]
    return {relation.qualified_name.lower(): relation for relation in relations}


def _create(runtime: Runtime, place: Relation, sql: str) -> None:
    runtime.executor.run(f"create or replace table {place} as\n{sql}")
