"""Snapshots: what their files may state, what a build adds, and what never happens to their rows.

tests/parity/snapshots holds the rows against dbt's.
"""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from genredb.errors import ConsentError, ProjectError
from genredb.runner.flow.lineage import Lineage
from genredb.runner.graph.nodes import Snapshot
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config
from tests.project_files import BASE, compiled, write_project
from tests.verbs import build

TIMED = "strategy: timestamp, unique_key: id, updated_at: seen"
SONGS = (
    "select * from (values (1, 'a', date '2020-01-01'), (2, 'b', date '2020-01-01')) as t (id, name, seen)"
)
LATER = "select * from (values (1, 'c', date '2020-01-02')) as t (id, name, seen)"


def files(config: str = TIMED, songs: str = SONGS) -> dict[str, str]:
    entry = f"snapshots: [{{name: h, relation: ref('songs'), config: {{{config}}}}}]"
    return {"models/songs.sql": songs, "models/h.yml": entry}


def rows(config: Config, sql: str = "select id, name, dbt_valid_to from h order by all") -> list[Any]:
    with duckdb.connect(str(config.database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_each_build_keeps_what_was(tmp_path: Path) -> None:
    build(write_project(tmp_path, files()))
    config = write_project(tmp_path, files(songs=LATER))
    assert build(config).exit_code == 0
    found = [(key, name, str(ends)) for key, name, ends in rows(config)]
    assert found == [(1, "a", "2020-01-02"), (1, "c", "None"), (2, "b", "None")]
    assert build(config).results == ()


def test_a_full_refresh_keeps_it(tmp_path: Path) -> None:
    build(write_project(tmp_path, files()))
    config = write_project(tmp_path, files(songs=LATER))
    build(config, options=Options(is_full_refresh=True))
    assert len(rows(config)) == 3


def test_a_failing_build_leaves_it_as_it_was(tmp_path: Path) -> None:
    config = write_project(tmp_path, files())
    build(config)
    before = rows(config)
    check = "models: [{name: last, columns: [{name: x, data_tests: [not_null]}]}]"
    last = {"models/last.sql": "select null as x, count(*) as n from {{ ref('h') }}", "models/c.yml": check}
    config = write_project(tmp_path, {**files(songs=LATER), **last})
    assert build(config).exit_code == 1
    assert rows(config) == before


def test_models_and_checks_read_it(tmp_path: Path) -> None:
    own = "select count(*) as n from {{ ref('h') }}"
    check = "snapshots: [{name: h, columns: [{name: id, data_tests: [unique]}]}]"
    block = "{% snapshot h %}{{ config(strategy='check', unique_key='id', check_cols='all') }} SQL {% endsnapshot %}"
    texts = {"snapshots/h.sql": block.replace("SQL", SONGS), "models/n.sql": own, "snapshots/h.yml": check}
    config = write_project(tmp_path, texts)
    assert build(config).exit_code == 0
    assert rows(config, "from n") == [(2,)]
    compilation = compiled(tmp_path, texts)
    assert compilation.nodes["test.small.unique_h_id"].depends_on == ("snapshot.small.h",)
    (snapshot,) = compilation.of_type(Snapshot)
    assert snapshot.fqn == ("small", "h", "h")


def test_dropping_one_needs_consent(tmp_path: Path) -> None:
    build(write_project(tmp_path, files()))
    (tmp_path / "models" / "h.yml").unlink()
    with pytest.raises(
        ConsentError, match=r"would drop main.h \(whose rows of earlier builds cannot be rebuilt\)"
    ):
        build(write_project(tmp_path, {}))


def test_a_table_that_is_no_snapshot_is_left_alone(tmp_path: Path) -> None:
    config = write_project(tmp_path, files())
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("create table h (id integer)")
    result = build(config)
    assert (
        "main.h has no dbt_scd_id, dbt_updated_at, dbt_valid_from, dbt_valid_to, which this snapshot needs"
        in (str(next(one.error for one in result.results if one.error)))
    )
    assert rows(config, "from h") == []


def test_a_snapshot_that_dbt_took_goes_on(tmp_path: Path) -> None:
    config = write_project(tmp_path, files(songs=LATER))
    own = "md5('1|2020-01-01') as dbt_scd_id, seen as dbt_updated_at, seen as dbt_valid_from, null::date as dbt_valid_to"
    with duckdb.connect(str(config.database)) as connection:
        connection.execute(f"create table h as select *, {own} from ({SONGS}) where id = 1")
    assert build(config).exit_code == 0
    assert [name for _, name, ends in rows(config) if ends is None] == ["c"]
    assert len(rows(config)) == 2


def test_the_project_configures_snapshots(tmp_path: Path) -> None:
    tree = "snapshots: {small: {+schema: history, +strategy: timestamp, +unique_key: id}}\n"
    texts = {**files("updated_at: seen"), "dbt_project.yml": BASE["dbt_project.yml"] + tree}
    (found,) = compiled(tmp_path, texts).of_type(Snapshot)
    assert found.relation.qualified_name == "main_history.h"


def test_a_target_schema_is_taken_as_it_is(tmp_path: Path) -> None:
    (found,) = compiled(tmp_path, files(f"{TIMED}, target_schema: history")).of_type(Snapshot)
    assert found.relation.qualified_name == "history.h"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("unique_key: id", "the snapshot h needs a `strategy:`"),
        ("strategy: timestamp", "the snapshot h needs a `unique_key:`"),
        ("strategy: timestamp, unique_key: id", "the snapshot h needs an `updated_at:`"),
        ("strategy: check, unique_key: id", "the snapshot h needs `check_cols:`"),
        (
            "strategy: chekc, unique_key: id",
            "`strategy:` of the snapshot h cannot be 'chekc'. Did you mean 'check'",
        ),
        (
            f"{TIMED}, hard_deletes: new",
            "`hard_deletes:` of the snapshot h cannot be 'new'. Available: ignore, invalidate, new_record",
        ),
        (
            f"{TIMED}, hard_deletes: ignore, invalidate_hard_deletes: true",
            "the snapshot h has `hard_deletes:` and `invalidate_hard_deletes:`; remove the latter",
        ),
        (
            f"{TIMED}, snapshot_meta_column_names: {{dbt_valid_form: x}}",
            "`snapshot_meta_column_names:` of h should map columns of a snapshot to other names."
            " Did you mean 'dbt_valid_from'",
        ),
        (f"{TIMED}, target_database: other", "`database: other` is not supported"),
    ],
)
def test_what_a_snapshot_cannot_be_is_an_error(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        compiled(tmp_path, files(config))
    assert f"models/h.yml: {message}" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\n{% snapshot h %} select 1",
            "snapshots/h.sql:2: this snapshot has no name or no {% endsnapshot %}",
        ),
        (
            "{% snapshot g %} select {% snapshot h %} {% endsnapshot %}",
            "snapshots/h.sql:1: a snapshot should be in a file of",
        ),
        (
            "{% snapshot h %}\n{{ config(strategy='check') }}\nselect {{ nope }}\n{% endsnapshot %}",
            "snapshots/h.sql:3:11: 'nope' is undefined",
        ),
        ("{% snapshot h %} {% endsnapshot %}", "snapshots/h.sql: the model has no SQL"),
    ],
)
def test_faults_in_a_file_are_named_with_their_places(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        compiled(tmp_path, {"snapshots/h.sql": text})
    assert message in str(raised.value)


def test_one_name_is_one_node(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="share the name 'h'"):
        compiled(tmp_path, {**files(), "models/m/h.sql": "select 1 as x"})


def test_no_model_is_a_snapshot_by_configuration(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="genredb has no materialization 'snapshot'"):
        compiled(tmp_path, {"models/m.sql": "{{ config(materialized='snapshot') }} select 1 as x"})


def test_lineage_knows_its_own_columns(tmp_path: Path) -> None:
    last = {"models/last.sql": "select name, dbt_valid_from as begins from {{ ref('h') }}"}
    lineage = Lineage(compiled(tmp_path, {**files(), **last}))
    flow = lineage.flow("main.last")
    assert flow.unresolved is None
    assert {name: {origin.column for origin in found.origins} for name, found in flow.columns.items()} == {
        "name": {"name"},
        "begins": {"dbt_valid_from"},
    }


def test_comments_may_hold_blocks(tmp_path: Path) -> None:
    config = "{{ config(strategy='timestamp', unique_key='id', updated_at='seen') }}"
    block = f"{{% snapshot h %}}{config} {{# {{% endsnapshot %}} #}} select * from {{{{ ref('songs') }}}}"
    text = f"{{# {{% snapshot old %}} #}}\n{block}{{% endsnapshot %}}\n{{# {block} #}}"
    found = compiled(tmp_path, {"models/songs.sql": SONGS, "snapshots/h.sql": text}).of_type(Snapshot)
    assert [one.name for one in found] == ["h"]
