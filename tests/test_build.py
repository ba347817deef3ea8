"""Building: what runs and why, what is left alone, and what a failure publishes (nothing)."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from genredb.errors import InputError, ProjectError, UsageError
from genredb.runner.clean import clean
from genredb.runner.planning.options import Options
from genredb.runner.planning.state import is_built_from_loads
from genredb.runner.project.config import Config, read_config
from genredb.runner.results import SilentObserver, Status
from genredb.runner.test import test as run_checks
from genredb.warehouse.database import open_reader
from tests.conftest import REAL_FILES, ROOT, config_for, rows
from tests.project_files import write_project
from tests.verbs import build, load

TWO_MODELS = {
    "models/a.sql": "{{ config(materialized='table') }} select range as x from range({{ var('n', 3) }})",
    "models/b.sql": "select x * 2 as y from {{ ref('a') }}",
    "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [unique]}]}]",
    "seeds/codes.csv": "code,word\n007,seven\n010,\n",
    "seeds/s.yml": "seeds: [{name: codes, config: {column_types: {code: varchar, word: varchar}}}]",
}


def ran(config: Config) -> dict[str, str]:
    """Build; return why each node ran."""
    result = build(config)
    assert result.exit_code == 0, result.results
    return {found.node.name: str(found.reason) for found in result.results}


def test_a_project_is_built_and_then_left_alone(tmp_path: Path) -> None:
    config = write_project(tmp_path, TWO_MODELS)
    assert set(ran(config)) == {"a", "b", "codes", "unique_a_x"}
    assert rows(config.database, "from b order by y") == [(0,), (2,), (4,)]
    assert rows(config.database, "from codes order by code") == [("007", "seven"), ("010", None)]
    before, stat = config.database.read_bytes(), config.database.stat()
    again = build(config)
    assert (again.is_published, again.results) == (False, ())
    after = config.database.stat()
    assert (after.st_ino, after.st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    assert config.database.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"models/b.sql": "select x * 3 as y from {{ ref('a') }}"}, {"b"}),
        ({"models/a.sql": "select 1 as x"}, {"a", "b", "unique_a_x"}),
        ({"dbt_project.yml": "name: small\nprofile: small\nvars: {n: 4}\n"}, {"a", "b", "unique_a_x"}),
        ({"dbt_project.yml": "name: small\nprofile: small\nmodels: {+materialized: table}\n"}, {"b"}),
        ({"seeds/codes.csv": "code,word\n008,eight\n"}, {"codes"}),
        ({"models/c.sql": "select 1"}, {"c"}),
        ({"models/p.yml": "models: [{name: a, columns: [{name: x, tests: [not_null]}]}]"}, {"not_null_a_x"}),
        ({"models/p.yml": TWO_MODELS["models/p.yml"] + "\n# a remark"}, set()),
    ],
)
def test_what_changed_runs_with_what_depends_on_it(
    tmp_path: Path, change: dict[str, str], expected: set[str]
) -> None:
    build(write_project(tmp_path, TWO_MODELS))
    assert set(ran(write_project(tmp_path, TWO_MODELS | change))) == expected


def test_an_environment_variable_that_a_template_used_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_project(tmp_path, {"models/a.sql": "select {{ env_var('WEIGHT', '1') }} as x"})
    build(config)
    assert ran(config) == {}
    monkeypatch.setenv("WEIGHT", "2")
    assert set(ran(config)) == {"a"}
    assert rows(config.database, "from a") == [(2,)]


def test_a_relation_that_is_gone_is_built_again(tmp_path: Path) -> None:
    config = write_project(tmp_path, TWO_MODELS)
    build(config)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("drop view b")
    assert ran(config) == {"b": "missing"}


def test_a_table_may_become_a_view_and_back(tmp_path: Path) -> None:
    for materialized in ("table", "view", "table"):
        model = {"models/a.sql": f"{{{{ config(materialized='{materialized}') }}}} select 1 as x"}
        config = write_project(tmp_path, model)
        build(config)
        kind = rows(
            config.database, "select table_type from information_schema.tables where table_name = 'a'"
        )
        assert kind == [("VIEW" if materialized == "view" else "BASE TABLE",)]


def test_a_failing_check_shows_its_rows_and_publishes_nothing(tmp_path: Path) -> None:
    config = write_project(tmp_path, TWO_MODELS)
    build(config)
    content = config.database.read_bytes()
    broken = {"models/a.sql": "select 7 as x from range(12)", "models/z.sql": "select 1"}
    result = build(write_project(tmp_path, TWO_MODELS | broken))
    statuses = {found.node.name: found.status for found in result.results}
    assert statuses == {
        "a": Status.SUCCESS,
        "unique_a_x": Status.FAIL,
        "b": Status.SKIPPED,
        "z": Status.SUCCESS,
    }
    failing = next(found.failing for found in result.results if found.failing)
    assert (failing.columns, failing.rows, failing.total) == (("unique_field", "n_records"), ((7, 12),), 1)
    assert (result.exit_code, result.is_published) == (1, False)
    assert config.database.read_bytes() == content
    assert {path.name for path in tmp_path.glob("small.duckdb*")} == {"small.duckdb", "small.duckdb.lock"}


def test_ten_failing_rows_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "select range as x from range(25)",
        "tests/t.sql": "select * from {{ ref('a') }}",
    }
    result = build(write_project(tmp_path, files))
    failing = result.results[-1].failing
    assert failing is not None
    assert (len(failing.rows), failing.total) == (10, 25)


def test_a_warning_publishes(tmp_path: Path) -> None:
    files = TWO_MODELS | {"tests/t.sql": "{{ config(severity='warn') }} select * from {{ ref('b') }}"}
    config = write_project(tmp_path, files)
    result = build(config)
    assert result.count(Status.WARN) == 1
    assert (result.exit_code, result.is_published) == (0, True)
    recorded = rows(
        config.database, "select severity, status, failing_rows from meta.check_results order by all"
    )
    assert recorded == [("error", "success", 0), ("warn", "warn", 3)]


def test_wrong_sql_names_the_file_and_publishes_nothing(tmp_path: Path) -> None:
    files = TWO_MODELS | {"models/b.sql": "select xx from {{ ref('a') }}"}
    config = write_project(tmp_path, files)
    with pytest.raises(ProjectError, match='models/b.sql:1:8: Referenced column "xx" not found'):
        build(config)
    assert not config.database.exists()


def test_the_history_is_in_the_file(tmp_path: Path) -> None:
    config = write_project(tmp_path, TWO_MODELS)
    build(config)
    build(write_project(tmp_path, TWO_MODELS | {"models/b.sql": "select 1 as y"}))
    history = rows(
        config.database,
        "select runs.command, node_runs.unique_id, node_runs.reason, node_runs.row_count"
        " from meta.runs inner join meta.node_runs using (run_id) order by started_at, unique_id",
    )
    assert history == [
        ("build", "model.small.a", "new", 3),
        ("build", "model.small.b", "new", None),
        ("build", "seed.small.codes", "new", 2),
        ("build", "model.small.b", "sql changed", None),
    ]


def test_only_the_raw_file_that_changed_is_loaded(config: Config, raw_dir: Path) -> None:
    assert len(build(config).loads) == 2
    test_file = raw_dir / REAL_FILES[1]
    test_file.write_text(test_file.read_text().replace("Asked 14", "Wanted 14"))
    result = build(config)
    assert [done.source for done in result.loads] == ["raw.songs_test"]
    built = {found.node.name for found in result.results}
    assert "songs" in built
    assert "genre_groups" not in built


def test_load_publishes_raw_tables_and_a_build_follows(config: Config, raw_dir: Path) -> None:
    assert [done.loaded for done in load(config)] == [13, 3]
    assert load(config) == ()
    assert rows(config.database, "select count(*) from raw.songs_train") == [(13,)]
    assert rows(config.database, "select count(*) from ml.predictions") == [(0,)]
    result = build(config)
    assert (result.loads, result.is_published) == ((), True)
    # Files that come back to what was built before: raw is loaded again, and so is what follows.
    other = raw_dir.with_name("other")
    shutil.copytree(raw_dir, other)
    text = (other / REAL_FILES[0]).read_text()
    (other / REAL_FILES[0]).write_text(text.replace("Song 1,", "Song One,"))
    load(config_for(other, config.database))
    assert build(config).is_published
    assert rows(config.database, "select title from songs where id = 1") == [("Song 1",)]


def test_a_load_makes_the_next_build_look_at_what_it_loaded(built_config: Config, raw_dir: Path) -> None:
    test_file = raw_dir / REAL_FILES[1]
    test_file.write_text(test_file.read_text().replace("Asked 14", "Wanted 14"))
    assert [done.source for done in load(built_config)] == ["raw.songs_test"]
    assert build(built_config).is_published
    assert rows(built_config.database, "select title from songs where id = 14") == [("Wanted 14",)]


def test_a_load_that_is_taken_back_leaves_a_build_that_confirms(built_config: Config, raw_dir: Path) -> None:
    test_file = raw_dir / REAL_FILES[1]
    before = test_file.read_text()
    for text in (before.replace("Asked 14", "Wanted 14"), before):
        test_file.write_text(text)
        load(built_config)
    with open_reader(built_config.database) as connection:
        assert not is_built_from_loads(connection)
    assert build(built_config).is_published
    with open_reader(built_config.database) as connection:
        assert is_built_from_loads(connection)
    assert not build(built_config).is_published


def test_an_edit_during_a_build_is_seen_by_the_next(tmp_path: Path) -> None:
    config = write_project(tmp_path, TWO_MODELS)

    class Editor(SilentObserver):
        def start(self, what: str) -> None:
            if what == "model b":
                (tmp_path / "models" / "b.sql").write_text("select 5 as y")

    build(config, Editor())
    assert rows(config.database, "from b order by y limit 1") == [(0,)]
    assert set(ran(config)) == {"b"}
    assert rows(config.database, "from b") == [(5,)]


def test_what_left_the_project_leaves_the_database(tmp_path: Path) -> None:
    other = write_project(tmp_path / "other", {"models/kept.sql": "select 1 as x"})
    database = tmp_path / "small.duckdb"
    package = replace(other.package, name="other")
    build(replace(other, database=database, package=package))
    build(write_project(tmp_path, TWO_MODELS))
    (tmp_path / "models" / "b.sql").rename(tmp_path / "models" / "c.sql")
    result = build(write_project(tmp_path, {}))
    assert result.is_published
    found = rows(database, "select table_name from information_schema.tables where table_schema = 'main'")
    assert {name for (name,) in found} == {"a", "c", "codes", "kept"}


def test_sources_may_lie_in_subfolders_and_share_a_table_name(tmp_path: Path) -> None:
    def source(name: str, file: str) -> str:
        return f"{{name: {name}, tables: [{{name: t, meta: {{file: {file}}}, columns: [{{name: i, data_type: integer}}]}}]}}"

    files = {
        "models/s.yml": f"sources: [{source('one', 'deep/t.csv')}, {source('two', 't.csv')}]",
        "models/a.sql": "select * from {{ source('one', 't') }}",
        "data/raw/t.csv": "i\n1\nx\n",
        "data/raw/deep/t.csv": "i\n2\ny\n",
    }
    config = write_project(tmp_path, files)
    build(config)
    assert rows(config.database, "select source, text from raw.quarantine order by 1") == [
        ("one.t", "y"),
        ("two.t", "x"),
    ]
    assert build(config).results == ()
    (tmp_path / "data/raw/deep/t.csv").write_text("i\n3\n")
    assert set(ran(config)) == {"a"}
    assert rows(config.database, "from a") == [(3,)]


def test_a_linked_database_stays_a_link(tmp_path: Path) -> None:
    write_project(tmp_path, TWO_MODELS)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "small.duckdb").symlink_to(tmp_path / "elsewhere" / "real.duckdb")
    build(write_project(tmp_path, {}))
    assert (tmp_path / "small.duckdb").is_symlink()
    assert (tmp_path / "elsewhere" / "real.duckdb").is_file()


def test_disabled_nodes_and_checks_are_left_out(tmp_path: Path) -> None:
    files = TWO_MODELS | {
        "models/b.sql": "{{ config(enabled=false) }} select 1 as y",
        "models/p.yml": "models: [{name: a, columns: [{name: x, tests: [{unique: {config: {enabled: false}}}]}]},"
        " {name: b, columns: [{name: y, tests: [unique]}]}]",
        "tests/t.sql": "{{ config(enabled=false) }} select 1",
    }
    assert set(ran(write_project(tmp_path, files))) == {"a", "codes"}


@pytest.mark.parametrize("options", [Options(warn_error=True), Options(store_failures=True)])
def test_what_is_asked_of_warnings_is_heeded_where_nothing_changed(tmp_path: Path, options: Options) -> None:
    """The check that warned runs again: to fail under --warn-error, to keep its rows by --store-failures."""
    check = "{{ config(severity='warn') }} select * from {{ ref('b') }} where y > 2"
    config = write_project(tmp_path, TWO_MODELS | {"tests/t.sql": check})
    build(config)
    result = build(config, options=options)
    assert [(found.node.name, str(found.reason)) for found in result.results] == [("t", "warned before")]
    assert result.exit_code == (1 if options.warn_error else 0)
    if options.store_failures:
        assert rows(config.database, "from main_dbt_test__audit.t") == [(4,)]


@pytest.mark.parametrize("config", ["alias='other'", "schema='other'", "materialized='ephemeral'"])
@pytest.mark.parametrize("options", [Options(), Options(selected=["b"])])
def test_a_model_that_makes_another_relation_leaves_none_behind(
    tmp_path: Path, config: str, options: Options
) -> None:
    """Its old one would be queried as if it were current, for ever."""
    project = write_project(tmp_path, TWO_MODELS | {"models/c.sql": "select 1 as x"})
    build(project)
    write_project(
        tmp_path, {"models/b.sql": f"{{{{ config({config}) }}}} select x * 3 as y from {{{{ ref('a') }}}}"}
    )
    assert build(project, options=options).exit_code == 0
    assert (
        rows(project.database, "select * from duckdb_views() where view_name = 'b' and schema_name = 'main'")
        == []
    )
    assert build(project).results == ()


def test_what_another_target_made_stays(tmp_path: Path) -> None:
    profiles = "small: {outputs: {one: {type: duckdb, path: s.duckdb}, two: {type: duckdb, path: s.duckdb, schema: two}}}"
    config = write_project(tmp_path, TWO_MODELS | {"profiles.yml": profiles})
    build(config)
    build(read_config(replace(config.settings, target="two")))
    assert rows(config.database, "select count(*) from main.b, two.b") == [(9,)]


def test_warnings_are_not_forgotten(tmp_path: Path) -> None:
    files = TWO_MODELS | {"tests/t.sql": "{{ config(severity='warn') }} select * from {{ ref('b') }}"}
    config = write_project(tmp_path, files)
    assert build(config).standing_warnings == 0
    assert build(config).standing_warnings == 1
    build(write_project(tmp_path, {"tests/t.sql": "select * from {{ ref('b') }} where y < 0"}))
    assert build(config).standing_warnings == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("k,v\na,1\nb\n", "seeds/codes.csv:3: 1 fields where the header has 2."),
        ('k,v\na,"1\nb,2\n', "seeds/codes.csv:2: a quote is never closed."),
        ("", "is empty"),
    ],
)
def test_a_broken_seed_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    result = build(write_project(tmp_path, {"seeds/codes.csv": content}))
    assert result.exit_code == 3
    assert message in result.results[0].message


def test_seeds_keep_every_line(tmp_path: Path) -> None:
    config = write_project(
        tmp_path,
        {"seeds/codes.csv": "k,v\n#a,1\n;b,2\n", "seeds/s[1].csv": "x\n1\n", "seeds/s1.csv": "x\n2\n"},
    )
    build(config)
    assert rows(config.database, "from codes") == [("#a", 1), (";b", 2)]
    assert rows(config.database, 'from "s[1]"') == [(1,)]


def test_a_required_file_that_is_missing_is_an_error_and_never_taken_from_elsewhere(
    config: Config, raw_dir: Path
) -> None:
    (raw_dir / REAL_FILES[1]).rename(raw_dir / "CS98XClassificationTets.csv")
    with pytest.raises(
        InputError, match=r"CS98XClassificationTest.csv, which does not exist. Did you mean"
    ) as e:
        build(config)
    assert "'CS98XClassificationTets.csv'" in str(e.value)
    assert not config.database.exists()


def test_own_files_take_the_place_of_the_sample(tmp_path: Path, raw_dir: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "sql", project / "sql")
    shutil.copytree(ROOT / "data", project / "data", ignore=shutil.ignore_patterns("*.csv.lock"))
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, project)
    for path in (project / "data" / "raw").glob("*.csv"):
        path.unlink()
    from genredb.runner.project.config import Settings, read_config

    assert read_config(Settings(project_dir=project)).is_sample
    shutil.copy(raw_dir / REAL_FILES[0], project / "data" / "raw")
    config = read_config(Settings(project_dir=project))
    assert not config.is_sample
    with pytest.raises(
        InputError, match="needs .*data/raw/CS98XClassificationTest.csv, which does not exist"
    ):
        build(config)


def test_checks_run_on_the_published_file(built_config: Config) -> None:
    with duckdb.connect(str(built_config.database)) as connection:
        connection.execute("insert into genres select * from genres limit 1")
    result = run_checks(built_config, options=Options(["genres"]))
    assert result.exit_code == 1
    assert [found.node.name for found in result.of_status(Status.FAIL)] == ["unique_genres_genre"]
    assert run_checks(built_config, options=Options(["artists"])).exit_code == 0
    assert run_checks(built_config, options=Options(["unique_genres_genre"])).count(Status.FAIL) == 1
    with pytest.raises(UsageError, match="Did you mean 'artists'"):
        run_checks(built_config, options=Options(["artist"]))


def test_clean_removes_targets_and_leftovers_but_nothing_else(tmp_path: Path) -> None:
    files = TWO_MODELS | {"dbt_project.yml": "name: small\nprofile: small\nclean-targets: [target]\n"}
    config = write_project(tmp_path, files | {"target/x.json": "{}"})
    build(config)
    leftover = tmp_path / ".small.duckdb.genredb-99999999"
    leftover.mkdir()
    assert clean(config) == [tmp_path / "target", leftover]
    assert clean(config) == []
    assert rows(config.database, "select count(*) from a") == [(3,)]
    (tmp_path / "kept").mkdir()
    (tmp_path / "target").symlink_to("kept")
    assert clean(config) == [tmp_path / "target"]
    assert (tmp_path / "kept").is_dir()
    for folder in (".git/refs", "models/marts", "seeds", "data/raw", "queries", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for target in (
        *(".", "models", "..", "/tmp", "models/marts", "seeds", "tests", ".git", ".git/refs"),
        *("data/raw", "data", "queries", "snapshots", "elsewhere"),
    ):
        dangerous = write_project(
            tmp_path, {"dbt_project.yml": f"name: small\nprofile: small\nclean-targets: ['{target}']\n"}
        )
        with pytest.raises(ProjectError, match="clean-targets contains"):
            clean(read_config(replace(dangerous.settings, raw_dir=tmp_path / "elsewhere")))
    assert (tmp_path / "models" / "a.sql").is_file()
