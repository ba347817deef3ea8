"""SQL that depends on database queries, so it is rendered when the node runs; and its place in the files."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from genredb.errors import Place
from genredb.runner.graph.described import given_of
from genredb.runner.graph.ephemeral import with_ephemerals
from genredb.runner.graph.hooks import hook_text
from genredb.runner.graph.naming import CTE_PREFIX, Names
from genredb.runner.graph.nodes import Built, Check, Compiled, Hook, Model, PythonModel, UnitTest
from genredb.runner.graph.workbench import new_renderer
from genredb.runner.project.discover import Project
from genredb.runner.project.package import RunHook
from genredb.runner.templates.given import Given, Rendered
from genredb.runner.templates.places import template_place
from genredb.runner.templates.relation import Database, Relation
from genredb.runner.templates.render import Renderer


@dataclass(frozen=True)
class Deferred:
    """Renders what compilation had to defer. ``ephemerals`` are the models that become CTEs."""

    project: Project
    names: Names
    renderer: Renderer
    ephemerals: Mapping[str, Model]
    is_full_refresh: bool = False

    def inline(self, text: str, database: Database | None) -> Rendered[str]:
        """Render an inline template."""
        rendered = self.renderer.render(
            text, Given("inline", package=self.project.config.name, database=database)
        )
        sql = with_ephemerals(rendered.value.strip(), rendered.references, self.ephemerals)
        return replace(rendered, value=sql)

    def call(self, macro: str, arguments: Mapping[str, Any], database: Database) -> Rendered[Any]:
        """Call a macro of the project, or ``package.macro``; UsageError if there is none of that name."""
        name = self.renderer.macros.callable_as(macro)
        given = Given(
            f"the macro {macro}",
            package=self.project.config.name,
            database=database,
            extra={"arguments": arguments},
        )
        return self.renderer.evaluate(f"{name}(**arguments)", given)

    def sql(self, node: Model | Check, database: Database, *, is_incremental: bool = False) -> Rendered[str]:
        """Return a node's SQL for this run; of a Python model its code."""
        if isinstance(node, PythonModel):
            return Rendered(node.template)
        if not node.dynamic:
            incremental_sql = node.incremental_sql if isinstance(node, Model) and is_incremental else ""
            return Rendered(incremental_sql or node.sql)
        given = given_of(node, self.project, database, is_incremental=is_incremental)
        rendered = self.renderer.render(node.template, given)
        messages = list(rendered.messages)

        def sql_of(model: Model) -> str:
            if not model.dynamic:
                return model.sql
            own = self.renderer.render(model.template, given_of(model, self.project, database))
            messages.extend(own.messages)
            return own.sql

        sql = with_ephemerals(rendered.sql, rendered.references, self.ephemerals, sql_of)
        return replace(rendered, value=sql, messages=tuple(messages))

    def hooks(
        self, node: Built, key: str, database: Database, *, is_transactional: bool
    ) -> Iterator[Rendered[str]]:
        """Yield the hooks of one kind (``pre-hook``, ``post-hook``), rendering each only when it is due."""
        given = replace(given_of(node, self.project, database), path=f"{node.path} (hook)")
        for hook in node.config.get(key) or ():
            stated = hook.get("transaction", True) if isinstance(hook, Mapping) else True
            if bool(stated) is is_transactional:
                yield self.renderer.render(hook_text(hook), given)

    def run_hook(self, hook: RunHook) -> Hook:
        """Return one of the hooks ``on-run-start`` and ``on-run-end`` as a node."""
        name = f"{hook.package}-{hook.key}-{hook.number}"
        unique_id = f"{Hook.resource_type}.{hook.package}.{name}"
        packages = self.project.config.packages
        path = f"{next(one.path for one in packages if one.name == hook.package)} ({hook.key})"
        return Hook(unique_id=unique_id, name=name, path=path, fqn=(hook.package, name), template=hook.text)

    def hook_sql(self, hook: Hook, database: Database, extra: Mapping[str, Any]) -> Rendered[str]:
        """Return the SQL of one of the project's hooks."""
        return self.renderer.render(
            hook.template, Given(hook.path, package=hook.package, database=database, extra=extra)
        )

    def unit_test_sql(
        self, test: UnitTest, model: Model, inputs: Mapping[str, str], database: Database
    ) -> Rendered[str]:
        """Return the tested model's SQL over ``inputs``, which maps unique ids to the SQL of their rows.

        The unit test's overrides of vars, environment variables and macros apply; unless it overrides
        ``is_incremental``, the model is tested as on its first build.
        """
        fixtures = {unique_id: _fixture(unique_id, sql) for unique_id, sql in inputs.items()}
        relations = {unique_id: fixture.relation for unique_id, fixture in fixtures.items()}
        given = replace(
            given_of(model, self.project, database),
            relations=relations,
            overrides=test.overrides,
            this=relations.get(model.unique_id, model.relation),
        )
        rendered = self.renderer.render(model.template, given)
        references = [*fixtures, *rendered.references]
        sql = with_ephemerals(rendered.sql, references, {**self.ephemerals, **fixtures})
        return replace(rendered, value=sql)

    def place(self, node: Compiled, sql: str, offset: int, database: Database) -> Place | None:
        """Return the place in the project's files of ``sql[offset]``, or None if no template produced it.

        ``sql`` is what ran for the node; SQL inserted from ephemeral models has no place.
        """
        project, names = self.project, self.names
        for is_incremental in (False, True):
            given = given_of(node, project, database, is_incremental=is_incremental)
            own = self.renderer.render(node.template, given).sql
            added = len(sql) - len(own)  # ephemeral models are inserted before the node's own SQL
            if offset < added + len(own) - len(_shared_end(sql, own)):
                continue
            renderer = new_renderer(project, names, is_full_refresh=self.is_full_refresh)
            place = template_place(renderer, project.macros, node.template, given, (own, offset - added))
            if place is not None:
                return place
        return None


def _fixture(unique_id: str, sql: str) -> Model:
    """Return the given rows of an input as an ephemeral model."""
    name = CTE_PREFIX + re.sub(r"\W", "_", unique_id)
    relation = Relation(None, None, name, "cte", expression=name)
    config = {"materialized": "ephemeral"}
    return Model(unique_id=unique_id, name=name, path="", sql=sql, relation=relation, config=config)


def _shared_end(one: str, other: str) -> str:
    """Return the longest common suffix."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
