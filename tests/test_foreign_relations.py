"""What other programs made in a database is never replaced or dropped: a build says so and stops."""

import hashlib
from pathlib import Path

import duckdb
import pytest

from genredb.errors import ProjectError, UsageError
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from genredb.runner.project.reserved import OWN_TABLES
from genredb.warehouse.tables import META_TABLES, QUARANTINE
from tests.conftest import config_for, rows
from tests.project_files import write_project
from tests.verbs import build, load, plan


def run(database: Path, *statements: str) -> None:
    with duckdb.connect(str(database)) as connection:
        for statement in statements:
            connection.execute(statement)


def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("create table songs as select 'mine' as title", "songs"),
        ('create view "Songs" as select 1 as i', "Songs"),
        ("create schema raw; create table raw.songs_train (mine integer)", "raw.songs_train"),
        ("create schema meta; create table meta.state (mine integer)", "meta.state"),
        ("create schema ml; create table ml.predictions (mine integer)", "ml.predictions"),
    ],
)
def test_a_database_of_somebody_else_loses_nothing_to_a_build(
    statement: str, named: str, raw_dir: Path, tmp_path: Path
) -> None:
    """`build --database mine.duckdb` where mine.duckdb has a table of a name that the project uses."""
    config = config_for(raw_dir, tmp_path / "mine.duckdb")
    run(config.database, statement, "create table bystander as select 1 as i")
    before = content(config.database)
    with pytest.raises(UsageError, match=f"holds {named}, which genredb did not create.*--database"):
        build(config)
    assert content(config.database) == before


def test_a_load_replaces_no_table_of_somebody_else(raw_dir: Path, tmp_path: Path) -> None:
    config = config_for(raw_dir, tmp_path / "mine.duckdb")
    run(config.database, "create schema raw", "create table raw.songs_test as select 1 as mine")
    with pytest.raises(UsageError, match=r"holds raw\.songs_test, which genredb did not create"):
        load(config)
    assert rows(config.database, "from raw.songs_test") == [(1,)]


@pytest.mark.parametrize(
    ("schema", "name"),
    [("ml", "predictions"), ("meta", "state"), ("RAW", "Quarantine"), ("information_schema", "x")],
)
def test_no_csv_is_loaded_in_place_of_what_genredb_keeps(tmp_path: Path, schema: str, name: str) -> None:
    yml = f"sources: [{{name: s, schema: {schema}, tables: [{{name: {name}, columns: [{{name: a}}], config: "
    yml += "{meta: {file: x.csv}}}]}]"
    config = write_project(tmp_path, {"models/s.yml": yml, "data/raw/x.csv": "a\n1\n"})
    for attempt in (build, load):
        with pytest.raises(ProjectError) as error:
            attempt(config)
        assert str(error.value) == (
            f"models/s.yml: {schema}.{name} is reserved for genredb; choose another name, `alias:` or `schema:`."
        )


TAKEN = [
    ("t", {}, "holds main_dbt_test__audit.t, which genredb did not create"),
    (
        "one",
        {"macros/g.sql": "{% macro generate_schema_name(c, n) %}main{% endmacro %}"},
        "both create main.one",
    ),
    ("t", {"macros/g.sql": "{% macro generate_schema_name(c, n) %}{{ c or 'main' }}{% endmacro %}"}, ""),
    ("t", {"tests/u.sql": "{{ config(alias='t') }} select 1 as x"}, "both store failing rows in"),
]


@pytest.mark.parametrize(("name", "files", "message"), TAKEN)
def test_failing_rows_take_nobodys_place(
    name: str, files: dict[str, str], message: str, tmp_path: Path
) -> None:
    """Those of a check are kept where nothing stands but what the check kept before."""
    check = "{{ config(store_failures=true, severity='warn') }} select 666 as evil"
    files = {"models/one.sql": "select 1 as x", f"tests/{name}.sql": check, **files}
    config = write_project(tmp_path, files)
    run(config.database, "create schema main_dbt_test__audit")
    run(config.database, "create table main_dbt_test__audit.t as select 'mine' as m")
    said = [found.message for found in build(config).results if found.message]
    assert message in "".join(said)
    assert bool(said) is bool(message)
    assert rows(config.database, "from main_dbt_test__audit.t") == [("mine",)]
    if not said:
        build(config, options=Options(store_failures=True))
        assert rows(config.database, "from dbt_test__audit.t") == [(666,)]


def test_a_database_of_other_relations_takes_a_build_beside_them(tmp_path: Path) -> None:
    config = small(tmp_path, {"m": "select 1 as i"})
    run(config.database, "create table mine as select 2 as i")
    assert build(config).exit_code == 0
    assert rows(config.database, "from mine, m") == [(2, 1)]


def small(folder: Path, models: dict[str, str]) -> Config:
    return write_project(folder, {f"models/{name}.sql": sql for name, sql in models.items()})


def test_a_comment_that_begins_like_a_mark_makes_a_table_nobody_elses(tmp_path: Path) -> None:
    config = small(tmp_path, {"m": "select 1 as i"})
    run(config.database, "create table m as select 2 as i", "comment on table m is 'genredb reads this'")
    with pytest.raises(UsageError, match="holds m, which genredb did not create"):
        build(config)
    assert rows(config.database, "from m") == [(2,)]


def test_a_new_model_does_not_take_the_name_of_a_table_that_somebody_made(tmp_path: Path) -> None:
    """It is the plan that refuses; a relation that genredb made itself may be made anew, whoever touched it."""
    build(small(tmp_path, {"m": "select 1 as i"}))
    config = small(tmp_path, {"mine": "select 3 as i"})
    run(config.database, "create table mine as select 2 as i")
    for verb in (plan, build):
        with pytest.raises(UsageError, match="holds mine, which genredb did not create"):
            verb(config)
    run(config.database, "drop table mine", "create or replace view m as select 4 as i")
    assert build(config).exit_code == 0
    assert rows(config.database, "from m, mine") == [(1, 3)]


def test_the_schemas_of_genredbs_tables_are_free_for_other_names(tmp_path: Path) -> None:
    sql = {
        f"{schema}_one": f"{{{{ config(schema='{schema}') }}}} select 1 as i"
        for schema in ("meta", "ml", "raw")
    }
    plainly = "{% macro generate_schema_name(custom, node) %}{{ custom }}{% endmacro %}"
    config = write_project(
        tmp_path,
        {
            "macros/m.sql": plainly,
            **{f"models/{name}.sql": text for name, text in sql.items()},
            "models/predictions.sql": "{{ config(schema='ml', materialized='table') }} select i from {{ ref('ml_one') }}",
        },
    )
    assert build(config).exit_code == 0
    assert rows(config.database, "from meta.meta_one, ml.ml_one, raw.raw_one, ml.predictions") == [
        (1, 1, 1, 1)
    ]
    (tmp_path / "models" / "meta_one.sql").unlink()
    assert build(config).exit_code == 0
    left = "select table_name from duckdb_tables() where schema_name = 'ml'"
    assert rows(config.database, left) == [("predictions",)]
    assert rows(config.database, "select count(*) from duckdb_views() where view_name = 'meta_one'") == [(0,)]
    write_project(tmp_path, {"models/state.sql": "{{ config(schema='meta') }} select 1 as i"})
    with pytest.raises(
        ProjectError, match=r"^models/state.sql: meta.state is reserved for genredb; choose another name"
    ):
        build(config)


def test_what_somebody_put_in_the_place_of_a_model_outlives_the_model(tmp_path: Path) -> None:
    config = small(tmp_path, {"m": "select 1 as i", "other": "select 1 as i"})
    build(config)
    run(config.database, "drop view m", "create table m as select 'mine' as title")
    (tmp_path / "models" / "m.sql").unlink()
    assert build(config).exit_code == 0
    assert rows(config.database, "from m") == [("mine",)]


def test_the_reserved_names_are_those_of_genredbs_tables() -> None:
    assert {table.name for table in (*META_TABLES, QUARANTINE)} == OWN_TABLES
