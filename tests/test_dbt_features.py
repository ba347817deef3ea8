"""docs/runner.md says of each feature of dbt what becomes of it; each line has a test.

What is supported is tested elsewhere, and the table names the test; what has no effect and what is refused
is tried here.
"""

import re
from pathlib import Path

import pytest

from genredb.errors import GenredbError
from tests.conftest import ROOT
from tests.project_files import BASE, compiled, write_project
from tests.verbs import build

TESTS = Path(__file__).parent
PROJECT, PROFILES = BASE["dbt_project.yml"], BASE["profiles.yml"]
MODEL = {"models/m.sql": "select 1 as x"}


def yml(text: str) -> dict[str, str]:
    return {**MODEL, "models/p.yml": text}


def output(text: str) -> dict[str, str]:
    return {**MODEL, "profiles.yml": PROFILES.replace("}", f", {text}}}")}


def model(config: str) -> dict[str, str]:
    return {"models/m.sql": f"{{{{ config({config}) }}}} select 1 as x"}


# The feature as the table names it, a project that uses it, and what is said.
WITHOUT_EFFECT = {
    "`metrics:`": (yml("metrics: [{name: a, label: A, type: simple}]"), "genredb ignores `metrics:`"),
    "`semantic_models:`": (yml("semantic_models: [{name: a}]"), "genredb ignores `semantic_models:`"),
    "`saved_queries:`": (yml("saved_queries: [{name: a}]"), "genredb ignores `saved_queries:`"),
    "`functions:`": (yml("functions: [{name: f}]"), "genredb ignores `functions:`"),
    "`grants`": (model("grants={'select': ['me']}"), "genredb ignores `grants:`"),
    "`query-comment:`": (
        {**MODEL, "dbt_project.yml": PROJECT + "query-comment: x\n"},
        "ignores `query-comment:`",
    ),
    "`quoting:`": ({**MODEL, "dbt_project.yml": PROJECT + "quoting: {schema: true}\n"}, "ignores `quoting:`"),
    "`event_time`, `batch_size`": (model("event_time='x'"), "genredb ignores `event_time:`"),
    "configuration of other adapters": (model("cluster_by=['x']"), "genredb ignores `cluster_by:`"),
    "`overrides:` of sources": (
        yml("sources: [{name: s, overrides: p, tables: [{name: t}]}]"),
        "genredb ignores `overrides:`",
    ),
    "profiles: `plugins`": (output("plugins: [{module: excel}]"), "genredb ignores `plugins:`"),
    "profiles: `filesystems`": (output("filesystems: [{fs: s3}]"), "genredb ignores `filesystems:`"),
    "profiles: `is_ducklake`": (output("is_ducklake: true"), "genredb ignores `is_ducklake:`"),
    "selectors.yml": (
        {**MODEL, "selectors.yml": "selectors: [{name: a, definition: m}]"},
        "genredb ignores this file; use --select",
    ),
    "checks of no model without a name": (yml("data_tests: [unique]"), "without a name is ignored"),
    "constraints without a contract": (
        yml("models: [{name: m, columns: [{name: x, constraints: [{type: not_null}]}]}]"),
        "the constraints of m have no effect",
    ),
}
REFUSED = {
    "custom materializations": (model("materialized='mine'"), "has no materialization 'mine'"),
    "materializations in place of dbt's": (
        {**MODEL, "macros/m.sql": "{% materialization table, default %}{% endmaterialization %}"},
        "macros/m.sql:1: genredb does not support other materializations named 'table'",
    ),
    "`external`, `table_function`, `materialized_view`": (
        model("materialized='external'"),
        "has no materialization 'external'",
    ),
    "`microbatch`": (
        model("materialized='incremental', incremental_strategy='microbatch'"),
        "has no incremental_strategy 'microbatch'",
    ),
    "other adapters": (
        {**MODEL, "profiles.yml": "small:\n  outputs:\n    dev: {type: postgres, host: h}\n"},
        "of type 'postgres'; genredb runs on duckdb",
    ),
    "models in another database": (model("database='other'"), "`database: other` is not supported"),
    "`graph`": ({"models/m.sql": "select {{ graph.nodes | length }} as x"}, "models/m.sql:1:11: 'graph'"),
    "other methods of `adapter`": (
        {"models/m.sql": "{% do adapter.add_query('select 1') %} select 1 as x"},
        "models/m.sql:1:7: 'adapter.add_query' is not supported",
    ),
    "`metric()`": ({"models/m.sql": "select * from {{ metric('a') }}"}, "'metric' is undefined"),
    "unit tests of Python models": (
        {
            "models/m.py": "def model(dbt, session):\n    return session.sql('select 1 as x')\n",
            "models/p.yml": "unit_tests: [{name: u, model: m, given: [], expect: {rows: [{x: 1}]}}]",
        },
        "tests a Python model, which has no SQL",
    ),
}


@pytest.mark.parametrize(("files", "message"), WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT)
def test_what_has_no_effect_is_said(tmp_path: Path, files: dict[str, str], message: str) -> None:
    notices = [str(notice) for notice in compiled(tmp_path, files).notices]
    assert any(message in notice for notice in notices), notices


@pytest.mark.parametrize(("files", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_supported_is_refused_by_name(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(GenredbError, match=re.escape(message)):
        build(write_project(tmp_path, files))


def test_the_table_has_a_test_for_each_line() -> None:
    supported, without_effect, refused = tables()
    assert [feature for feature, *_ in without_effect] == list(WITHOUT_EFFECT)
    assert [feature for feature, *_ in refused] == list(REFUSED)
    missing = [(feature, test) for feature, _, test in supported if not is_there(test.strip("`"))]
    assert not missing
    assert len(supported) > 40


def tables() -> list[list[list[str]]]:
    """The rows of the three tables."""
    text = (ROOT / "docs" / "runner.md").read_text(encoding="utf-8")
    section = text.split("## dbt features\n")[1].split("\n## ")[0]
    found = []
    for part in re.split(r"^\*\*", section, flags=re.MULTILINE)[1:]:
        lines = [line.strip()[1:-1] for line in part.splitlines() if line.startswith("| ")]
        rows = [[cell.strip() for cell in line.split("|")] for line in lines]
        found.append([row for row in rows if row[0] != "feature"])
    return found


def is_there(test: str) -> bool:
    """Return True if there is a test of this name (FILE::NAME), or a project for dbt (parity: NAME)."""
    if test.startswith("parity: "):
        return (TESTS / "parity" / test.removeprefix("parity: ")).is_dir()
    file, _, name = test.partition("::")
    path = TESTS / f"test_{file}.py"
    return path.is_file() and f"\ndef test_{name}(" in path.read_text(encoding="utf-8")
