"""The verb ``site``: writes the report into a folder, all of it or nothing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from genredb.drafts import draft_of, leftovers, sweep
from genredb.errors import ResourceError, UsageError
from genredb.look.site.frame import File, Link, Site, has_songs
from genredb.look.site.needs import lacking
from genredb.look.site.pages import PAGES, Page
from genredb.runner.project.files import resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    from genredb.catalog import Catalog

# A folder with this file is a report, which a later one may replace.
MARK = "assets/genredb-site.txt"


@dataclass(frozen=True)
class SiteResult:
    """The report as it was written: its first page, and the number and the bytes of all files."""

    path: Path
    files: int
    bytes: int
    is_sample: bool


def write_site(
    catalog: "Catalog",
    folder: Path,
    *,
    live_sql: Path | None = None,
    progress: "Callable[[str, int, int], None]" = lambda *_: None,
) -> SiteResult:
    """Write the report into a folder, which is replaced as a whole.

    ``live_sql`` is a folder with DuckDB-Wasm, which the page of questions then runs. ``progress`` is called
    with a page's title, the number of pages before it, and of all. UsageError if the project has not been
    built, or the folder holds something other than a report.
    """
    target = _target(catalog, folder)
    songs = has_songs(catalog)
    shown = {name: page for name, page in PAGES.items() if songs or not page.needs_songs}
    links = tuple(Link(page.title, f"{name}.html") for name, page in shown.items())
    site = Site(catalog, links, live_sql)
    sweep(leftovers(target.parent, target.name))
    draft = draft_of(target)
    sizes = []
    try:
        for place, (name, page) in enumerate(shown.items()):
            progress(page.title, place, len(shown))
            sizes += [_write(draft, file) for file in _files(site, f"{name}.html", page)]
        progress("", len(shown), len(shown))
        sizes += [_write(draft, file) for file in _assets()]
        _swap(draft, target)
    finally:
        sweep([draft])
    return SiteResult(folder / "index.html", len(sizes), sum(sizes), site.built_with.is_sample)


def _files(site: Site, path: str, page: Page) -> Iterator[File]:
    """Yield the files of a page, or the page that says what it lacks."""
    if missing := lacking(site, page.needs):
        yield site.page(path, "lacking.html", title=page.title, missing=missing)
    else:
        yield from page.write(site)


def _target(catalog: "Catalog", folder: Path) -> Path:
    """Return the folder to write, with links resolved; refuse one that holds anything but a report."""
    target = resolved(folder)
    if target.exists() and not target.is_dir():
        raise UsageError(f"{folder} is a file", cure="name a folder for the report")
    if not target.parent.is_dir():
        raise UsageError(f"The folder {target.parent} does not exist", cure="create it first")
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise UsageError(
            f"{folder} holds files that are not a report of genredb's", cure="name a new or an empty folder"
        )
    if not os.access(target.parent, os.W_OK):
        raise ResourceError(f"The folder {target.parent} is not writable: permission denied")
    return target


def _write(folder: Path, file: File) -> int:
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(file.content)


def _assets() -> Iterator[File]:
    folder = resources.files("genredb.look.site").joinpath("assets")
    found = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
    if "vega.js" not in found:  # in a checkout that pip did not install
        raise ResourceError("vega.js, which draws charts, is missing", cure="run `pip install -e .`")
    for name, content in sorted(found.items()):
        yield File(f"assets/{name}", content)
    yield File(MARK, b"This folder is a report written by `genredb site`, which replaces it as a whole.\n")


def _swap(draft: Path, target: Path) -> None:
    """Put the draft in the place of the target, which is removed."""
    old = draft_of(target.with_name(f"{target.name}-before"))
    if target.exists():
        target.rename(old)
    draft.rename(target)
    sweep([old])
