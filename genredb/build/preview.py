"""The verbs that say what a build would do or run: ``plan`` and ``rendered``; nothing is written."""

from contextlib import ExitStack
from dataclasses import replace

from genredb.build.built_with import with_raw_folder
from genredb.build.feature_columns import refuse_differing_features
from genredb.build.leak_guard import LeakGuard
from genredb.build.options import Options
from genredb.build.plan import Plan, make_plan
from genredb.build.runtime import TemplateDatabase, apply_settings
from genredb.build.selection import chosen_nodes
from genredb.build.state import read_state
from genredb.build.touched import touched_columns
from genredb.compile.compiler import compile_inline, compile_project
from genredb.compile.lineage import Lineage
from genredb.compile.nodes import NodeKind
from genredb.errors import UsageError
from genredb.project.config import Config
from genredb.project.discover import read_project
from genredb.warehouse.database import open_reader

_ALL = Options()


def plan(config: Config, options: Options = _ALL) -> Plan:
    """Return what a build would do now, and which columns of what it makes that touches.

    Nothing is written. ProjectErrors where a feature depends on a label.
    """
    with ExitStack() as stack:
        connection = None
        if config.database.is_file():
            connection = stack.enter_context(open_reader(config.database))
        state = read_state(connection)
        config = with_raw_folder(config, state.built_with)
        compilation = compile_project(read_project(config), is_full_refresh=options.is_full_refresh)
        chosen = chosen_nodes(compilation, options)
        found = make_plan(compilation, state, connection, chosen, options)
        if not found.is_proved:
            refuse_differing_features(compilation)
            LeakGuard(compilation, connection).refuse_leaks()
        if not state.nodes or found.is_empty or options.is_full_refresh:
            return found
        database = TemplateDatabase(connection) if connection else None
        return replace(found, touched=touched_columns(found, state, Lineage(compilation, database)))


def rendered(config: Config, name: str | None = None, template: str | None = None) -> str:
    """Return the SQL of a node, or of a template of no node; what it asks is asked of the published file."""
    project = read_project(config)
    with ExitStack() as stack:
        database = None
        if config.database.is_file():
            connection = stack.enter_context(open_reader(config.database))
            apply_settings(connection, config.profile)
            database = TemplateDatabase(connection)
        if template is not None:
            return compile_inline(project, template, database)
        compilation = compile_project(project)
        node = compilation.find(str(name))
        if node.kind is NodeKind.SEED:
            return f"select * from {node.relation}"
        if node.dynamic and database is None:
            raise UsageError(f"{node.name} calls {node.dynamic}, and there is no database yet to ask.")
        return compilation.compiler.sql(node, database) if database else node.sql
