"""Each kind of node is a type of its own: what it has, and how dbt and people call it."""

from dataclasses import fields
from pathlib import Path

import pytest

from genredb.runner.compile import compile_sql
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.fingerprint import portable_sql
from genredb.runner.graph.nodes import Check, Dataset, Hook, Model, Node, Seed, Source, UnitTest
from tests.project_files import BASE, compiled, write_project

FILES = {
    "dbt_project.yml": BASE["dbt_project.yml"],
    "seeds/s.csv": "x\n1\n",
    "models/e.sql": "{{ config(materialized='ephemeral') }} select x from {{ ref('s') }}",
    "models/m.sql": "{{ config(schema='mart', materialized='table') }} select x from {{ ref('e') }}",
    "models/p.yml": """
sources: [{name: raw, tables: [{name: t}]}, {name: made, schema: main_mart, tables: [{name: m}]}]
models: [{name: m, columns: [{name: x, data_tests: [not_null]}]}]
unit_tests: [{name: u, model: m, given: [{input: ref('e'), rows: [{x: 1}]}], expect: {rows: [{x: 1}]}}]
""",
    "tests/odd.sql": "{{ config(severity='warn') }} select * from {{ ref('m') }} where x > 1",
}
# name: type, unique id, label, what running it makes, the relation that a build makes
NODES = {
    "s": (Seed, "seed.small.s", "s", "seed", '"small"."main"."s"'),
    "t": (Source, "source.small.raw.t", "raw.t", "table", None),
    "e": (Model, "model.small.e", "e", "ephemeral", None),
    "not_null_m_x": (Check, "test.small.not_null_m_x", "not_null_m_x", "check", None),
    "odd": (Check, "test.small.odd", "odd", "check", None),
    "u": (UnitTest, "unit_test.small.m.u", "u", "unit_test", None),
}


@pytest.fixture(scope="module")
def compilation(tmp_path_factory: pytest.TempPathFactory) -> Compilation:
    return compiled(tmp_path_factory.mktemp("nodes"), FILES)


@pytest.mark.parametrize("name", NODES)
def test_a_node_is_of_its_type(compilation: Compilation, name: str) -> None:
    kind, unique_id, label, makes, built = NODES[name]
    node = compilation.nodes[unique_id]
    assert type(node) is kind
    assert (node.name, node.label, node.materialized) == (name, label, makes)
    assert node.is_built is (built is not None)
    assert built is None or str(node.built_relation) == built
    assert node.is_check is (kind in (Check, UnitTest))


def test_a_source_that_a_model_makes_depends_on_it(compilation: Compilation) -> None:
    assert compilation.nodes["source.small.made.m"].depends_on == ("model.small.m",)


def test_what_identifies_sql_has_no_name_of_the_database(compilation: Compilation) -> None:
    """Also where an ephemeral model reads the relation: the file may be renamed, and nothing is built."""
    node = compilation.nodes["model.small.m"]
    assert isinstance(node, Model)
    assert '"small"."main"."s"' in node.sql
    assert '"small"' not in portable_sql(node, compilation)


def test_what_checks_know_of_what_they_check(compilation: Compilation) -> None:
    generic, singular = (
        next(c for c in compilation.of_type(Check) if c.name == n) for n in ("not_null_m_x", "odd")
    )
    assert (generic.attached_to, generic.check_kind, generic.column) == ("model.small.m", "not_null", "x")
    assert (singular.attached_to, singular.check_kind, singular.severity) == ("", "singular", "warn")
    [unit_test] = compilation.of_type(UnitTest)
    assert unit_test.model == "model.small.m"
    assert list(unit_test.given) == ["model.small.e"]


def test_no_type_has_what_means_nothing_to_it() -> None:
    """The base has what all have; the rest is each type's own."""
    common = {field.name for field in fields(Node)}
    own = {
        kind: {field.name for field in fields(kind)} - common
        for kind in (Source, Seed, Model, Check, UnitTest, Hook)
    }
    dataset = {field.name for field in fields(Dataset)} - common
    assert own[Seed] == dataset == {"relation", "columns"}
    assert own[Source] == dataset | {"freshness"}
    assert own[Model] & own[Check] == {"relation", "template", "sql", "dynamic"}
    assert own[Check] & own[UnitTest] == {"template", "sql", "keys"}
    assert own[Hook] == {"template"}


@pytest.mark.parametrize(
    ("name", "sql"), [("s", 'select * from "small"."main"."s"'), ("u", "with __dbt__cte__e")]
)
def test_any_node_that_has_sql_can_be_compiled(tmp_path: Path, name: str, sql: str) -> None:
    assert compile_sql(write_project(tmp_path, FILES), name).startswith(sql)
