"""Versions of models: which one a ref means, how they are named and selected, what is refused.

tests/parity/versions holds relations, checks and unit tests against dbt's.
"""

import json
from pathlib import Path

import pytest

from genredb.errors import ProjectError, UsageError
from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.nodes import Model
from genredb.runner.graph.select import select
from genredb.runner.project.versions import Version
from tests.project_files import compiled, write_project
from tests.verbs import build

V1, V2 = {"models/m_v1.sql": "select 1 as a"}, {"models/m_v2.sql": "select 1 as a, 2 as b"}


def files(versions: str = "[{v: 1}, {v: 2}]", more: str = "", **others: str) -> dict[str, str]:
    stated = f"models: [{{name: m, columns: [{{name: a}}], versions: {versions}{more}}}]"
    models = {f"models/{name}.sql": text for name, text in others.items()}
    return {**V1, **V2, "models/p.yml": stated, **models}


def read_by(compilation: Compilation, name: str) -> tuple[str, ...]:
    return compilation.nodes[f"model.small.{name}"].depends_on


@pytest.mark.parametrize(
    ("more", "call", "version"),
    [
        ("", "ref('m')", "v2"),
        (", latest_version: 1", "ref('m')", "v1"),
        ("", "ref('m', v=1)", "v1"),
        ("", "ref('m', version='1')", "v1"),
        ("", "ref('small', 'm', v=1)", "v1"),
    ],
)
def test_a_ref_means_a_version(tmp_path: Path, more: str, call: str, version: str) -> None:
    found = compiled(tmp_path, files(more=more, r=f"select * from {{{{ {call} }}}}"))
    assert read_by(found, "r") == (f"model.small.m.{version}",)


def test_a_version_has_the_names_that_dbt_gives_it(tmp_path: Path) -> None:
    found = compiled(tmp_path, files("[{v: 1.5, defined_in: m_v1}, {v: 2, config: {alias: other}}]"))
    facts = [(node.unique_id, node.name, node.fqn, node.relation.identifier) for node in found.of_type(Model)]
    assert facts == [
        ("model.small.m.v1.5", "m", ("small", "m", "v1.5"), "m_v1_5"),
        ("model.small.m.v2", "m", ("small", "m", "v2"), "other"),
    ]
    assert found.find("m.v1.5").unique_id == "model.small.m.v1.5"
    assert found.find("m").unique_id == "model.small.m.v2"


def test_the_latest_may_be_in_a_file_of_the_models_name(tmp_path: Path) -> None:
    stated = files()
    stated["models/m.sql"] = stated.pop("models/m_v2.sql")
    ids = {node.unique_id for node in compiled(tmp_path, stated).of_type(Model)}
    assert ids == {"model.small.m.v1", "model.small.m.v2"}


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("[]", ["a", "c"]),
        ("[{include: all, exclude: [a]}, {name: b}]", ["c", "b"]),
        ("[{include: [a]}, {name: b}]", ["a", "b"]),
        ("[{include: []}, {name: b}]", ["b"]),
    ],
)
def test_a_version_has_the_columns_that_it_includes(tmp_path: Path, columns: str, names: list[str]) -> None:
    stated = f"models: [{{name: m, columns: [{{name: a}}, {{name: c}}], versions: [{{v: 2, columns: {columns}}}]}}]"
    node = compiled(tmp_path, {**V2, "models/p.yml": stated}).nodes["model.small.m.v2"]
    assert isinstance(node, Model)
    assert [column.name for column in node.columns] == names


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("version:latest", {"m.v2"}),
        ("version:old", {"m.v1"}),
        ("version:prerelease", {"m.v3"}),
        ("version:none", {"r"}),
        ("m", {"m.v1", "m.v2", "m.v3"}),
        ("m.v1", {"m.v1"}),
        ("m_v1+", {"m.v1", "r"}),
    ],
)
def test_versions_are_selected(tmp_path: Path, selector: str, found: set[str]) -> None:
    stated = files("[{v: 1}, {v: 2}, {v: 3}]", ", latest_version: 2", r="select * from {{ ref('m', v=1) }}")
    chosen = select(compiled(tmp_path, {**stated, "models/m_v3.sql": "select 1 as a"}), [selector])
    assert {unique_id.removeprefix("model.small.") for unique_id in chosen} == found


def test_a_selector_of_no_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no selector 'version:latests'. Did you mean 'latest'"):
        select(compiled(tmp_path, files()), ["version:latests"])


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (
            files(r="{{ ref('m', v=3) }}"),
            "ref('m', v=3) refers to no version of the model. Available: v1, v2.",
        ),
        (files(r="{{ ref('m', w=3) }}"), "ref() takes a version as v=1 or version=1"),
        (files(n="select 1 as x", r="{{ ref('n', v=1) }}"), "ref('n', v=1): 'n' has no versions."),
        (
            files(more=", latest_version: 4"),
            "`latest_version:` of m is none of its versions. Available: 1, 2.",
        ),
        (files("[{v: 1}, {v: '1'}]"), "`versions:` of m states a version twice."),
        (files("[{v: }]"), "`v:` of a version of m should be a number or a name"),
        (files("[{v: 1, columns: [{include: [a], exclude: [a]}]}]"), "has `exclude:` beside a list"),
        (files("[{v: 1, columns: [{include: all}, {include: [a]}]}]"), "has several `include:`"),
        (files("[{v: 1, deprecation_date: soon}]"), "should be a date such as 2030-12-31, not 'soon'"),
        (files("[{v: 1}]", m="select 1"), "share the name 'm'"),
        (
            files("[{v: 1, defind_in: x}]"),
            "unknown key `defind_in:` of a version. Did you mean 'defined_in'?",
        ),
    ],
)
def test_what_is_no_version_is_refused(tmp_path: Path, stated: dict[str, str], message: str) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, stated)
    assert message in str(error.value)


def test_what_is_not_there_or_past_is_named(tmp_path: Path) -> None:
    found = compiled(tmp_path, files("[{v: 1, deprecation_date: 2020-01-31}, {v: 2}, {v: 3}]"))
    assert list(map(str, found.notices)) == [
        "models/p.yml: the model 'm_v3' is described here, but has no file. Did you mean 'm_v2'?",
        "models/m_v1.sql: m.v1 is deprecated since 2020-01-31.",
    ]


@pytest.mark.parametrize(
    ("versions", "tested"),
    [("", ["t_v1", "t_v2"]), ("include: [1]", ["t_v1"]), ("exclude: [1]", ["t_v2"])],
)
def test_a_unit_test_runs_on_its_versions(tmp_path: Path, versions: str, tested: list[str]) -> None:
    test = f"{{name: t, model: m, versions: {{{versions}}}, given: [], expect: {{rows: [{{a: 1}}]}}}}"
    config = write_project(tmp_path, files() | {"models/u.yml": f"unit_tests: [{test}]"})
    ids = [result.node.unique_id for result in build(config).results]
    assert [one.rpartition(".")[2] for one in ids if one.startswith("unit_test")] == tested


def test_a_unit_test_of_no_version_is_refused(tmp_path: Path) -> None:
    test = "{name: t, model: m, versions: {include: [7]}, given: [], expect: {rows: [{a: 1}]}}"
    with pytest.raises(ProjectError, match="the unit test t names a version that m does not have"):
        compiled(tmp_path, files() | {"models/u.yml": f"unit_tests: [{test}]"})


def test_the_manifest_has_the_version(tmp_path: Path) -> None:
    build(write_project(tmp_path, files("[{v: 1, deprecation_date: 2020-01-31}, {v: 2}]")))
    nodes = json.loads((tmp_path / "target" / "manifest.json").read_text())["nodes"]
    first = nodes["model.small.m.v1"]
    assert (first["version"], first["latest_version"]) == (1, 2)
    assert first["deprecation_date"] == "2020-01-31T00:00:00+00:00"


@pytest.mark.parametrize(
    ("number", "age"), [(9, "old"), (10, "latest"), (11, "prerelease"), ("b", "prerelease")]
)
def test_versions_are_ordered_by_number(number: int | str, age: str) -> None:
    assert Version(number, 10).age == age
