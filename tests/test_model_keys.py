"""Keys of a model's configuration that no project of the parity tests states: each has its effect."""

from pathlib import Path

import pytest

from tests.conftest import rows
from tests.project_files import write_project
from tests.verbs import build

INCREMENTAL = """
{{% set round = var('round', 1) %}}
{{{{ config(materialized='incremental', unique_key='id', {stated}) }}}}
select id, {{{{ round }}}} as first, {{{{ round }}}} as second from range(2) as t(id)
"""


def built_twice(folder: Path, stated: str) -> list[tuple[object, ...]]:
    """The rows of an incremental model after a second round of the same ids with other values."""
    for number in (1, 2):
        text = INCREMENTAL.format(stated=stated).replace("'round', 1", f"'round', {number}")
        config = write_project(folder, {"models/m.sql": text})
        assert build(config).exit_code == 0
    return rows(config.database, "from m order by all")


def test_a_merge_updates_the_columns_that_are_stated(tmp_path: Path) -> None:
    stated = "incremental_strategy='merge', merge_update_columns=['second']"
    assert built_twice(tmp_path, stated) == [(0, 1, 2), (1, 1, 2)]


@pytest.mark.parametrize("key", ["predicates", "incremental_predicates"])
def test_predicates_limit_the_rows_that_are_replaced(tmp_path: Path, key: str) -> None:
    stated = f"incremental_strategy='merge', {key}=['DBT_INTERNAL_DEST.id > 0']"
    assert built_twice(tmp_path, stated) == [(0, 1, 1), (0, 2, 2), (1, 2, 2)]


def test_a_header_runs_before_the_query(tmp_path: Path) -> None:
    header = "create temp macro twice(x) as 2 * x"
    text = f"{{{{ config(materialized='table', sql_header='{header}') }}}} select twice(4)"
    config = write_project(tmp_path, {"models/m.sql": text})
    assert build(config).exit_code == 0
    assert rows(config.database, "from m") == [(8,)]
