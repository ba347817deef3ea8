"""Facts are values until they are printed: no code reads a sentence back, and the JSON has kinds, subjects and figures."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

from genredb.ask.guard import Limits, run_guarded
from genredb.errors import GenredbError, Notice, Place, ProjectError, ProjectErrors, UsageError
from genredb.reports.builds import error_reports
from genredb.runner.flow.values import Obstacle, Unresolved
from genredb.runner.planning.options import Options
from genredb.runner.planning.state import read_state
from genredb.runner.project.config import Config
from genredb.runner.reasons import Cause, Reason
from genredb.values import json_text
from genredb.warehouse.database import open_reader
from genredb.warehouse.faults import FaultKind
from tests.conftest import Cli
from tests.project_files import compiled, write_project
from tests.test_structure import TREES
from tests.verbs import build, plan

# Where the messages of others are read: of DuckDB, Jinja, YAML, sqlglot and scikit-learn.
FOREIGN = {
    "genredb.warehouse.duckdb_errors",
    "genredb.runner.templates.located",
    "genredb.runner.execution.python_model",
    "genredb.runner.project.yml_jinja",
    "genredb.runner.project.files",
    "genredb.runner.flow.query",
    "genredb.songs.learn.fitted",
    "genredb.spark.dialect",
}
READING = {
    "split",
    "splitlines",
    "partition",
    "rpartition",
    "startswith",
    "endswith",
    "removesuffix",
    "rstrip",
}
_ERRORS = ("Error", "Exception")
SUGGESTING = {"genredb.errors", "genredb.doctor"}


def read_messages(tree: ast.Module) -> Iterator[str]:
    """Where a module takes apart, or looks into, the text of an error that it caught."""
    nodes = [*ast.walk(tree)]
    caught = {one.name for one in nodes if isinstance(one, ast.ExceptHandler) and one.name}
    for one in nodes:
        if isinstance(one, ast.arg) and one.annotation and ast.unparse(one.annotation).endswith(_ERRORS):
            caught.add(one.arg)

    def is_message(node: ast.AST) -> bool:
        return ast.unparse(node) in {f"str({name})" for name in caught} | {f"{name}.what" for name in caught}

    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in READING and is_message(node.value):
            yield ast.unparse(node)
        if isinstance(node, ast.Compare) and any(map(is_message, [node.left, *node.comparators])):
            yield ast.unparse(node)


def test_only_the_messages_of_others_are_read_and_each_in_one_place() -> None:
    assert {name for name, tree in TREES.items() if [*read_messages(tree)]} == FOREIGN
    assert [*read_messages(ast.parse("try: f()\nexcept E as error:\n    x = str(error).split('.')[0]"))]


def test_only_an_error_suggests_what_was_meant() -> None:
    """An error or notice has the name and the choices; the suggestion is made when it is printed."""
    calls = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("did_you_mean"))
        or (isinstance(node, ast.Constant) and "Did you mean" in str(node.value))
    }
    assert calls == SUGGESTING


def test_a_notice_has_its_place_the_name_and_its_choices(tmp_path: Path) -> None:
    files = {
        "models/m.sql": "select 1 as x",
        "models/p.yml": "models: [{name: mm}]\nmetrics: []\n",
    }
    ignored, missing = compiled(tmp_path, files).notices
    assert ignored == Notice("genredb ignores `metrics:`", Place("models/p.yml"))
    assert (missing.place.path, missing.name, missing.choices) == ("models/p.yml", "mm", ("m",))
    with pytest.raises(ProjectErrors) as refused:
        build(write_project(tmp_path, files), options=Options(warn_error=True))
    assert [one.choices for one in refused.value.each()] == [(), ("m",)]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select random() as x", Reason(Cause.USES_FUNCTION, "random")),
        ("select current_date as x", Reason(Cause.USES_NAME, "current_date")),
        ("select * from range(2), glob('*.csv')", Reason(Cause.READS_BY, "glob")),
        ("select * from 'models/numbers.csv'", Reason(Cause.READS_FILE, "models/numbers.csv")),
        ("select * from information_schema.tables", Reason(Cause.READS, "information_schema.tables")),
        ("select 1 as x", None),
    ],
)
def test_why_sql_is_volatile_is_stored_and_read_as_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str, reason: Reason | None
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_project(tmp_path, {"models/m.sql": sql})
    (tmp_path / "models" / "numbers.csv").write_text("x\n1\n")
    assert build(config).exit_code == 0
    with open_reader(config.database) as connection:
        assert read_state(connection).nodes["model.small.m"].volatile == reason
    assert plan(config).reasons == ({"model.small.m": reason} if reason else {})


def test_an_error_of_a_build_is_given_by_its_parts(tmp_path: Path) -> None:
    files = {"models/a.sql": "select 1 as xylophone", "models/b.sql": "select xilophone\nfrom {{ ref('a') }}"}
    config = write_project(tmp_path, files)
    with pytest.raises(ProjectErrors) as refused:
        build(config)
    [error] = error_reports(refused.value)
    assert (error.file, error.line, error.column) == ("models/b.sql", 1, 8)
    assert (error.name, [*error.choices]) == ("xilophone", ["xylophone"])


def test_an_error_that_no_file_shows_has_the_line_of_its_check(tmp_path: Path) -> None:
    """Its SQL is quoted, whose line is not one of the file."""
    yml = "models:\n  - name: m\n    columns:\n      - name: x\n        data_tests:\n"
    yml += "          - accepted_values:\n              values: [a]\n              quote: false\n"
    config = write_project(tmp_path, {"models/m.sql": "select 1 as x", "models/p.yml": yml})
    with pytest.raises(ProjectErrors) as refused:
        build(config)
    assert "SQL | " in str(refused.value)
    assert str(refused.value).startswith("models/p.yml:6: ")
    [report] = error_reports(refused.value)
    assert (report.file, report.line, report.column) == ("models/p.yml", 6, None)


def test_a_fault_is_given_by_its_kind_and_its_details(tmp_path: Path) -> None:
    yml = "sources: [{name: s, tables: [{name: t, config: {meta: {file: t.csv}}, columns: "
    yml += "[{name: x, data_type: integer, config: {meta: {min: 3}}}]}]}]"
    config = write_project(tmp_path, {"models/s.yml": yml, "data/raw/t.csv": "x\n1\n2\n5\n7,8\ny\n"})
    [load] = build(config).loads
    found = {(one.kind, one.details, one.field): one.records for one in load.faults}
    assert found == {
        (FaultKind.BELOW, ("3",), "x"): 2,
        (FaultKind.FIELD_COUNT, (2, 1), ""): 1,
        (FaultKind.OTHER_TYPE, ("an integer",), "x"): 1,
    }
    assert json.loads(json_text(load))["faults"][0] == {
        "kind": "below",
        "details": ["3"],
        "field": "x",
        "records": 2,
    }


def test_what_lineage_cannot_trace_is_given_by_its_obstacle(tmp_path: Path, cli: Cli) -> None:
    yml = "models: [{name: m, columns: [{name: file}]}]"
    config = write_project(tmp_path, {"models/m.sql": "select * from glob('*')", "models/p.yml": yml})
    done = cli("lineage", "m", "--json", cwd=config.root)
    why = Unresolved(Obstacle.READS_BY, "glob")
    assert json.loads(done.out)["unresolved"] == {
        "main.m": {"reason": str(why), "obstacle": "reads_by", "subject": "glob"}
    }


def test_a_large_drop_is_given_by_its_relations(tmp_path: Path) -> None:
    def project(*names: str) -> Config:
        for path in tmp_path.glob("models/*.sql"):
            path.unlink()
        return write_project(tmp_path, {f"models/{name}.sql": "select 1 as x" for name in names})

    build(project("a", "b", "c"))
    found = plan(project("a")).large_drop
    assert found
    assert (sorted(found.relations), found.built, found.keep_rows) == (["main.b", "main.c"], 3, False)


@pytest.mark.parametrize(
    "error",
    [
        UsageError("what", place=Place("SQL", 1, 2, "selct", 5), cure="the cure", name="a", choices=("b",)),
        ProjectError("what").during("an occasion"),
        ProjectErrors([ProjectError("one", place="a.yml"), ProjectError("two", name="x", choices=["xx"])]),
    ],
)
def test_an_error_comes_whole_out_of_a_guarded_process(error: GenredbError) -> None:
    def task(_stream: BinaryIO) -> NoReturn:
        raise error

    with pytest.raises(GenredbError) as raised:
        run_guarded(task, lambda _content: None, Limits())
    assert str(raised.value) == str(error)
    assert raised.value.exit_code == error.exit_code
    assert [one.choices for one in raised.value.each()] == [one.choices for one in error.each()]
