"""`genredb retry`: what it goes on from, and when there is nothing to go on from."""

from pathlib import Path

import duckdb
import pytest

from genredb.errors import UsageError
from genredb.runner.planning.options import Options
from tests.conftest import rows
from tests.project_files import write_project
from tests.test_runner import CHAIN, reasons
from tests.verbs import build, retry

# What only the run tells.
FAILS = "{{ config(materialized='table') }} select error('no') as y"


def test_a_retry_goes_on_where_the_build_failed(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN | {"models/deep/b.sql": FAILS})
    assert build(config).exit_code == 3
    assert not config.database.exists()
    result = retry(write_project(tmp_path, CHAIN))
    assert "a" not in reasons(result)
    assert {"b", "c"} <= reasons(result).keys()
    assert rows(config.database, "from c order by z") == [(2,), (4,), (6,)]
    with pytest.raises(UsageError, match="no failed build to resume"):
        retry(config)


def test_a_retry_keeps_what_another_program_wrote_since_the_build_failed(tmp_path: Path) -> None:
    """The failed build was a copy of the file as it was before: published, it would take the rows away."""
    config = write_project(tmp_path, CHAIN)
    build(config)
    assert build(write_project(tmp_path, {"models/other.sql": FAILS})).exit_code == 3
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("create table mine as select 42 as precious")
    assert retry(write_project(tmp_path, {"models/other.sql": "select 2 as one"})).is_published
    assert rows(config.database, "from mine, other") == [(42, 2)]


def test_a_build_that_finds_nothing_to_do_ends_the_failed_one_as_well(tmp_path: Path) -> None:
    """Else a retry weeks later would bring back what that build was told."""
    for is_by_receipt in (True, False):
        config = write_project(tmp_path, CHAIN)
        build(config)
        assert build(write_project(tmp_path, CHAIN | {"models/other.sql": FAILS})).exit_code == 3
        write_project(tmp_path, CHAIN)
        if not is_by_receipt:
            (tmp_path / "target" / "current.json").unlink()
        assert not build(config).results
        with pytest.raises(UsageError, match="no failed build to resume"):
            retry(config)


def test_a_retry_starts_over_where_the_database_was_written_since(tmp_path: Path) -> None:
    config = write_project(tmp_path, CHAIN)
    build(config)
    broken = write_project(tmp_path, {"models/other.sql": FAILS})
    assert build(broken).exit_code == 3
    mended = write_project(tmp_path, {"models/other.sql": "select 2 as one"})
    failed = (tmp_path / "target" / "failed.duckdb").read_bytes()
    build(mended, options=Options(selected=["other"]))
    (tmp_path / "target" / "failed.duckdb").write_bytes(failed)
    write_project(tmp_path, {"models/other.sql": "select 3 as one"})
    assert reasons(retry(mended)) == {"other": "sql changed"}
    assert rows(config.database, "from other") == [(3,)]
