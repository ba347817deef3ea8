"""An entry of a registry says all there is to know of it: no code elsewhere goes by its name."""

from pathlib import Path

import pytest

from genredb.cli import export
from genredb.errors import UsageError
from genredb.runner.graph.generic_checks import GENERIC, GenericCheck
from genredb.runner.graph.materializations import MATERIALIZATIONS, Materialization
from genredb.runner.graph.nodes import UnitTest
from genredb.warehouse.file_formats import FILE_FORMATS, FileFormat
from tests.project_files import compiled, write_project
from tests.verbs import build


def test_an_argument_of_any_check_may_be_called_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only `accepted_values` wants a list there."""
    sql = "select * from {} where {} not {}"
    check = GenericCheck(lambda of, name, given: sql.format(of, name, given["values"]), needed=("values",))
    monkeypatch.setitem(GENERIC, "all_are", check)
    stated = "columns: [{name: n, data_tests: [{all_are: {arguments: {values: in (1)}}}]}]"
    files = {"models/a.sql": "select 1 as n", "models/a.yml": f"models: [{{name: a, {stated}}}]"}
    assert build(write_project(tmp_path, files)).exit_code == 0


def test_a_unit_test_gives_no_rows_for_a_model_without_relation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its query is part of the tested one, whatever its materialization is called."""
    monkeypatch.setitem(MATERIALIZATIONS, "inlined", Materialization("inlined"))
    files = {
        "models/a.sql": "{{ config(materialized='inlined') }} select 1 as n",
        "models/b.sql": "select n from {{ ref('a') }}",
        "models/b.yml": "unit_tests: [{name: t, model: b, given: [], expect: {rows: [{n: 1}]}}]",
    }
    assert [test.name for test in compiled(tmp_path, files).of_type(UnitTest)] == ["t"]


def test_a_terminal_gets_no_binary_export_whatever_the_format_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FILE_FORMATS, "arrow", FileFormat("arrow", "format arrow", is_binary=True))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UsageError, match="Arrow is binary; write it to a file with -o FILE"):
        export._to_stdout(lambda _path: pytest.fail("exported"), "arrow")
