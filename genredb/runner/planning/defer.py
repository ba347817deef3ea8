"""Which references a build takes from the relations of an earlier manifest (``--defer``), as dbt does."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from genredb.errors import UsageError
from genredb.runner.artifacts.files import read_artifact
from genredb.runner.artifacts.manifest import MANIFEST
from genredb.runner.graph.compiler import Compilation, compile_files, compile_project
from genredb.runner.planning.options import Options
from genredb.runner.planning.selection import chosen_nodes
from genredb.runner.project.config import Config
from genredb.runner.templates.relation import Relation
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_empty, relations, spill_folder


def compile_with(config: Config, options: Options, connection: Connection | None) -> Compilation:
    """Return the compilation for a build, which reads the relations of the state that it is to read."""
    full = options.is_full_refresh
    compilation = compile_files(config, is_full_refresh=full)
    deferred = _deferred_relations(compilation, options, connection) if options.defer else {}
    if not deferred:
        return compilation
    return compile_project(compilation.project, is_full_refresh=full, deferred=deferred)


def _deferred_relations(
    compilation: Compilation, options: Options, connection: Connection | None
) -> dict[str, Relation]:
    """Return the relations of the state that take the place of the project's own, by unique id.

    They are those of nodes that are read but not selected, and that the database lacks; with
    ``favor_state`` also of those that it has. UsageError if one does not exist there either.
    """
    chosen = chosen_nodes(compilation, options)
    state = read_artifact(options.state_dir / MANIFEST) if options.state_dir else None
    if chosen is None or state is None:  # all is built; `chosen_nodes` refuses a folder without a manifest
        return {}
    there = relations(connection) if connection else {}
    found: dict[str, Relation] = {}
    in_order = (unique_id for unique_id in compilation.nodes if unique_id in chosen)
    for unique_id in dict.fromkeys(_read_by(compilation, in_order)):
        own, stated = compilation.nodes[unique_id].built_relation, state.get("nodes", {}).get(unique_id)
        if own is None or unique_id in chosen or not stated or not stated.get("relation_name"):
            continue
        if options.favor_state or (str(own.schema), own.identifier) not in there:
            found[unique_id] = Relation(stated.get("database"), stated["schema"], stated["alias"])
    _refuse_missing(compilation, found, connection)
    return found


def _read_by(compilation: Compilation, chosen: Iterable[str]) -> Iterator[str]:
    """Yield what these nodes read, also by ephemeral models."""
    for unique_id in chosen:
        for parent in compilation.nodes[unique_id].depends_on:
            yield parent
            if compilation.nodes[parent].materialized == "ephemeral":
                yield from _read_by(compilation, [parent])


def _refuse_missing(
    compilation: Compilation, found: Mapping[str, Relation], connection: Connection | None
) -> None:
    """Raise UsageError for a relation that no attached database holds."""
    if connection is None:  # there is no database yet, but others may be attached
        config = compilation.project.config
        with closing(open_empty(spill_folder(config.database), config.engine)) as empty:
            _refuse_missing(compilation, found, empty)
        return
    sql = "select table_catalog, table_schema, table_name from information_schema.tables"
    there: set[Any] = set(connection.rows(sql))
    for unique_id, relation in found.items():
        if (relation.database, relation.schema, relation.identifier) not in there:
            node = compilation.nodes[unique_id]
            raise UsageError(
                f"--defer: the state has {node.name} in {relation}, which does not exist in "
                f"{compilation.project.config.database.name} or a database attached to it",
                cure=f"build it here: add it to --select, as in +{node.name}",
            )
