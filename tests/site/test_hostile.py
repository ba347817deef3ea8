"""Texts of the data that look like markup or script are only texts, on every page and in every plot."""

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from genredb.catalog import Catalog
from genredb.look.draw import DRAWN
from genredb.look.kinds import KINDS
from genredb.look.plot import plot
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.evaluate import evaluate
from genredb.songs.predict import predict
from tests.conftest import REAL_FILES, ROOT, TEST_HEADER, TRAIN_HEADER, Shared, few_trees, song
from tests.site.browser import Opened, opened
from tests.verbs import build

pytestmark = pytest.mark.slow

LONG = "long " * 2_000
# What a browser would run, or read in another way than it stands, were it not shown as text.
TEXTS = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"]};alert(3)//',
    "javascript:alert(4)",
    "\u202ereversed",
    "<img src=x onerror=alert(5)>",
    "'; drop table songs; --",
    "{{ 7 * 7 }}",
    "</textarea></title></style><b>bold",
    LONG.strip(),
)
FILE = "songs_extra_<img src=x onerror=alert(6)>.csv"
COMMENT = "</script><script>alert(7)</script>"
DESCRIPTION = "<script>alert(8)</script> *not* \u202emarkup"


def write_songs(folder: Path) -> None:
    """Write songs with such titles, artists and genres, and rows that cannot be loaded."""

    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    def row(number: int, *tail: str) -> str:
        text = TEXTS[number % len(TEXTS)]
        head = (str(number), quoted(f"{text} title {number}"), quoted(f"{text} artist"))
        return ",".join((*head, "1999", song(number % 40), *tail))

    folder.mkdir(parents=True)
    genres = [quoted(f"{text[:60]} genre") for text in TEXTS]
    train = [TRAIN_HEADER, *(row(n, genres[n % len(genres)]) for n in range(1, 61))]
    train.append(f"61,{quoted(TEXTS[0])},x,not a year,{song(1)},{quoted(TEXTS[1])}")
    test = [TEST_HEADER, *(row(n) for n in range(62, 82))]
    extra = [TRAIN_HEADER, *(row(n, genres[n % len(genres)]) for n in range(1, 11))]
    for name, lines in ((REAL_FILES[0], train), (REAL_FILES[1], test), (FILE, extra)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_project(folder: Path) -> None:
    """Copy the shipped project, with such comments in SQL and such descriptions."""
    for name in ("sql", "data/seeds", "dbt_project.yml", "profiles.yml"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    model = folder / "sql/models/marts/genres.sql"
    model.write_text(f"-- {COMMENT}\n/* {COMMENT} */\n{model.read_text()}")
    marts = folder / "sql/models/marts/marts.yml"
    marts.write_text(marts.read_text().replace("description: ", f"description: >-\n      {DESCRIPTION} ", 1))
    write_songs(folder / "data/raw")


@pytest.fixture(scope="session")
def hostile(shared: Shared) -> Config:
    """Such a project, built, predicted and evaluated; not to be changed."""

    def fill(folder: Path) -> None:
        write_project(folder)
        config = read_config(Settings(project_dir=folder))
        assert build(config).exit_code == 0
        with few_trees():
            predict(config)
            evaluate(config, [])
        with Catalog(config) as catalog:
            write_site(catalog, folder / "site")

    return read_config(Settings(project_dir=shared("hostile", fill)))


@pytest.fixture
def tab(chrome: Browser, hostile: Config) -> Iterator[Opened]:
    with opened(chrome, hostile.root / "site") as found:
        yield found


def test_no_page_runs_or_requests_anything(tab: Opened) -> None:
    pages = sorted(str(path.relative_to(tab.folder)) for path in tab.folder.rglob("*.html"))
    assert pages
    for path in pages:
        tab.go(path)
        assert tab.faults == [], path
        assert tab.page.locator("main script:not([type='application/json']), main img").count() == 0, path
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_no_address_or_file_is_made_of_such_texts(hostile: Config) -> None:
    for path in (hostile.root / "site").rglob("*"):
        assert all(character.isalnum() or character in "-_." for character in path.name), path.name


@pytest.mark.parametrize("kind", KINDS)
def test_no_plot_holds_markup_of_the_data(hostile: Config, kind: str) -> None:
    with Catalog(hostile) as catalog:
        found = plot(catalog, kind)
    picture = ET.fromstring(DRAWN["svg"](found.spec))
    names = {one.tag.rpartition("}")[2] for one in picture.iter()}
    assert not names & {"script", "img", "image", "b", "foreignObject"}
