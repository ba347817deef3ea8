"""The context in which a node runs: the executor, the project, and the database for templates."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from genredb.errors import ProjectError
from genredb.runner.execution.changes import Changes
from genredb.runner.execution.executor import Executor
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Check, Model, is_blank
from genredb.runner.planning.updates import Updates
from genredb.runner.project.template_limits import unlimited
from genredb.runner.templates.given import Rendered
from genredb.runner.templates.queries import ResultTable
from genredb.runner.templates.relation import Relation
from genredb.warehouse.user_sql import ASKS


class TemplateDatabase:
    """Runs the queries of templates (implements the templates' ``Database`` protocol).

    Unless it ``may_write``, it runs only queries: commands that inspect SQL must not write, not even files.
    """

    def __init__(self, executor: Executor, *, may_write: bool = False) -> None:
        self._executor = executor
        self._may_write = may_write

    def query(self, sql: str) -> ResultTable | None:
        """Run SQL; return its rows, if any. Raises ProjectError if it is invalid."""
        if is_blank(sql):
            return None
        self._refuse_writing(sql)
        with unlimited():
            return ResultTable(*self._executor.query(sql))

    def relation_type(self, relation: Relation) -> str | None:
        """Return ``table`` or ``view``, or None if the relation does not exist."""
        return self._executor.kind(relation)

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Return the names and types of a relation's columns."""
        self._refuse_writing(f"describe {relation}")
        with unlimited():
            return list(self._executor.columns(relation).items())

    def _refuse_writing(self, sql: str) -> None:
        kinds = () if self._may_write else self._executor.statement_kinds(sql)
        writing = next((kind for kind in kinds if kind not in ASKS), None)
        if writing:
            raise ProjectError(f"A template runs {writing}; only `genredb build` lets it write")


@dataclass(frozen=True)
class Runtime:
    """What a node needs to run: the executor, the project and the options.

    ``updates`` says which nodes can run for changed rows alone, ``incremental`` collects the unique ids of
    those that did, and ``whole`` those that cannot after all. ``replaced`` are the relations
    (``schema.name``) that are made anew or dropped. ``seed_types`` maps seeds to the types of their columns,
    if they are known already, ``compared`` are the nodes (unique ids) whose columns were compared with their
    descriptions. ``messages`` collects the messages logged by templates rendered during the run.
    """

    executor: Executor
    compilation: Compilation
    is_full_refresh: bool = False
    store_failures: bool = False
    warn_error: bool = False
    fail_fast: bool = False
    may_write: bool = True
    messages: list[str] = field(default_factory=list)
    updates: Updates = field(default_factory=Updates)
    replaced: Collection[str] = ()
    seed_types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    compared: Collection[str] = ()
    incremental: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)

    @cached_property
    def changes(self) -> Changes:
        """The rows that this build added to relations and removed from them, as far as they are known."""
        return Changes(self.executor)

    @cached_property
    def has_foreign_keys(self) -> bool:
        """True if tables may have foreign keys; Spark's have none."""
        if self.compilation.project.config.settings.engine == "spark":
            return False
        models = self.compilation.of_type(Model)
        if any(model.contract and model.contract.references for model in models):
            return True
        asked = "select 1 from duckdb_constraints() where constraint_type = 'FOREIGN KEY' limit 1"
        return bool(self.executor.query(asked)[1])

    @cached_property
    def database(self) -> TemplateDatabase:
        """The database that templates may query."""
        return TemplateDatabase(self.executor, may_write=self.may_write)

    @property
    def all_messages(self) -> tuple[str, ...]:
        """The messages logged by templates during compilation and the run, without duplicates."""
        return tuple(dict.fromkeys((*self.compilation.messages, *self.messages)))

    def sql(self, node: Model | Check, *, is_incremental: bool = False) -> str:
        """Return a node's SQL for this run."""
        rendered = self.compilation.deferred.sql(node, self.database, is_incremental=is_incremental)
        return self.said(rendered)

    def said(self, rendered: Rendered[str]) -> str:
        """Return the rendered text and keep the messages it logged."""
        self.messages.extend(rendered.messages)
        return rendered.value
