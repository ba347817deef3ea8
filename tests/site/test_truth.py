"""The page Truth: its figures are those of the database, noise is called noise, and cells list their songs."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from genredb.catalog import Catalog
from genredb.look.site import truth
from genredb.look.site.frame import Link, Site
from genredb.runner.project.config import Config
from genredb.songs.learn.reports import report_by_probability
from tests.conftest import changed, rows
from tests.site.browser import Opened, opened

CELLS = """
    select actual, predicted, song_key
    from ml.song_scores
    where classifier = 'artist_vote' and protocol = 'cv' and label = 'genre_group' and repeat = 0
"""


def page_of(config: Config) -> str:
    with Catalog(config) as catalog:
        [file] = truth.write(Site(catalog, (Link("Truth", "truth.html"),)))
    return file.content.decode()


def texts(html: str) -> str:
    """The words of a page, each separated by one space."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_the_headline_is_the_accuracy_of_the_classifier_in_use(evaluated: Config) -> None:
    with Catalog(evaluated) as catalog:
        found = {one.classifier: one for one in catalog.evaluations()}["artist_vote"]
    words = texts(page_of(evaluated)).replace("&nbsp;", " ")
    assert f"{100 * found.accuracy:.1f} % ± {100 * found.accuracy_error:.1f}" in words
    assert f"No classifier could name more than {100 * found.ceiling:.1f} %" in words or found.ceiling == 1
    assert "32.1 %" in words


def test_a_difference_that_may_be_chance_is_called_noise(evaluated: Config) -> None:
    with Catalog(evaluated) as catalog:
        boards = {label: catalog.evaluations("cv", label) for label in ("genre", "genre_group")}
    html = page_of(evaluated)
    for label, board in boards.items():
        section = re.findall(
            rf'<section class="board" data-protocol="cv" data-label="{label}">.*?</section>', html, re.S
        )
        shown = {
            re.findall(r'<th scope="row">(\w+)', row)[0]: texts(row).split()[-1]
            for row in section[0].split("<tr")[2:]
        }
        assert list(shown) == [one.classifier for one in board]
        expected = {
            one.classifier: "–" if one.is_noise is None else "noise" if one.is_noise else "worse"
            for one in board
        }
        assert shown == {**expected, **{k: v for k, v in shown.items() if v == "better"}}


def test_the_calibration_table_has_the_bins_of_the_report(evaluated: Config) -> None:
    with Catalog(evaluated) as catalog:
        found = report_by_probability(catalog.connection, "artist_vote", "cv", "genre").probabilities
    table = page_of(evaluated).split('aria-label="Calibration bins"')[1].split("</table>")[0]
    shown = [texts(row) for row in table.split("<tr")[2:]]
    assert len(shown) == len(found)
    for row, one in zip(shown, found, strict=True):
        start = f"{'known' if one.is_artist_known else 'unknown'} {one.at_least:.1f} – {one.below:.1f} {one.songs:.1f}"
        assert start in row
        assert f"{100 * one.right:.1f} %" in row


def test_without_evaluations_it_says_how_to_get_them_and_still_shows_the_proof(predicted: Config) -> None:
    words = texts(page_of(predicted))
    assert "genredb evaluate" in words
    assert "have not been evaluated" in words
    assert "raw.songs_train.top_genre" in words
    assert "features.train_common" in words


def test_a_database_that_does_not_say_what_was_proved(evaluated: Config, tmp_path: Path) -> None:
    """As one of an earlier version: the features are those of the project, and no time is claimed."""
    config = changed(evaluated, tmp_path, "delete from meta.state where key = 'proved'")
    words = texts(page_of(config))
    assert "is not recorded in this database" in words
    assert "features.train_common" in words
    assert "Proved by" not in words


def test_a_classifier_without_probabilities(evaluated: Config, tmp_path: Path) -> None:
    statement = """
        update ml.song_scores set probability = null;
        delete from ml.calibration;
        update ml.evaluations set log_loss = null, calibration_error = null;
    """
    assert "artist_vote gives no probabilities" in texts(page_of(changed(evaluated, tmp_path, statement)))


def given(site: Path) -> dict[str, list[str]]:
    """The songs of each cell by true and predicted group, as the page has them."""
    html = (site / "truth.html").read_text()
    cells = json.loads(re.findall(r'id="cells">(.*?)</script>', html, re.S)[0])
    groups = cells["groups"]
    return {
        "|".join(groups[int(place)] for place in key.split("-")): [song[0] for song in songs]
        for key, songs in cells["songs"].items()
    }


@pytest.mark.slow
def test_a_cell_lists_exactly_the_songs_that_sql_gives(tab: Opened, site: Path, evaluated: Config) -> None:
    expected: dict[tuple[str, str], set[str]] = {}
    for actual, predicted, song in rows(evaluated.database, CELLS):
        expected.setdefault((actual, predicted), set()).add(song)
    assert {key: set(songs) for key, songs in given(site).items()} == {
        "|".join(key): songs for key, songs in expected.items()
    }
    tab.go("truth.html")
    cells = tab.page.locator("[data-cell] a")
    assert cells.count() == len(expected)
    for place in range(cells.count()):
        cells.nth(place).focus()
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector("[data-cell] a[aria-current]")
        state = tab.page.evaluate("genredb.state.read()")
        links = tab.page.locator("#cell td a")
        keys = {links.nth(row).get_attribute("href") for row in range(links.count())}
        wanted = expected[state["actual"], state["predicted"]]
        assert keys == {f"songs.html#song={key.replace(':', '%3A')}" for key in wanted}
        assert int(cells.nth(place).text_content() or "") == len(wanted)


@pytest.mark.slow
def test_the_address_keeps_what_was_chosen(tab: Opened) -> None:
    page = tab.page
    tab.go("truth.html")
    page.check("input[name=label][value=genre_group]")
    page.locator("[data-cell] a").first.click()
    page.wait_for_selector("#cell h3")
    assert page.locator(".board:visible").count() == 1
    address, heading = page.url, page.locator("#cell h3").inner_text()
    page.goto("about:blank")
    page.goto(address)
    assert page.is_checked("input[name=label][value=genre_group]")
    assert page.locator(".board:visible").get_attribute("data-label") == "genre_group"
    assert page.locator("#cell h3").inner_text() == heading
    page.click("text=Close")
    expect(page.locator("#cell")).to_be_hidden()
    page.go_back()
    assert page.locator("#cell h3").inner_text() == heading


@pytest.mark.slow
def test_charts_take_the_colours_of_the_page(tab: Opened) -> None:
    """A theme that changes is drawn anew: texts have the page's colour, and there is one drawing each."""
    page = tab.page
    tab.go("truth.html")
    page.wait_for_selector("#leaderboard[data-drawn]")
    label = "#leaderboard svg .role-axis-label text"
    color = "getComputedStyle(document.documentElement).getPropertyValue('--text').trim()"
    for _ in range(3):
        assert page.locator(label).first.get_attribute("fill") == page.evaluate(color)
        assert page.locator("#leaderboard svg").count() == 1
        drawn = page.locator("#leaderboard").get_attribute("data-drawn")
        page.click("[data-theme-switch]")
        page.wait_for_selector(f"#leaderboard:not([data-drawn='{drawn}'])")


@pytest.mark.slow
def test_without_scripts_everything_can_be_read(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, java_script_enabled=False) as tab:
        tab.go("truth.html")
        boards = tab.page.locator(".board")
        assert boards.count() == tab.page.locator(".board:visible").count() == 2
        assert tab.page.locator("form, [data-needs-script], #cell").filter(visible=True).count() == 0
        assert tab.page.locator(".matrix td[data-cell]").first.inner_text().isdigit()
        tab.page.click("#leaderboard summary")
        assert "artist_vote" in tab.page.locator("#leaderboard table").inner_text()
