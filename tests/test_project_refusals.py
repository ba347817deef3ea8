"""What cannot be built is refused at once by a sentence that fits a screen; what the recipes add is taken."""

import pkgutil
from pathlib import Path

import pytest

from genredb.errors import GenredbError, Place, ProjectError, UsageError
from genredb.runner.graph import generic_checks
from genredb.runner.graph.materializations import MATERIALIZATIONS
from genredb.runner.planning.options import Options
from tests.project_files import compiled, write_project
from tests.verbs import build


@pytest.mark.parametrize("text", ["", "\n", "-- nothing yet\n", "/* nothing */ ;", "{# nothing #}"])
def test_an_empty_model_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match=r"^models/m.sql: the model has no SQL\.$"):
        compiled(tmp_path, {"models/m.sql": text})


def test_a_fault_of_a_model_with_unit_tests_is_told_once(tmp_path: Path) -> None:
    """Its own unit test, and those of the models that read it, say nothing more."""
    unit_tests = "unit_tests: [{name: u, model: a, given: [], expect: {rows: [{x: 1}]}}, {name: v, model: b, given: [], expect: {rows: [{x: 1}]}}]"
    files = {"models/a.sql": "select {{ nope }} as x", "models/b.sql": "select x from {{ ref('a') }}"}
    with pytest.raises(ProjectError, match=r"^models/a.sql:1:11: 'nope' is undefined") as raised:
        compiled(tmp_path, {**files, "models/u.yml": unit_tests})
    assert "unit" not in str(raised.value)


def test_excluding_all_that_is_selected_is_an_error(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/m.sql": "select 1 as x"})
    with pytest.raises(UsageError, match="--exclude removes everything that is selected"):
        build(config, options=Options(selected=("m",), excluded=("m",)))


def test_a_generic_check_needs_no_column_and_may_have_optional_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_rows = generic_checks.GenericCheck(
        lambda relation, _column, arguments: (
            f"select n from (select count(*) as n from {relation}) where n < {arguments.get('fewest', 1)}"
        ),
        optional=("fewest",),
        has_column=False,
    )
    monkeypatch.setattr(generic_checks, "GENERIC", {**generic_checks.GENERIC, "has_rows": has_rows})
    stated = "models: [{name: m, data_tests: [has_rows, has_rows: {arguments: {fewest: 2}}]}]"
    config = write_project(tmp_path, {"models/m.sql": "select 1 as x", "models/p.yml": stated})
    assert [done.status.value for done in build(config).results if done.node.is_check] == ["success", "fail"]
    with pytest.raises(ProjectError, match="has no argument 'fewst'. Did you mean 'fewest'?"):
        compiled(tmp_path, {"models/p.yml": stated.replace("fewest", "fewst")})


def test_every_materialization_names_the_function_that_makes_it() -> None:
    named = [one.function for one in MATERIALIZATIONS.values() if one.name != "ephemeral"]
    assert all(callable(pkgutil.resolve_name(function)) for function in named)


def test_a_refusal_fits_a_screen_however_long_what_it_quotes_is() -> None:
    error = str(GenredbError(f"There is no '{'x' * 100_000}'.\n" + "line\n" * 10_000))
    assert len(error) < 2000
    assert error.startswith("There is no 'xxx")
    text = "select " + "a, " * 10_000 + "wrong " + "b, " * 10_000
    place = Place("m.sql", 1, text.index("wrong") + 1, text, 5)
    first, line, caret = str(GenredbError("it is wrong", place=place)).split("\n")
    assert first == f"m.sql:1:{text.index('wrong') + 1}: it is wrong."
    assert (line[caret.index("^") : caret.index("^") + 5], caret.count("^"), len(line) < 400) == (
        "wrong",
        5,
        True,
    )
    short = str(GenredbError("it is wrong", place=Place("m.sql", 1, 8, "select wrong from b", 5)))
    assert short.endswith("    1 | select wrong from b\n      |        ^^^^^")


def test_a_long_literal_in_a_template_is_not_printed_whole(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(
            tmp_path, {"models/m.sql": f"select '{'x' * 100_000}' {{{{ nothing }}}} , '{'y' * 100_000}'"}
        )
    assert len(str(error.value)) < 1000
    assert "'nothing' is undefined" in str(error.value)
