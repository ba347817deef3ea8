"""The same folder, run by genredb and by dbt, gives the same relations, rows and outcomes.

dbt-core and dbt-duckdb live in an environment of their own; GENREDB_DBT names its ``dbt``. Without it
these tests are skipped, visibly.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import ROOT
from tests.test_freshness import write_ages

PROJECTS = Path(__file__).parent / "parity"
OWN_SCHEMAS = ("raw", "ml", "meta")

# Each project with the runs it is put through, one after the other, by both.
RUNS: dict[str, list[list[str]]] = {
    "seeds": [["build"]],
    "attach": [["build"], ["build"]],
    "packages": [["build"], ["build", "--vars", "{most: 1}"]],
    "pythons": [["build"], ["build"]],
    "snapshots": [["build"], ["build", "--vars", "{day: 2}"], ["build", "--vars", "{day: 3}"]],
    "shop": [["build"], ["build", "--vars", "{low_price: 20}", "--full-refresh"]],
    # The third run breaks the contract of `kept`.
    "contracts": [
        ["build"],
        ["build", "--vars", "{last: 2}"],
        # What breaks a contract is refused before anything runs: tests/test_contracts.py.
        ["build", "--vars", "{last: 3}", "--full-refresh"],
    ],
    "events": [
        ["build", "--empty"],
        ["build"],
        ["build", "--vars", "{last_day: 3, factor: 2}"],
        ["build", "--vars", "{last_day: 3, factor: 3}"],
        ["build", "--full-refresh", "--vars", "{last_day: 2}"],
    ],
    # Some fail: the others of the same model run, and what is downstream of all that one looks at does not.
    "checks": [["build"]],
    "jinja": [["build"], ["build", "--target", "other"]],
    "versions": [
        ["build"],
        ["build", "--select", "version:prerelease", "version:none", "--full-refresh"],
        ["build", "--select", "songs.v1+", "doubled_v2", "half.vbeta", "--full-refresh"],
        ["build", "--select", "+exposure:charts", "--full-refresh"],
    ],
    "units": [
        ["build", "--exclude", "wrong+", "grown_adds_what_is_higher"],
        ["build"],
        ["build", "--select", "+ranked", "grown"],
    ],
}
# The runs in which something fails; a unit test of `wrong` expects what it does not give.
FAILING = {("units", 1), ("checks", 0)}


@pytest.fixture(scope="session")
def dbt() -> Path:
    """The ``dbt`` of the environment that holds it."""
    path = Path(os.environ.get("GENREDB_DBT", ""))
    if not path.is_file():
        pytest.skip("dbt is not here: set GENREDB_DBT to the dbt of dbt-core 1.11.16 with dbt-duckdb 1.11.1")
    return path


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command in a folder; return what it printed, whatever its exit code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GENREDB_")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def outcomes(folder: Path) -> dict[str, tuple[str, Any]]:
    """How each node ended, by its id without dbt's hash, with the number of failing rows."""
    found = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    result = {}
    for entry in found:
        unique_id = re.sub(r"^(test\..*)\.[0-9a-f]{10}$", r"\1", entry["unique_id"])
        if not unique_id.startswith("operation."):
            failures = entry["failures"] if entry["unique_id"].startswith("test.") else None
            result[unique_id] = (entry["status"], failures or None)
    return result


def relations(database: Path) -> dict[str, tuple[str, tuple[str, ...], Counter[Any]]]:
    """Every relation of a database with its kind, its columns' names and types, constraints, and its rows."""
    result = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for one in database.parent.glob("attached/*.duckdb"):
            name = "store" if one.stem == "shop" else one.stem
            connection.execute(f"attach '{one}' as {name} (read_only)")
        found = connection.execute(
            "select table_schema, table_name, table_type from information_schema.tables"
            " where table_catalog = current_database() order by all"
        ).fetchall()
        for schema, name, kind in found:
            if schema in OWN_SCHEMAS or "__dbt_tmp" in name:  # dbt leaves one of an incremental Python model
                continue
            quoted = f'"{schema}"."{name}"'
            columns = tuple(
                f"{row[0]} {row[1]}" for row in connection.execute(f"describe {quoted}").fetchall()
            )
            columns += _constraints(connection, schema, name)
            rows = Counter(map(_timeless, connection.execute(f"from {quoted}").fetchall()))
            result[f"{schema}.{name}"] = (kind, columns, rows)
    return result


def _constraints(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> tuple[str, ...]:
    asked = "from duckdb_constraints() where schema_name = ? and table_name = ? order by all"
    texts = connection.execute(f"select constraint_text {asked}", [schema, name]).fetchall()
    return tuple(str(text) for (text,) in texts)


def _timeless(row: tuple[Any, ...]) -> str:
    """A row as text, without the time of this run and without digests of it, which a snapshot has."""
    today = datetime.now(UTC).date() - timedelta(days=1)
    is_now = [isinstance(value, datetime) and today <= value.date() < date(9999, 1, 1) for value in row]
    digest = "a digest of now" if any(is_now) else None
    return repr(
        [
            "now" if now else digest if digest and re.fullmatch(r"[0-9a-f]{32}", str(value)) else value
            for value, now in zip(row, is_now, strict=True)
        ]
    )


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert sorted(ours) == sorted(theirs)
    for name, value in theirs.items():
        assert ours[name] == value, name


@pytest.mark.slow
@pytest.mark.parametrize("name", list(RUNS))
def test_a_project_gives_what_dbt_gives(name: str, dbt: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "genredb", tmp_path / "dbt"
    for folder in (ours, theirs):
        shutil.copytree(PROJECTS / name, folder)
        for script in folder.glob("attached/*.sql"):
            with duckdb.connect(str(script.with_suffix(".duckdb"))) as connection:
                connection.execute(script.read_text())
    if (theirs / "packages.yml").is_file():
        run([dbt, "deps"], theirs)
    for number, arguments in enumerate(RUNS[name]):
        printed = run([sys.executable, "-m", "genredb", *arguments], ours)
        expected = run([dbt, "--no-use-colors", *arguments], theirs)
        assert "Traceback" not in printed
        statuses = outcomes(theirs)
        found = outcomes(ours)
        # genredb leaves what did not change; what it ran ended as in dbt.
        assert found.items() <= statuses.items(), (printed, expected)
        has_failed = any(status in ("error", "fail") for status, _ in statuses.values())
        assert has_failed == ((name, number) in FAILING), expected
        if not has_failed:
            (database,) = theirs.glob("*.duckdb")
            assert_same(relations(ours / database.name), relations(database))


@pytest.mark.slow
def test_sources_are_as_old_as_dbt_says(dbt: Path, tmp_path: Path) -> None:
    found = []
    for program, verb in (
        ([sys.executable, "-m", "genredb"], ["freshness"]),
        ([dbt], ["source", "freshness"]),
    ):
        folder = tmp_path / verb[0]
        write_ages(folder)
        (folder / "dbt_project.yml").write_text("name: small\nversion: '1.0'\nprofile: small\n")
        profile = "small: {target: dev, outputs: {dev: {type: duckdb, path: small.duckdb}}}"
        (folder / "profiles.yml").write_text(profile)
        run([*program, "build"], folder)
        printed = run([*program, *verb], folder)
        results = json.loads((folder / "target" / "sources.json").read_text())["results"]
        ages = {one["unique_id"]: one for one in results if one["status"] != "runtime error"}
        found.append({i: (one["status"], one["criteria"]) for i, one in ages.items()})
        assert len(ages) == 8, printed
    assert found[0] == found[1]


READ_ARTIFACTS = """
import sys
from dbt.artifacts.schemas.manifest import WritableManifest
from dbt.artifacts.schemas.run import RunResultsArtifact
manifest = WritableManifest.read_and_check_versions(sys.argv[1] + "/manifest.json")
results = RunResultsArtifact.read_and_check_versions(sys.argv[1] + "/run_results.json")
print(len(manifest.nodes), len(manifest.unit_tests), len(results.results))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "counts"), [("shop", "24 0 24"), ("units", "8 5 12"), ("versions", "20 3 23")]
)
def test_the_artifacts_load_in_dbts_own_classes(name: str, counts: str, dbt: Path, tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / name, tmp_path / name)
    run([sys.executable, "-m", "genredb", "build"], tmp_path / name)
    printed = run([dbt.with_name("python"), "-c", READ_ARTIFACTS, "target"], tmp_path / name)
    assert printed.strip().splitlines()[-1] == counts


@pytest.mark.slow
def test_this_project_gives_what_dbt_gives(dbt: Path, real_data: Path, tmp_path: Path) -> None:
    """dbt builds the shipped project's folder on the raw tables that genredb loaded."""
    ours, theirs = tmp_path / "genredb", tmp_path / "dbt"
    for folder in (ours, theirs):
        for part in ("sql", "data/seeds"):
            shutil.copytree(ROOT / part, folder / part)
        for part in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(ROOT / part, folder)
    run([sys.executable, "-m", "genredb", "load", "--raw-dir", real_data], theirs)
    expected = run([dbt, "--no-use-colors", "build"], theirs)
    run([sys.executable, "-m", "genredb", "build", "--raw-dir", real_data], ours)
    statuses = outcomes(theirs)
    assert {status for status, _ in statuses.values()} == {"success", "pass"}, expected
    assert outcomes(ours) == statuses
    assert_same(relations(ours / "genre.duckdb"), relations(theirs / "genre.duckdb"))
