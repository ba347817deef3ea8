"""What holds for every page of the report: it opens from disk without a fault, in light and dark, on a phone."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.site.browser import Opened, opened

pytestmark = pytest.mark.slow


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
