"""The types of a seed's columns: those that dbt infers, and what it cannot load."""

from pathlib import Path

import pytest

from tests.conftest import rows
from tests.project_files import write_project
from tests.verbs import build


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        (["007", "12.0"], "INTEGER", [7, 12]),
        (["1", "2.50"], "DOUBLE", [1.0, 2.5]),
        (["", ""], "INTEGER", [None, None]),
        (["1", ""], "INTEGER", [1, None]),
        (["3000000000", "1"], "BIGINT", [3000000000, 1]),  # dbt fails on this and what follows
        (["30000000000000000000", "1"], "DOUBLE", [3e19, 1.0]),
        (["1", "inf"], "DOUBLE", [1.0, float("inf")]),
        (["$5", "6"], "VARCHAR", ["$5", "6"]),
        (["1,000", "6"], "VARCHAR", ["1,000", "6"]),
        (["12%", "6"], "VARCHAR", ["12%", "6"]),
        (["2024-02-30", "2024-01-01"], "VARCHAR", ["2024-02-30", "2024-01-01"]),
        (["null", "6"], "VARCHAR", ["null", "6"]),
        (["TRUE", "false"], "BOOLEAN", [True, False]),
        (["t", "f"], "VARCHAR", ["t", "f"]),
    ],
)
def test_a_column_has_the_type_that_its_values_fit(
    tmp_path: Path, values: list[str], kind: str, found: list[object]
) -> None:
    text = "id,v\n" + "".join(f'{number},"{value}"\n' for number, value in enumerate(values))
    config = write_project(tmp_path, {"seeds/s.csv": text})
    assert build(config).exit_code == 0
    assert rows(config.database, "select typeof(v), v from s order by id") == [(kind, one) for one in found]
