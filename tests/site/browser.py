"""A real browser, Debian's Chromium, headless: opens the report's pages from disk and keeps what went wrong.

Playwright returns from a click before the page has answered it: `hashchange` and what is drawn come later. So
tests could read the page too early. Here every act returns when the page has answered; only what a page loads
or computes longer, and links to other pages (``follow``), must be waited for with ``expect``.
"""

import functools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Keyboard, Locator, Mouse, Page, sync_playwright

WIDTHS = {"desktop": 1280, "phone": 390}
ACTS = {
    Locator: ("click", "check", "uncheck", "fill", "press", "select_option", "hover", "focus"),
    Keyboard: ("press", "type"),
    Mouse: ("click", "down", "move", "up", "wheel"),
    Page: ("goto", "go_back", "go_forward", "reload", "set_viewport_size"),
}
# After it, the tasks that an act has queued are done, and a frame is drawn.
_ANSWER = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done))))"
_answering: list[Page] = []  # the pages that run scripts


@dataclass
class Opened:
    """A page in the browser; ``faults`` are console errors, violations of the policy, requests elsewhere."""

    page: Page
    folder: Path
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of the report, and wait for its scripts."""
        self.page.goto(f"{self.folder.as_uri()}/{path}")
        self.page.wait_for_load_state("load")


def follow(page: Page, link: Locator) -> None:
    """Click a link and wait for the page it leads to: a click alone returns while the old page is still there."""
    with page.expect_navigation():
        link.click()


def _answered(act: Callable[..., Any]) -> Callable[..., Any]:
    """Return the act, which waits until the open pages have answered it."""

    @functools.wraps(act)
    def waiting(*arguments: Any, **options: Any) -> Any:
        result = act(*arguments, **options)
        for page in _answering:
            try:
                page.evaluate(_ANSWER)
            except Error:  # the page is being left
                page.wait_for_load_state("load")
        return result

    return waiting


for _kind, _names in ACTS.items():
    for _name in _names:
        setattr(_kind, _name, _answered(getattr(_kind, _name)))


def chromium() -> str:
    """The browser's path; tests that need it are skipped, visibly, where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or pytest.skip("Chromium is not installed: apt-get install chromium")


@contextmanager
def browser() -> Iterator[Browser]:
    """Run the browser."""
    path = chromium()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield found
        finally:
            found.close()


@contextmanager
def opened(found: Browser, folder: Path, **options: Any) -> Iterator[Opened]:
    """A tab of its own, with a storage of its own, for a report in a folder."""
    context = found.new_context(**({"viewport": {"width": WIDTHS["desktop"], "height": 800}} | options))
    page = context.new_page()
    tab = Opened(page, folder)
    page.on("console", lambda message: _keep(tab, message.type, message.text))
    page.on("pageerror", lambda error: tab.faults.append(f"error: {error}"))
    page.on("dialog", lambda dialog: tab.faults.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: _hold(tab, request.url))
    if options.get("java_script_enabled", True):
        _answering.append(page)
    try:
        yield tab
    finally:
        _answering[:] = [one for one in _answering if one is not page]
        context.close()


def _keep(tab: Opened, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        tab.faults.append(f"{kind}: {text}")


def _hold(tab: Opened, url: str) -> None:
    if not url.startswith((tab.folder.as_uri(), "data:", "blob:")):
        tab.faults.append(f"request: {url}")
