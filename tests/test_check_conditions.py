"""What a yml file says of when a check fails holds to the letter, or is refused."""

from pathlib import Path

import pytest

from genredb.runner.project.config import Config
from genredb.runner.results import Status
from tests.project_files import write_project
from tests.verbs import build

YML = """models:
  - name: one
    columns:
      - name: Select
        quote: true
        data_tests: [unique, not_null]
      - name: n
        data_tests:
          - accepted_values: {values: [1], config: {severity: warn, warn_if: "CONDITION"}}
"""


def project(folder: Path, condition: str) -> Config:
    files = {
        "models/one.sql": 'select 1 as "Select", 1 as n',
        "models/one.yml": YML.replace("CONDITION", condition),
    }
    return write_project(folder, files)


def test_a_column_that_is_a_word_of_sql_is_checked_in_quotes(tmp_path: Path) -> None:
    result = build(project(tmp_path, "between 1 and 9"))
    assert [one.message for one in result.results if one.status is Status.ERROR] == []
    assert result.is_published


@pytest.mark.parametrize(
    ("condition", "message"),
    [("foo", "syntax error"), (">> 0", "`warn_if: >> 0` is not a comparison such as '> 10'")],
)
def test_a_threshold_that_compares_nothing_is_an_error(tmp_path: Path, condition: str, message: str) -> None:
    """SQL takes ``0 foo`` for a number with a name, which would pass whatever the check finds."""
    result = build(project(tmp_path, condition))
    (fault,) = (one.message for one in result.results if one.status is Status.ERROR)
    assert message in fault


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ("1", "instead of one value; use an aggregate, such as count(*) or max(n)"),
        ("n_records", "fail_calc gives 0 rows instead of one value"),
        ("count(*), 1", "fail_calc gives (0, 1), which is not a count"),
        ("count(*) as n", "syntax error"),
    ],
)
def test_a_measure_that_is_not_one_value_is_an_error(tmp_path: Path, measure: str, message: str) -> None:
    """As in dbt, where each of these fails, even if the check finds no row."""
    config = project(tmp_path, f'> 1", fail_calc: "{measure}')
    (fault,) = (one.message for one in build(config).results if one.status is Status.ERROR)
    assert message in fault
