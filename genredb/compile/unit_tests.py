"""Writes the SQL that a unit test runs: the model's own, its inputs replaced by CTEs of the rows given."""

import re
from collections.abc import Mapping

from genredb.compile.compiler import Compilation
from genredb.compile.ephemeral import with_ephemerals
from genredb.compile.naming import CTE_PREFIX
from genredb.compile.nodes import Database, Node, NodeKind, Relation
from genredb.errors import ProjectError


def unit_test_sql(compilation: Compilation, node: Node, inputs: Mapping[str, str], database: Database) -> str:
    """Return the tested model's SQL over ``inputs``, which maps unique ids to the SQL of their rows.

    The unit test's overrides of vars, environment variables and macros are in force; without one for
    ``is_incremental``, the model is tested as it is first built.
    """
    if node.unit_test is None:
        raise ProjectError(f"{node.path}: {node.name} is no unit test.")
    model = compilation.nodes[node.unit_test.model]
    fixtures = {unique_id: _fixture(unique_id, sql) for unique_id, sql in inputs.items()}
    relations: dict[str, Relation] = {
        unique_id: fixture.relation for unique_id, fixture in fixtures.items() if fixture.relation
    }
    compiler = compilation.compiler
    scope = compiler.scope(model, database=database)
    scope.relations = relations
    scope.overrides = node.unit_test.overrides
    scope.this = relations.get(model.unique_id, model.relation)
    sql = compiler.renderer.render(model.template, scope).strip().rstrip(";")
    return with_ephemerals(sql, [*fixtures, *scope.references], {**compiler.ephemerals, **fixtures})


def _fixture(unique_id: str, sql: str) -> Node:
    name = CTE_PREFIX + re.sub(r"\W", "_", unique_id)
    relation = Relation(None, None, name, "cte", expression=name)
    return Node(unique_id, NodeKind.MODEL, name, "", sql=sql, relation=relation, materialized="ephemeral")
