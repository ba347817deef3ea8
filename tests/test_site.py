"""`genredb site` in a real browser: every page works from disk, and shows what the database holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from genredb.catalog import Catalog
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config
from tests.browser import Opened, browser, opened
from tests.conftest import Shared

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
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


def pages(site: Path) -> list[str]:
    return sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))


def test_every_page_opens_from_disk_without_a_fault(tab: Opened, site: Path) -> None:
    for path in pages(site):
        tab.go(path)
        assert tab.page.title()
        assert tab.faults == [], path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_access(chrome: Browser, site: Path, width: int, scheme: str) -> None:
    with opened(chrome, site, color_scheme=scheme, viewport={"width": width, "height": 800}) as tab:
        for path in pages(site):
            tab.go(path)
            found = Axe().run(tab.page).response["violations"]
            serious = [one for one in found if one["impact"] in ("serious", "critical")]
            shown = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious]
            assert shown == [], path
            assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
