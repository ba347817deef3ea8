"""What all pages share: links that lead somewhere, light and dark, keyboard, print, and use without scripts."""

import re
from html.parser import HTMLParser
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from genredb.look.site.serve import address_of, server_of
from tests.site.browser import Opened, opened
from tests.site.test_pages import pages


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.scripts: list[str] = []
        self.styled: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.ids |= {found["id"]} if "id" in found else set()
        self.styled += [tag] if tag == "style" or "style" in found else []
        self.styled += [f"{tag} {name}" for name in found if name.startswith("on")]


def read(site: Path) -> dict[str, _Page]:
    found = {}
    for path in pages(site):
        found[path] = _Page()
        found[path].feed((site / path).read_text(encoding="utf-8"))
    return found


def test_every_link_leads_to_a_file_or_a_place_of_the_report(site: Path) -> None:
    parsed = read(site)
    dead = []
    for path, page in parsed.items():
        for link in page.links:
            if link.startswith("data:"):
                continue
            target = urlsplit(urljoin(f"file:///{path}", link))
            name, place = unquote(target.path.lstrip("/")), target.fragment
            is_there = target.scheme == "file" and (site / name).is_file()
            if is_there and place and "=" not in place:  # others are states for the page's script
                is_there = place in parsed[name].ids
            if not is_there:
                dead.append(f"{path}: {link}")
    assert dead == []


def test_no_page_has_styles_or_handlers_of_its_own(site: Path) -> None:
    assert {path: page.styled for path, page in read(site).items() if page.styled} == {}


@pytest.mark.slow
def test_the_theme_is_chosen_and_kept(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, color_scheme="dark") as tab:
        ground = "getComputedStyle(document.body).backgroundColor"
        tab.go("index.html")
        dark = tab.page.evaluate(ground)
        tab.page.get_by_role("button", name="Use light colours").click()
        light = tab.page.evaluate(ground)
        assert dark != light == "rgb(255, 255, 255)"
        tab.go("lineage.html")
        assert tab.page.evaluate(ground) == light
        assert tab.faults == []


@pytest.mark.slow
def test_the_keyboard_skips_to_the_content_and_reaches_every_page(tab: Opened) -> None:
    tab.go("index.html")
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "content"
    tab.go("index.html")
    reached = []
    for _ in range(14):
        tab.page.keyboard.press("Tab")
        reached.append(tab.page.evaluate("document.activeElement.textContent"))
    names = tab.page.locator("nav a").all_inner_texts()
    assert [name for name in reached if name in names] == names


@pytest.mark.slow
def test_without_scripts_every_page_can_be_read(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, java_script_enabled=False) as tab:
        for path in pages(site):
            tab.go(path)
            assert len(tab.page.locator("main").inner_text()) > 150, path
        tab.go("songs.html")
        expect(tab.page.get_by_text("Asked 16")).to_be_visible()
        tab.go("lineage.html")
        expect(
            tab.page.locator("main").get_by_role("link", name=re.compile("stg_songs")).first
        ).to_be_visible()


@pytest.mark.slow
def test_print_leaves_out_what_only_a_screen_can_do(tab: Opened) -> None:
    tab.go("songs.html")
    tab.page.emulate_media(media="print")
    expect(tab.page.locator("nav")).to_be_hidden()
    expect(tab.page.locator("#filters")).to_be_hidden()
    expect(tab.page.locator("h1")).to_be_visible()


@pytest.mark.slow
def test_a_web_server_serves_the_same_pages(chrome: Browser, site: Path) -> None:
    with server_of(site) as server, opened(chrome, site) as tab:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            for path in ("songs.html", "map.html"):
                tab.page.goto(address_of(server) + path)
                tab.page.wait_for_selector("html[data-ready]", state="attached")
        finally:
            server.shutdown()
            thread.join()
        assert [one for one in tab.faults if not one.startswith(f"request: {address_of(server)}")] == []
