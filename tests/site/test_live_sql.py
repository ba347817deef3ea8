"""Live SQL in the page of questions, with DuckDB-Wasm where `GENREDB_DUCKDB_WASM` names its folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from genredb.catalog import Catalog
from genredb.errors import UsageError
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config
from tests.conftest import Shared, rows
from tests.site.browser import Opened, opened


@pytest.fixture(scope="session")
def live(evaluated: Config, shared: Shared) -> Path:
    """A report with live SQL; not to be changed."""
    folder = os.environ.get("GENREDB_DUCKDB_WASM")
    if not folder:
        pytest.skip("DuckDB-Wasm is not here: set GENREDB_DUCKDB_WASM to the folder where npm installed it")

    def fill(target: Path) -> None:
        with Catalog(evaluated) as catalog:
            write_site(catalog, target / "site", live_sql=Path(folder))

    return shared("live", fill) / "site"


@pytest.fixture
def asked(chrome: Browser, live: Path) -> Iterator[Opened]:
    with opened(chrome, live) as tab:
        tab.go("questions.html")
        yield tab


def answer(tab: Opened, sql: str) -> tuple[str, list[list[str]]]:
    """What the page says of a query, and the rows that it shows."""
    tab.page.fill("#sql", sql)
    tab.page.press("#sql", "Control+Enter")
    tab.page.wait_for_selector("#run:not([disabled])", timeout=60_000)
    body = tab.page.locator("#answer tbody tr").all()
    return tab.page.inner_text("#status"), [row.locator("td").all_inner_texts() for row in body]


@pytest.mark.slow
def test_it_answers_as_the_database_does(asked: Opened, evaluated: Config) -> None:
    sql = "select genre, count(*) as songs, avg(bpm) as bpm from songs group by all order by songs desc, genre nulls first"
    said, shown = answer(asked, f"{sql};")
    expected = [
        ["–" if value is None else value for value in row]
        for row in rows(evaluated.database, f"select columns(*)::varchar from ({sql})")
    ]
    assert said == f"{len(expected)} rows"
    assert shown == expected
    assert asked.faults == []
    address = asked.page.url
    asked.go("index.html")
    asked.page.goto(address)
    assert asked.page.input_value("#sql") == f"{sql};"


@pytest.mark.slow
def test_faults_are_said_and_nothing_else_can_be_read(asked: Opened) -> None:
    said, shown = answer(asked, "select nope from songs")
    assert 'Referenced column "nope" not found' in said
    assert shown == []
    said, _ = answer(asked, "from read_csv('http://127.0.0.1:9/x.csv')")
    assert "NetworkError" in said
    said, shown = answer(asked, "select '<script>alert(1)</script>'")
    assert shown == [["<script>alert(1)</script>"]]


@pytest.mark.slow
def test_a_query_can_be_stopped(asked: Opened) -> None:
    asked.page.fill("#sql", "select count(*) from range(1000000) as a, range(1000000) as b")
    asked.page.click("#run")
    asked.page.get_by_text("Running …").wait_for(timeout=60_000)
    asked.page.click("#stop")
    assert asked.page.inner_text("#status") == "Stopped."
    assert answer(asked, "select 1") == ("1 row", [["1"]])


def test_without_the_package_the_cure_is_said(evaluated: Config, tmp_path: Path) -> None:
    with Catalog(evaluated) as catalog, pytest.raises(UsageError, match="npm install @duckdb/duckdb-wasm"):
        write_site(catalog, tmp_path / "site", live_sql=tmp_path)
    assert not (tmp_path / "site").exists()
