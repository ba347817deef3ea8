"""The report of a small evaluated database, and tabs of a real browser in which to open it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from genredb.catalog import Catalog
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config
from tests.conftest import Shared
from tests.site.browser import Opened, browser, opened


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture(scope="session")
def site(evaluated: Config, shared: Shared) -> Path:
    """The report of the evaluated database; not to be changed."""

    def fill(folder: Path) -> None:
        with Catalog(evaluated) as catalog:
            write_site(catalog, folder / "site")

    return shared("site", fill) / "site"


@pytest.fixture
def tab(chrome: Browser, site: Path) -> Iterator[Opened]:
    with opened(chrome, site) as found:
        yield found
        assert found.faults == []
