"""Reads a page of the report without a browser: its text, the rows of its tables, its links."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from genredb.catalog import Catalog
from genredb.look.site.frame import Link, Site
from genredb.look.site.pages import PAGES
from genredb.runner.project.config import Config


def written(config: Config, name: str) -> dict[str, str]:
    """The files of one entry of the navigation, by path, written to memory."""
    with Catalog(config) as catalog:
        site = Site(catalog, tuple(Link(page.title, f"{one}.html") for one, page in PAGES.items()))
        return {file.path: file.content.decode() for file in PAGES[name].write(site)}


@dataclass
class Read:
    """What a reader without scripts gets: the text of ``main``, links, the rows of tables by cell."""

    text: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)

    def row(self, first: str) -> list[str]:
        """The only row whose first cell is this text."""
        [found] = [row for row in self.rows if row and row[0] == first]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.is_main = False
        self.cell: str | None = None
        self.link: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_main = self.is_main or tag == "main"
        if not self.is_main:
            return
        self.read.tags.add(tag)
        if tag == "tr":
            self.read.rows.append([])
        elif tag in ("td", "th"):
            self.cell = ""
        elif tag == "a":
            self.link = [dict(attrs).get("href") or "", ""]

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self.is_main = False
        elif tag in ("td", "th") and self.cell is not None:
            self.read.rows[-1].append(" ".join(self.cell.split()))
            self.cell = None
        elif tag == "a" and self.link:
            self.read.links.append((self.link[0], " ".join(self.link[1].split())))
            self.link = None

    def handle_data(self, data: str) -> None:
        if self.is_main:
            self.read.text += data
            if self.cell is not None:
                self.cell += data
            if self.link:
                self.link[1] += data


def read(html: str) -> Read:
    """Read a page."""
    reader = _Reader()
    reader.feed(html)
    reader.read.text = " ".join(reader.read.text.split())
    return reader.read
