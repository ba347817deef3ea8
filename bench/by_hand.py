"""The plain DuckDB script that builds are compared with: the same statements without genredb.

It loads the same CSVs into typed tables, runs the same SQL of every seed, model and check in the same
order, checkpoints, closes and flushes the file, and does nothing else. Its statements are taken from the
compiled project.
"""

import json
import sys
from pathlib import Path

from bench.timing import Timing, timed
from genredb.runner.graph.compiler import Compilation, compile_project
from genredb.runner.graph.nodes import Check, Dataset, Model, Seed
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.runner.project.raw_folder import source_files
from genredb.songs.tables import ML_TABLES
from genredb.warehouse.database import open_memory
from genredb.warehouse.settings import Setting
from genredb.warehouse.tables import create_tables

SCRIPT = Path(__file__).with_name("script.py")


class ByHand:
    """The script for one project; ``config`` names the database that it creates."""

    def __init__(self, config: Config, folder: Path) -> None:
        self._database = config.database
        self._listing, self._loads = folder / "statements.json", folder / "loads.json"
        found = statements(compile_project(read_project(config)))
        self._listing.write_text(json.dumps(found))
        self._loads.write_text(json.dumps([one for one in found if one[0] in ("setup", "load")]))
        self._settings = json.dumps(
            {one.name: one.value for one in config.engine if isinstance(one, Setting)}
        )

    @property
    def command(self) -> list[str | Path]:
        """The command that runs the script on a database that does not exist."""
        return [sys.executable, SCRIPT, self._database, self._listing, self._settings]

    def load_command(self, database: Path) -> list[str | Path]:
        """Return the command that only makes the raw tables, in another database."""
        return [sys.executable, SCRIPT, database, self._loads, self._settings]

    def run(self) -> Timing:
        """Build from scratch."""
        self._database.unlink(missing_ok=True)
        return timed(self.command)


def statements(compilation: Compilation) -> list[tuple[str, str, str]]:
    """Return the statements of a project's build: the kind of each, what it is for, its SQL."""
    project = compilation.project
    relations = [node.relation for node in compilation.of_type(Dataset)]
    schemas = sorted({str(relation.schema) for relation in relations} - {"main"})
    found = [("setup", schema, f"create schema if not exists {schema}") for schema in schemas]
    named = {relation.qualified_name for relation in relations}
    found += [("setup", name, sql) for name, sql in _own_tables().items() if name in named]
    for source in project.loaded_sources:
        types = ", ".join(f"'{column.name}': '{column.data_type}'" for column in source.columns)
        paths = source_files(source, project.loaded_sources, project.config)
        for path in paths:
            sql = f"from read_csv('{path}', header = true, auto_detect = false, columns = {{{types}}})"
            table = f"create table {source.qualified_name} as {sql}"
            found.append(("load", source.qualified_name, table))
        if not paths:
            columns = ", ".join(f"{column.name} {column.data_type}" for column in source.columns)
            found.append(("load", source.qualified_name, f"create table {source.qualified_name} ({columns})"))
    for node in compilation.nodes.values():
        if isinstance(node, Seed):
            seed = project.seeds[node.unique_id]
            types = "".join(f"'{c}': '{t}', " for c, t in (seed.config.get("column_types") or {}).items())
            sql = f"from read_csv('{seed.file}', header = true, types = {{{types}}})"
            found.append(("seed", node.label, f"create table {node.relation} as {sql}"))
        elif isinstance(node, Model):
            found.append(("model", node.label, f"create {node.materialized} {node.relation} as {node.sql}"))
        elif isinstance(node, Check) and node.severity == "error":
            found.append(("check", node.label, node.sql))
    return found


def _own_tables() -> dict[str, str]:
    """Return the statements that create genredb's own tables, by name."""
    with open_memory() as connection:
        create_tables(connection, *ML_TABLES)
        sql = "select schema_name || '.' || table_name, sql from duckdb_tables()"
        return dict(connection.rows(sql))
