"""Python models: what their code states, what it may return, and how its faults are told.

tests/parity/pythons holds the rows against dbt's.
"""

import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from genredb.ask.show import show
from genredb.doctor import examine
from genredb.errors import ProjectError, UsageError
from genredb.runner.compile import compile_sql
from genredb.runner.flow.lineage import Lineage
from genredb.runner.graph.nodes import PythonModel
from genredb.runner.project.config import Config, Settings
from tests.project_files import BASE, compiled, write_project
from tests.verbs import build

SQL = {"models/a.sql": "{{ config(materialized='table') }} select 1 as x"}


def model(body: str) -> dict[str, str]:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return {**SQL, "models/p.py": f"def model(dbt, session):\n{lines}\n"}


def rows(config: Config, sql: str = "from p") -> list[Any]:
    with duckdb.connect(str(config.database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def error_of(config: Config) -> str:
    result = build(config)
    assert result.exit_code == 3
    return str(next(one.error for one in result.results if one.error))


@pytest.mark.parametrize(
    "body",
    [
        "return dbt.ref('a')",
        "return dbt.ref('a').df()",
        "return dbt.ref('a').to_arrow_table()",
        "return dbt.ref('a').to_arrow_reader()",
        "return session.sql(f\"from {dbt.ref('a').df() is not None and 'small.main.a'}\")",
        "frame = dbt.ref('a').df()\nreturn session.sql('from frame')",
    ],
)
def test_it_may_return_whatever_has_rows(tmp_path: Path, body: str) -> None:
    config = write_project(tmp_path, model(body))
    assert build(config).exit_code == 0
    assert rows(config) == [(1,)]


@pytest.mark.parametrize(
    ("last", "said"),
    [("return session.execute('select 1')", "connection has an open result"), ("raise KeyError", "KeyError")],
)
def test_an_error_after_an_unfinished_result_is_the_models(tmp_path: Path, last: str, said: str) -> None:
    error = error_of(write_project(tmp_path, model(f"reader = dbt.ref('a').to_arrow_reader()\n{last}")))
    assert error.startswith(f"models/p.py:3: {said}")


def test_its_code_says_what_it_reads_without_being_run(tmp_path: Path) -> None:
    body = "raise SystemExit(1)\nif False:\n    return dbt.source('shelf', 't')\nreturn dbt.ref('small', 'a')"
    sources = {"models/s.yml": "sources: [{name: shelf, tables: [{name: t}]}]"}
    (found,) = compiled(tmp_path, {**model(body), **sources}).of_type(PythonModel)
    assert set(found.depends_on) == {"source.small.shelf.t", "model.small.a"}
    assert found.materialized == "table"


def test_it_is_configured_by_files_and_code(tmp_path: Path) -> None:
    texts = {
        **model("dbt.config(schema='made', tags=['code'])\nreturn dbt.ref('a')"),
        "dbt_project.yml": BASE["dbt_project.yml"] + "models: {small: {+tags: [all]}}\n",
    }
    (found,) = compiled(tmp_path, texts).of_type(PythonModel)
    assert (found.relation.qualified_name, found.tags) == ("main_made.p", ("all", "code"))


def test_an_incremental_one_adds_to_its_rows(tmp_path: Path) -> None:
    body = (
        "dbt.config(materialized='incremental')\n"
        "return session.sql('select 2 as x') if dbt.is_incremental else dbt.ref('a')"
    )
    config = write_project(tmp_path, model(body))
    build(config)
    build(config)
    assert rows(config, "from p order by all") == [(1,), (2,)]


def test_what_it_prints_is_not_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(write_project(tmp_path, model("print('working')\nreturn dbt.ref('a')")))
    said = capsys.readouterr()
    assert ("working" in said.out, "working" in said.err) == (False, True)


def test_sql_of_others_cannot_name_variables_of_python(tmp_path: Path) -> None:
    texts = {**model("frame = 1\nreturn dbt.ref('a')"), "models/z.sql": "select * from frame, {{ ref('p') }}"}
    assert "Table with name frame does not exist" in error_of(write_project(tmp_path, texts))


def test_a_failing_one_lets_no_sql_name_variables_of_python(tmp_path: Path) -> None:
    texts = {
        **model("session.sql(\"select error('no')\").fetchall()"),
        "models/z.sql": "{{ config(materialized='table') }} select * from frame",
    }
    result = build(write_project(tmp_path, texts))
    told = " ".join(str(one.error) for one in result.results if one.error)
    assert "no" in told
    assert "Table with name frame does not exist" in told


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return [1, 2", "models/p.py:2:12: invalid Python: '[' was never closed"),
        ("return dbt.ref('b')", "models/p.py:2: ref('b') refers to no model or seed"),
        ("name = 'a'\nreturn dbt.ref(name)", "models/p.py:3: dbt.ref() takes literals"),
        ("return dbt.ref('a', version=2)", "models/p.py:2: dbt.ref() takes names"),
        ("return dbt.source('a')", "models/p.py:2: dbt.source() takes other names"),
        (
            "dbt.config(materialized='view')\nreturn dbt.ref('a')",
            "models/p.py: a Python model cannot be of the materialization 'view'",
        ),
        ("dbt.config(shcema='x')\nreturn dbt.ref('a')", "models/p.py: unknown key `shcema:`"),
    ],
)
def test_faults_of_the_text_are_told_before_anything_runs(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        compiled(tmp_path, model(body))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "models/p.py: a Python model needs a function `def model(dbt, session):`"),
        (
            "def model(dbt):\n    return 1",
            "models/p.py:1: model() of a Python model has the arguments dbt and se",
        ),
    ],
)
def test_a_file_without_a_model_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        compiled(tmp_path, {"models/p.py": text})
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return {}['x']", "models/p.py:2: KeyError: 'x'."),
        (
            "x = 1\nreturn session.sql('select nmae from (select 1 as name)')",
            'models/p.py:3: Referenced column "nmae" not found',
        ),
        ("return session.sql('select 1 as')", 'models/p.py:2: syntax error at or near "as"'),
        ("return session.sql(\"select error('no') as x\")", "models/p.py: no."),
        (
            "import no_such_package\nreturn 1",
            "models/p.py:2: the model needs the package no_such_package, which is not installed; install it wh",
        ),
        (
            "return [1]",
            "models/p.py: model() returns a list; return a DuckDB relation, a pandas or polars fr",
        ),
        ("return None", "models/p.py: model() returns a NoneType; return a DuckDB relation"),
        ("import sys\nsys.exit(0)", "models/p.py:3: SystemExit: 0."),
        ("f = dbt.ref\nreturn f('a')", "models/p.py: dbt.ref('a') is not stated in model() itself"),
    ],
)
def test_faults_of_a_run_are_told_with_the_line(tmp_path: Path, body: str, message: str) -> None:
    config = write_project(tmp_path, model(body))
    assert message in error_of(config)
    assert not config.database.exists()


def test_a_unit_test_of_one_is_an_error(tmp_path: Path) -> None:
    unit = "unit_tests: [{name: u, model: p, given: [], expect: {rows: [{x: 1}]}}]"
    with pytest.raises(ProjectError, match="the unit test u tests a Python model, which has no SQL"):
        compiled(tmp_path, {**model("return dbt.ref('a')"), "models/u.yml": unit})


def test_it_cannot_read_an_ephemeral_model(tmp_path: Path) -> None:
    texts = {
        **model("return dbt.ref('e')"),
        "models/e.sql": "{{ config(materialized='ephemeral') }} select 1 as x",
    }
    with pytest.raises(
        ProjectError, match=r"models/p.py:2: a Python model cannot read the ephemeral model e"
    ):
        compiled(tmp_path, texts)


def test_doctor_and_compile_show_the_code(tmp_path: Path) -> None:
    config = write_project(tmp_path, model("return dbt.ref('a')"))
    build(config)
    notes = [one.text for one in examine(Settings(project_dir=tmp_path)) if one.level == "note"]
    assert "a build runs the Python code of p" in notes
    assert compile_sql(config, "p").startswith("def model(dbt, session):")
    with pytest.raises(UsageError, match="p is Python, which only a build runs"):
        show(config, "p", None, 5)


def test_lineage_ends_at_it_and_says_so(tmp_path: Path) -> None:
    after = {"models/after.sql": "select x from {{ ref('p') }}"}
    described = {"models/p.yml": "models: [{name: p, columns: [{name: x}]}]"}
    compilation = compiled(tmp_path, {**model("return dbt.ref('a')"), **after, **described})
    lineage = Lineage(compilation)
    assert str(lineage.flow("main.p").unresolved) == "it calls Python"
    assert {(o.relation, o.column) for o in lineage.flow("main.after").columns["x"].origins} == {
        ("main.p", "x")
    }


def test_polars_frames_are_read(tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="needs polars")
    config = write_project(tmp_path, model("return dbt.ref('a').pl().lazy()"))
    assert build(config).exit_code == 0
    assert rows(config) == [(1,)]
    assert "polars" in sys.modules


def test_an_incremental_one_may_compute_rows_when_it_adds_to_them(tmp_path: Path) -> None:
    body = "dbt.config(materialized='incremental')\nreturn dbt.ref('a').df()"
    config = write_project(tmp_path, model(body))
    build(config)
    assert build(config).exit_code == 0
    assert rows(config) == [(1,), (1,)]


def test_a_frame_without_columns_is_told_as_such(tmp_path: Path) -> None:
    error = error_of(write_project(tmp_path, model("import pandas\nreturn pandas.DataFrame()")))
    assert "at least one column" in error
