"""What a yml file says of when a check fails holds to the letter, or is refused."""

from pathlib import Path

import pytest

from genredb.build.results import Status
from genredb.build.run import build
from genredb.project.config import Config
from tests.project_files import write_project

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
    [("foo", "syntax error"), (">> 0", "`warn_if: >> 0` is no comparison such as '> 10'")],
)
def test_a_threshold_that_compares_nothing_is_an_error(tmp_path: Path, condition: str, message: str) -> None:
    """SQL takes ``0 foo`` for a number with a name, which would pass whatever the check finds."""
    result = build(project(tmp_path, condition))
    (fault,) = (one.message for one in result.results if one.status is Status.ERROR)
    assert message in fault
