"""Contracts: a model keeps what its yml file states of its columns, or the build says how it does not.

tests/parity/contracts holds the tables and their constraints against dbt's.
"""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from genredb.errors import ProjectError, ProjectErrors
from genredb.runner.graph.contract import Mismatch, mismatches
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from genredb.runner.results import Status
from tests.project_files import compiled, write_project
from tests.verbs import build

ENFORCED = "config: {materialized: table, contract: {enforced: true}}"


def entry(columns: str, name: str = "m", config: str = ENFORCED, more: str = "") -> str:
    return f"- {{name: {name}, {config}, columns: [{columns}]{more}}}\n"


def files(columns: str, sql: str, config: str = ENFORCED, more: str = "") -> dict[str, str]:
    return {"models/m.sql": sql, "models/p.yml": f"models:\n{entry(columns, 'm', config, more)}"}


def errors(config: Config, **options: Any) -> list[str]:
    """The errors of a build, whether they are found before it runs or while it does."""
    try:
        return [str(found.error) for found in build(config, **options).results if found.error]
    except ProjectErrors as refused:
        return [str(error) for error in refused.errors]


def constraints(config: Config) -> list[str]:
    with duckdb.connect(str(config.database), read_only=True) as connection:
        asked = "select constraint_text from duckdb_constraints() where schema_name = 'main' order by all"
        return [text for (text,) in connection.execute(asked).fetchall()]


# A parent with a key, and a child whose column refers to it.
FAMILY = {
    "models/parent.sql": "select i::integer as id from range({{ var('most', 2) }}) as t(i)",
    "models/child.sql": "select id as parent from {{ ref('parent') }}",
    "models/p.yml": "models:\n"
    + entry("{name: id, data_type: integer, constraints: [{type: primary_key}]}", "parent")
    + entry(
        "{name: parent, data_type: integer, "
        "constraints: [{type: foreign_key, to: ref('parent'), to_columns: [id]}]}",
        "child",
    ),
}
KEYS = ["FOREIGN KEY (parent) REFERENCES parent(id)", "NOT NULL", "PRIMARY KEY(id)"]


def test_all_that_differs_is_told_with_the_place(tmp_path: Path) -> None:
    columns = "{name: a, data_type: int}, {name: b, data_type: text}"
    config = write_project(tmp_path, files(columns, "select 1::bigint as a, 2 as extra"))
    assert errors(config) == [
        "models/p.yml:2: the columns of m are not those of its contract.\n"
        "      | column  in the model  in the contract\n"
        "      | a       BIGINT        INTEGER\n"
        "      | b       missing       VARCHAR\n"
        "      | extra   INTEGER       missing"
    ]
    assert not config.database.is_file()


@pytest.mark.parametrize("materialized", ["view", "incremental, on_schema_change: fail"])
def test_a_contract_binds_what_is_not_a_table(tmp_path: Path, materialized: str) -> None:
    config = f"config: {{materialized: {materialized}, contract: {{enforced: true}}}}"
    project = write_project(tmp_path, files("{name: a, data_type: int}", "select 'x' as a", config))
    assert "a       VARCHAR       INTEGER" in errors(project)[0]


def test_an_incremental_model_keeps_its_contract_in_each_build(tmp_path: Path) -> None:
    config = "config: {materialized: incremental, on_schema_change: fail, contract: {enforced: true}}"
    column = "{name: a, data_type: int, constraints: [{type: not_null}]}"
    assert build(write_project(tmp_path, files(column, "select 1 as a", config))).exit_code == 0
    project = write_project(tmp_path, files(column, "select 'x' as a", config))
    assert "in the contract" in errors(project)[0]
    assert constraints(project) == ["NOT NULL"]


def test_the_order_of_the_file_is_that_of_the_table(tmp_path: Path) -> None:
    columns = "{name: b, data_type: text}, {name: a, data_type: int}"
    config = write_project(tmp_path, files(columns, "select 1 as a, 'x' as b"))
    build(config)
    with duckdb.connect(str(config.database), read_only=True) as connection:
        assert connection.execute("from m").fetchall() == [("x", 1)]


def test_rows_that_break_a_constraint_fail_the_build(tmp_path: Path) -> None:
    column = "{name: a, data_type: int, constraints: [{type: not_null}]}"
    project = write_project(tmp_path, files(column, "select 1 as a"))
    build(project)
    assert (
        "NOT NULL constraint failed"
        in errors(write_project(tmp_path, files(column, "select null::int as a")))[0]
    )
    assert constraints(project) == ["NOT NULL"]


def test_a_changed_contract_rebuilds(tmp_path: Path) -> None:
    column = "{name: a, data_type: int}"
    build(write_project(tmp_path, files(column, "select 1 as a")))
    unique = ", constraints: [{type: unique, columns: [a]}]"
    project = write_project(tmp_path, files(column, "select 1 as a", more=unique))
    assert [found.status for found in build(project).results] == [Status.SUCCESS]
    assert constraints(project) == ["UNIQUE(a)"]
    assert build(project).results == ()


def test_a_table_that_others_refer_to_is_rebuilt(tmp_path: Path) -> None:
    config = write_project(tmp_path, FAMILY)
    assert build(config).exit_code == 0
    assert constraints(config) == KEYS
    changed = FAMILY["models/parent.sql"].replace("2", "1")  # the child's row 1 would be an orphan
    config = write_project(tmp_path, {**FAMILY, "models/parent.sql": changed})
    assert errors(config) == []
    assert constraints(config) == KEYS


def test_a_table_that_others_refer_to_is_not_rebuilt_alone(tmp_path: Path) -> None:
    config = write_project(tmp_path, FAMILY)
    build(config)
    options = Options(selected=("parent",), is_full_refresh=True)
    assert errors(config, options=options) == [
        "A foreign key of main.child refers to main.parent, which cannot be replaced alone; build both; an"
        " incremental model needs --full-refresh."
    ]
    assert constraints(config) == KEYS


def test_tables_that_refer_to_each_other_are_dropped(tmp_path: Path) -> None:
    build(write_project(tmp_path, FAMILY))
    for name in ("parent", "child"):
        (tmp_path / "models" / f"{name}.sql").unlink()
    config = write_project(tmp_path, {"models/p.yml": "", "models/m.sql": "select 1 as x"})
    assert build(config, options=Options(allow_drops=True)).exit_code == 0
    assert constraints(config) == []


@pytest.mark.parametrize(
    ("columns", "config", "more", "message"),
    [
        ("", ENFORCED, "", "the contract of m states no columns"),
        (
            "{name: a}, {name: b}",
            ENFORCED,
            "",
            "models/p.yml:2: the contract of m needs the `data_type:` of a, b.",
        ),
        (
            "{name: a, data_type: int}",
            "config: {materialized: incremental, contract: {enforced: true}}",
            "",
            "an incremental model with a contract cannot have `on_schema_change: ignore`. Available: append_new_columns, fail.",
        ),
        (
            "{name: a, data_type: int, constraints: [{type: nut_null}]}",
            ENFORCED,
            "",
            "`constraints:` of a: `type:` cannot be 'nut_null'. Did you mean 'not_null'?",
        ),
        (
            "{name: a, data_type: int, constraints: [{type: primary_key}]}",
            ENFORCED,
            ", constraints: [{type: primary_key, columns: [a]}]",
            "m has several primary keys",
        ),
        (
            "{name: a, data_type: int, constraints: [{type: foreign_key, to: ref('n'), to_columns: [a]}]}",
            ENFORCED,
            "",
            "ref('n') refers to no model or seed",
        ),
        (
            "{name: a, data_type: int, constraints: [{type: foreign_key, to: '1', to_columns: [a]}]}",
            ENFORCED,
            "",
            "`to:` of a foreign key of m should be ref(…) or source(…), not 1",
        ),
        ("{name: a, data_type: 'int) --'}", ENFORCED, "", "`data_type:` of a should be a type"),
        (
            "{name: a, data_type: int}",
            "config: {contract: {enforced: 'sure'}}",
            "",
            "`contract: enforced:` should be true or false",
        ),
        (
            "{name: a, data_type: int}",
            "config: {contract: {enforcd: true}}",
            "",
            "unknown key `enforcd:` of a contract. Did you mean 'enforced'?",
        ),
    ],
)
def test_a_contract_stated_wrongly_is_refused(
    tmp_path: Path, columns: str, config: str, more: str, message: str
) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, files(columns, "select 1 as a", config, more))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("config: {materialized: table}", "have no effect without `contract: {enforced: true}`"),
        ("config: {contract: {enforced: true}}", "have no effect, as the model is a view"),
    ],
)
def test_constraints_without_effect_are_named(tmp_path: Path, config: str, why: str) -> None:
    column = "{name: a, data_type: int, constraints: [{type: not_null}]}"
    notices = compiled(tmp_path, files(column, "select 1 as a", config)).notices
    assert [str(notice) for notice in notices] == [f"models/p.yml:2: the constraints of m {why}."]


def test_the_manifest_has_the_contract(tmp_path: Path) -> None:
    column = "{name: a, data_type: int, constraints: [{type: not_null}]}"
    config = write_project(tmp_path, files(column, "select 1 as a"))
    build(config)
    node = json.loads((tmp_path / "target" / "manifest.json").read_text())["nodes"]["model.small.m"]
    assert node["contract"]["enforced"] is True
    assert node["columns"]["a"]["constraints"] == [{"type": "not_null"}]


def test_columns_are_compared_by_name() -> None:
    stated, found = {"a": "INTEGER", "b": "DATE"}, {"b": "DATE", "A": "INTEGER"}
    assert list(mismatches(stated, found)) == [Mismatch("a", "", "INTEGER"), Mismatch("A", "INTEGER", "")]
    assert not list(mismatches(stated, dict(reversed(stated.items()))))
