"""What the yml files state takes effect, or is refused by a sentence; it is never read and dropped."""

from pathlib import Path

import pytest

from genredb.errors import ProjectError
from genredb.runner.results import Status
from tests.conftest import rows
from tests.project_files import compiled, model_of, write_project
from tests.verbs import build


def profile(stated: str) -> str:
    return f"small:\n  outputs:\n    dev: {{type: duckdb, path: small.duckdb, {stated}}}\n"


SETTINGS = {
    "models/m.sql": "{{ config(materialized='table') }} select current_setting('threads') as threads,"
    " current_setting('TimeZone') as zone"
}


def test_settings_and_threads_of_a_profile_are_duckdbs_while_models_run(tmp_path: Path) -> None:
    files = {"profiles.yml": profile("threads: 3, settings: {TimeZone: Asia/Tokyo}")}
    config = write_project(tmp_path, SETTINGS | files)
    assert build(config).exit_code == 0
    assert rows(config.database, "from m") == [(3, "Asia/Tokyo")]
    other = write_project(tmp_path, {"profiles.yml": profile("settings: {TimeZone: Europe/Berlin}")})
    assert [done.node.name for done in build(other).results] == ["m"], (
        "a setting may decide what a model gives"
    )


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("threads: x", "`threads:` should be a number from 1 to 1024, not 'x'"),
        ("threads: 0", "`threads:` should be a number from 1 to 1024, not 0"),
        ("schema: [main]", r"`schema:` should be a string, not \['main'\]"),
        ("settings: {memory_limt: 1GB}", "DuckDB has no setting `memory_limt`. Did you mean 'memory_limit'?"),
        ("settings: {memory_limit: much}", "DuckDB rejects the setting `memory_limit`"),
        (
            "settings: {autoload_known_extensions: true}",
            "`autoload_known_extensions` is reserved for genredb",
        ),
    ],
)
def test_a_profile_that_cannot_be_applied_is_refused(tmp_path: Path, stated: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        build(write_project(tmp_path, {"models/m.sql": "select 1 as x", "profiles.yml": profile(stated)}))


def source(stated: str) -> dict[str, str]:
    return {
        "models/m.sql": "select * from {{ source('s', 't') }}",
        "models/s.yml": f"sources: [{{name: s, schema: main, {stated}, tables: [{{name: t}}]}}]",
    }


def test_a_source_of_another_database_is_refused(tmp_path: Path) -> None:
    message = "models/s.yml: the source s.t is in the database 'elsewhere', which is not attached"
    with pytest.raises(ProjectError, match=message):
        compiled(tmp_path, source("database: elsewhere"))
    compiled(tmp_path, source("database: '{{ target.database }}'"))


@pytest.mark.parametrize(
    ("formatter", "location"),
    [
        ("oldstyle", "read_csv('%(name)s.csv', columns={'a': 'integer'})"),
        ("newstyle", "read_csv('{name}.csv', columns={{ '{{' }}'a': 'integer'{{ '}}' }})"),
        ("template", "read_csv('${name}.csv', columns={'a': 'integer'})"),
    ],
)
def test_external_locations_are_formatted_as_dbt_does(tmp_path: Path, formatter: str, location: str) -> None:
    meta = f'config: {{meta: {{external_location: "{location}", formatter: {formatter}}}}}'
    sql = model_of(compiled(tmp_path, source(meta)), "m").sql
    assert sql == "select * from read_csv('t.csv', columns={'a': 'integer'})"


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (
            "external_location: \"read_csv('d.csv', columns={'a': 'integer'})\"",
            "set `formatter: oldstyle`",
        ),
        ("external_location: '{nam}.csv'", "names 'nam', which the source does not have"),
        ("external_location: x.csv, formatter: oldstile", "no formatter 'oldstile'. Did you mean 'oldstyle'"),
    ],
)
def test_an_external_location_that_cannot_be_formatted_is_refused(
    tmp_path: Path, meta: str, message: str
) -> None:
    with pytest.raises(ProjectError, match=message):
        compiled(tmp_path, source(f"config: {{meta: {{{meta}}}}}"))


def test_a_source_read_in_place_gives_its_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n7\n", encoding="utf-8")
    config = write_project(
        tmp_path, source(f"config: {{meta: {{external_location: '{tmp_path}/{{name}}.csv'}}}}")
    )
    assert [done.status for done in build(config).results] == [Status.SUCCESS]
    assert rows(config.database, "from m") == [(7,)]
