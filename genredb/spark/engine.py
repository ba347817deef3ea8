"""The engine that builds a project on Spark: what it refuses, its warehouse folder, its session."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING

from genredb.errors import GenredbError, ProjectError, ProjectErrors, SqlError
from genredb.runner.execution.engine import Engine
from genredb.runner.execution.located import located
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.nodes import Check, Compiled, Model, Node, PythonModel, Seed, Source
from genredb.runner.graph.persisted_docs import docs_of
from genredb.runner.project.files import delimiter
from genredb.runner.project.package import HOOK_KEYS, PROJECT_FILE
from genredb.runner.templates.relation import Relation
from genredb.spark.dialect import RefusedError, to_spark
from genredb.spark.empty import EmptyCopy
from genredb.spark.executor import SparkExecutor
from genredb.spark.local import shown_relations
from genredb.spark.published import published
from genredb.spark.queries import refusal_errors, refuse_columns
from genredb.spark.session import (
    DEFAULT_MASTER,
    running_session,
    start_session,
    stop_session,
)
from genredb.spark.settings import refused_settings
from genredb.spark.snapshots import Snapshots, warehouse_of
from genredb.warehouse.settings import RESOURCES, Setting
from genredb.warehouse.tables import create_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import SparkSession

    from genredb.runner.graph.compiler import Compilation
    from genredb.runner.project.config import Config
    from genredb.warehouse.connection import Connection
    from genredb.warehouse.tables import OwnTable


class SparkEngine(Engine):
    """Builds on the Spark of ``config``; its relations are in the folder LEDGER.spark beside the ledger.

    A session that runs in this process is used, and left running.
    """

    name = "spark"
    resumes = False
    has_receipt = False
    binds = False

    def __init__(self, config: "Config") -> None:
        self._config = config
        self._snapshots = Snapshots(warehouse_of(config.database))
        self._own: list[Relation] = []
        self._executor: SparkExecutor | None = None
        self._session: SparkSession | None = None

    @cached_property
    def _empty(self) -> EmptyCopy:
        return EmptyCopy(self._config.database_name, self._config.target_dir)

    def refuse(self, compilation: "Compilation", own: "Iterable[OwnTable]") -> None:
        """Raise ProjectErrors for all that is not known to run on Spark as on DuckDB."""
        project = compilation.project
        tables = tuple(own)
        create_tables(self._empty.connection, *tables)
        read = {source.qualified_name for source in project.sources.values()}
        self._own = [Relation(None, *table.name.split(".")) for table in tables if table.name in read]
        for source in project.loaded_sources:
            self._empty.add_source(source)
        errors: list[ProjectError] = [
            ProjectError(f"{one.label} does not hold on Spark", place=one.place)
            for one in project.config.profile.engine_settings
            if not isinstance(one, Setting) or one.name.lower() not in RESOURCES
        ]
        profile = project.config.profile
        errors += [error.at(profile.file or "") for error in refused_settings(profile.spark_settings)]
        for node in compilation.nodes.values():
            errors += self._refusals(compilation, node)
        if any(project.config.hooks(key) for key in HOOK_KEYS):
            errors.append(ProjectError("on-run-start and on-run-end do not run on Spark", place=PROJECT_FILE))
        if errors:
            raise ProjectErrors(errors)

    def marks(self) -> Mapping[str, str]:
        """Return the marks of the published relations."""
        return {name: one.mark for name, one in self._snapshots.published().items()}

    def executor(self, ledger: "Connection", *, is_new: bool = False) -> SparkExecutor:
        """Return the executor of this build; a new ledger has genredb's own tables for models to read."""
        if self._executor is None:
            self._executor = SparkExecutor(self._snapshots, self._empty, ledger, self._start, self._own)
        self._executor.ledger = ledger
        return self._executor

    def shown(self, ledger: "Connection") -> AbstractContextManager[None]:
        """Let the block read the published relations in the ledger; UsageError if they do not match it."""
        relations = published(ledger, self._snapshots)
        return shown_relations(ledger, self._snapshots, relations)

    def known_relations(self, ledger: "Connection") -> "Connection":
        """Return DuckDB with the published relations, empty, in which a user's query may be bound.

        UsageError if they do not match the ledger.
        """
        published(ledger, self._snapshots)
        self._empty.connection.execute("set enable_external_access = false")
        return self._empty.connection

    def forget_stale(self) -> Mapping[str, int]:
        """Empty tables that were not built, but computed from relations that changed; return their rows."""
        return {} if self._executor is None else self._executor.forget_stale()

    def publish(self) -> None:
        """Make the new snapshot the published one; the ledger has just been published."""
        if self._executor is not None:
            self._snapshots.publish(self._executor.stored)

    def close(self) -> None:
        """End the session, and remove what was made but not published."""
        try:
            if self._session is not None:
                stop_session(self._session)
        finally:
            self._snapshots.discard()
            self._empty.close()

    def _start(self) -> "SparkSession":
        if running := running_session():
            return running
        profile = self._config.profile
        master = self._config.settings.master or profile.spark_master or DEFAULT_MASTER
        self._session = start_session(master, profile.spark_settings)
        return self._session

    def _refusals(self, compilation: "Compilation", node: Node) -> Iterator[ProjectError]:
        """Yield what of a node is refused; copy its relation, empty, for those that read it."""
        config = node.config
        if any(config.get(key) for key in ("pre-hook", "post-hook", "sql_header")):
            yield ProjectError("hooks and sql_header do not run on Spark", place=node.path)
        if isinstance(node, Model) and node.contract is not None:
            yield ProjectError("contracts do not hold on Spark", place=node.path)
        if docs_of(node) is not None:
            yield ProjectError("persist_docs does not work on Spark", place=node.path)
        if isinstance(node, Source) and not self._is_provided(compilation, node):
            what = f"genredb does not load {node.relation.qualified_name}, so Spark cannot read it"
            yield ProjectError(what, place=node.path)
        elif isinstance(node, Seed):
            yield from self._copy_seed(compilation, node)
        elif isinstance(node, Source) and node.relation.qualified_name in _loaded(compilation):
            yield from self._refused_types(node)
        elif isinstance(node, PythonModel):
            yield ProjectError("Python models do not run on Spark", place=node.path)
        elif isinstance(node, Model | Check) and node.sql:
            yield from self._refused_sql(compilation, node)

    def _is_provided(self, compilation: "Compilation", node: Source) -> bool:
        """Return True if a source is loaded, made by a model, or one of genredb's own tables."""
        own = {relation.qualified_name for relation in self._own}
        return bool(node.depends_on) or node.relation.qualified_name in _loaded(compilation) | own

    def _refused_types(self, node: Source | Seed) -> Iterator[ProjectError]:
        relation = str(node.relation.include(database=False))
        try:
            refuse_columns(self._empty.executor.columns(relation))
        except ProjectError as error:
            yield error.at(node.path)

    def _copy_seed(self, compilation: "Compilation", node: Seed) -> Iterator[ProjectError]:
        seed = compilation.project.seeds[node.unique_id]
        types = {str(name): str(kind) for name, kind in (node.config.get("column_types") or {}).items()}
        try:
            separator = delimiter(node.config.get("delimiter"), node.path)
            self._empty.load_seed(node.relation, seed.file, separator, types)
            self._empty.clear(node.relation)
        except GenredbError:
            return  # the build reports it
        yield from self._refused_types(node)

    def _refused_sql(self, compilation: "Compilation", node: Compiled) -> Iterator[ProjectError]:
        runtime = Runtime(self._empty.executor, compilation, may_write=False)
        try:
            if isinstance(node, Model) and node.is_built:
                if node.materialized not in ("table", "view"):
                    yield ProjectError(f"{node.materialized} models do not run on Spark", place=node.path)
                self._empty.create(node.relation, node.sql)
                refuse_columns(self._empty.executor.columns(str(node.relation.include(database=False))))
            else:
                self._empty.executor.columns(f"(\n{node.sql}\n)")
            to_spark(node.sql, self._empty.schema)
        except SqlError:
            return  # the build reports it, unless what it reads was refused
        except ProjectError as error:
            yield error.at(node.path)
        except RefusedError as error:
            for one in refusal_errors(error, node.sql):
                yield located(runtime, node, one)


def _loaded(compilation: "Compilation") -> set[str]:
    """Return the names of the tables that genredb loads."""
    return {source.qualified_name for source in compilation.project.loaded_sources}
