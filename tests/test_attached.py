"""Databases that the profile attaches: what is read there, by builds and by queries, and when it is read again."""

from pathlib import Path

import duckdb
import pytest

from genredb.ask.query import Question, fetch_answer
from genredb.errors import GenredbError, UsageError
from genredb.runner.opened import Opened
from genredb.runner.project.config import Config, Settings, read_config
from tests.project_files import write_project
from tests.verbs import build

PROFILE = """
small:
  outputs:
    dev:
      type: duckdb
      path: small.duckdb
      extensions: [icu, json, {name: parquet, repo: core}]
      attach:
        - {path: other.duckdb, alias: elsewhere}
"""
SOURCES = "sources: [{name: other, database: elsewhere, schema: main, tables: [{name: t}]}]"
FILES = {
    "profiles.yml": PROFILE,
    "models/sources.yml": SOURCES,
    "models/seen.sql": "select x + 1 as y from {{ source('other', 't') }}",
    "models/kept.sql": "{{ config(materialized='table') }} select * from {{ ref('seen') }}",
    "models/t.sql": "select 100 as x",  # of the same schema and name, in the project's own database
}


def change(folder: Path, sql: str) -> None:
    with duckdb.connect(str(folder / "other.duckdb")) as connection:
        connection.execute(sql)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    change(tmp_path, "create table t as select 1 as x")
    found = write_project(tmp_path, FILES)
    assert build(found).exit_code == 0
    return found


def answer(config: Config, sql: str) -> tuple[object, ...]:
    return fetch_answer(config, Question(sql)).rows


def test_a_source_is_read_where_it_is_and_views_on_it_can_be_queried(config: Config) -> None:
    for sql in ("from kept", "from seen"):
        assert answer(config, sql) == ((2,),)
    assert answer(config, "from elsewhere.t") == ((1,),)
    with pytest.raises(UsageError, match=r"secret\.csv"):
        answer(config, "from 'secret.csv'")


def test_what_reads_an_attached_file_is_built_again_if_and_only_if_it_changed(config: Config) -> None:
    assert build(config).results == ()
    change(config.root, "insert into t values (5)")
    result = build(config)
    assert [(one.node.name, str(one.reason)) for one in result.results] == [
        ("seen", "elsewhere changed"),
        ("kept", "upstream seen"),
    ]
    assert answer(config, "from kept order by all") == ((2,), (6,))


def test_a_build_does_not_write_into_an_attached_database(config: Config) -> None:
    before = (config.root / "other.duckdb").read_bytes()
    (config.root / "models/kept.sql").write_text(
        "{{ config(post_hook='insert into elsewhere.t values (7)') }} select 1 as x"
    )
    assert build(config).exit_code == 3
    assert (config.root / "other.duckdb").read_bytes() == before
    (config.root / "models/kept.sql").write_text("{{ config(database='elsewhere') }} select 1 as x")
    with pytest.raises(GenredbError, match="attached databases are only read"):
        build(config)


def test_lineage_reaches_the_columns_of_an_attached_database(config: Config) -> None:
    with Opened(config) as opened:
        _, ref = opened.lineage.find("kept.y")
        assert ref is not None
        assert "elsewhere.main.t" in {edge.source.relation for edge in opened.lineage.upstream(ref)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("other.duckdb", "none.duckdb", r"profiles\.yml:9: there is no database .*none\.duckdb to attach"),
        ("alias: elsewhere", "alias: small", "the name of the project's own database"),
        ("alias: elsewhere", "alias: temp", "cannot be attached as 'temp'"),
        ("alias: elsewhere", "alias: elsewhere, type: postgres", "is of type postgres"),
        ("other.duckdb", "models/t.sql", "cannot be attached as elsewhere"),
        ("{path: other.duckdb, alias: elsewhere}", "other.duckdb", "should have a `path:`"),
        ("alias: elsewhere", "alias: elsewhere, read_only: perhaps", "should be true or false"),
        ("alias: elsewhere", "alias: elsewhere, reed_only: true", "Did you mean 'read_only'"),
        ("icu", "no_such", r"profiles\.yml:7: DuckDB's extension 'no_such' is not installed; run"),
        ("[icu, json, {name: parquet, repo: core}]", "{json: 1}", "should be a list"),
        ("alias: elsewhere", "alias: elsewere", "which is not attached. Did you mean 'elsewere'"),
    ],
)
def test_what_cannot_be_attached_is_said(config: Config, old: str, new: str, message: str) -> None:
    before = config.database.read_bytes()
    (config.root / "profiles.yml").write_text(PROFILE.replace(old, new))
    with pytest.raises(GenredbError, match=message):
        build(read_config(Settings(project_dir=config.root)))
    assert config.database.read_bytes() == before
