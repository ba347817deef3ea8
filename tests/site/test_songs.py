"""The table of all songs in the browser, and the view of one, beside what SQL and `genredb explain` say."""

import csv
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from genredb.catalog import Catalog
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config
from genredb.songs.explain import explain
from tests.conftest import changed, rows
from tests.site.browser import Opened, opened

pytestmark = pytest.mark.slow


def listed(tab: Opened, column: int = 1) -> list[str]:
    """The texts of a column of the rows in sight."""
    found = tab.page.locator(f".rows tbody tr:not(.spacer) td:nth-child({column})").all_inner_texts()
    return [text.strip() for text in found]


def open_songs(tab: Opened, state: str = "") -> None:
    tab.go("index.html")  # so that the next address is another page, not another place of this one
    tab.go(f"songs.html{state}")
    tab.page.wait_for_selector("html[data-ready]")


def test_all_songs_are_listed_labelled_ones_first(tab: Opened, evaluated: Config) -> None:
    open_songs(tab)
    titles = rows(evaluated.database, "select title from songs order by split desc, source, id")
    assert listed(tab) == [title for (title,) in titles]
    assert tab.page.locator("#count").inner_text() == "16 of 16 songs"


def test_search_filter_and_sort_give_what_sql_gives(tab: Opened, evaluated: Config) -> None:
    open_songs(tab)
    tab.page.fill("#q", "SONG artist 1")
    tab.page.select_option("#group", "rock")
    tab.page.get_by_role("button", name="bpm", exact=True).click()
    tab.page.get_by_role("button", name="bpm", exact=True).click()
    expected = rows(
        evaluated.database,
        """
        select title from songs
        where lower(title || ' ' || artist) like '%song%artist 1%' and genre_group = 'rock'
        order by bpm desc
        """,
    )
    assert expected
    assert listed(tab) == [title for (title,) in expected]
    assert tab.page.locator("th[aria-sort=descending]").inner_text() == "bpm"


def test_the_address_reproduces_what_is_shown(tab: Opened) -> None:
    open_songs(tab)
    tab.page.fill("#q", "1")
    tab.page.select_option("#outcome", "to predict")
    tab.page.get_by_role("button", name="Title", exact=True).click()
    shown, address = listed(tab), tab.page.url.partition("#")[2]
    assert shown
    assert shown == sorted(shown)
    open_songs(tab, f"#{address}")
    assert listed(tab) == shown
    assert tab.page.input_value("#q") == "1"
    tab.page.locator(".rows tbody a").first.click()
    tab.page.wait_for_selector("#song h1")
    expect(tab.page.locator("#list")).to_be_hidden()
    tab.page.go_back()
    tab.page.wait_for_selector("#song", state="hidden")
    assert listed(tab) == shown


def test_a_song_is_followed_from_its_line_to_the_submission(tab: Opened, evaluated: Config) -> None:
    open_songs(tab, "#song=test:15")
    shown = tab.page.locator("#song").inner_text()
    file, line = re.search(r"loaded from (\S+), line (\d+)", shown).groups()  # type: ignore[union-attr]
    with (evaluated.raw_dir / file).open(encoding="utf-8") as found:
        assert list(csv.reader(found))[int(line) - 1][:3] == ["15", "Asked 15", "Artist 4"]
    [(place, genre)] = rows(
        evaluated.database,
        'select place, genre from (select row_number() over (order by "Id") + 1 as place, "Id" as id, '
        '"top genre" as genre from submission) where id = 15',
    )
    assert f"In the submission: line {place}, 15,{genre}." in shown


def test_the_evidence_is_that_of_explain(tab: Opened, evaluated: Config) -> None:
    for key in ("test:16", "train:3"):
        [expected] = explain(evaluated, key)
        open_songs(tab, f"#song={key}")
        tab.page.wait_for_selector("#song h1")
        nearest = tab.page.locator(".nearest li").all_inner_texts()
        assert nearest == [
            f"{one.title} by {one.artist}: {one.genre} ({one.distance:.2f})" for one in expected.nearest
        ]
        shown = tab.page.locator("#song").inner_text()
        assert all(f"{one.title} by {one.artist}" in shown for one in expected.artist_songs)
        weighed = tab.page.locator("#song table").first.locator("tbody tr").all_inner_texts()
        if expected.weights and expected.label is None:
            assert [text.split()[0] for text in weighed] == [one.column for one in expected.weights]
            assert [text.split()[-1] for text in weighed] == [f"{one.change:.3f}" for one in expected.weights]


def test_the_keyboard_is_enough(tab: Opened) -> None:
    open_songs(tab)
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("asked 16")
    tab.page.wait_for_function("document.querySelector('#count').textContent.startsWith('1 of')")
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        if tab.page.evaluate(
            "document.activeElement.tagName === 'A' && document.activeElement.closest('.rows')"
        ):
            break
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#song h1")
    assert tab.page.evaluate("document.activeElement.textContent") == "Asked 16"


def test_a_genre_is_chosen_and_steps_are_undone_by_back(tab: Opened, evaluated: Config) -> None:
    open_songs(tab)
    every = listed(tab)
    tab.page.select_option("#genre", "album rock")
    chosen = listed(tab)
    expected = rows(evaluated.database, "select title from songs where genre = 'album rock' order by id")
    assert chosen == [title for (title,) in expected]
    tab.page.get_by_role("button", name="bpm", exact=True).click()
    tab.page.go_back()
    assert listed(tab) == chosen
    assert tab.page.locator("th[aria-sort=ascending]").count() == 0
    tab.page.go_back()
    assert listed(tab) == every
    assert tab.page.input_value("#genre") == ""
    tab.page.go_forward()
    assert listed(tab) == chosen


def test_a_closed_song_gives_the_focus_back(tab: Opened) -> None:
    open_songs(tab, "#sort=-bpm")
    tab.page.locator(".rows tbody a", has_text="Asked 15").press("Enter")
    tab.page.wait_for_selector("#song h1")
    assert tab.page.evaluate("document.activeElement.textContent") == "Asked 15"
    tab.page.locator("#song a.back").press("Enter")
    tab.page.wait_for_selector("#song", state="hidden")
    assert tab.page.evaluate(
        "document.activeElement.closest('.rows') && document.activeElement.textContent"
    ) == ("Asked 15")


def test_the_answers_of_all_repetitions_are_told(tab: Opened, evaluated: Config) -> None:
    open_songs(tab, "#song=train:3")
    tab.page.wait_for_selector("#song h1")
    shown = tab.page.locator("#song").inner_text()
    answers = rows(
        evaluated.database,
        """
        select predicted, count(*) from ml.song_scores
        where song_key = 'train:3' and protocol = 'cv' and label = 'genre' and classifier = 'artist_vote'
        group by predicted
        """,
    )
    assert answers
    assert all(f"{genre} ×{times}" in shown for genre, times in answers)


def test_a_song_leads_to_its_lineage(tab: Opened) -> None:
    open_songs(tab, "#song=train:3")
    tab.page.get_by_role("link", name="How the table of songs is made").click()
    tab.page.wait_for_url("**/node/*songs.html")
    assert "songs" in tab.page.locator("h1").inner_text()


def test_a_song_that_does_not_exist_is_said(tab: Opened) -> None:
    open_songs(tab, "#song=train:999")
    assert "There is no song train:999." in tab.page.locator("#song").inner_text()


def test_hostile_titles_are_texts(chrome: Browser, predicted: Config, tmp_path: Path) -> None:
    title = "<img src=x onerror=alert(1)></script>\u202e"
    config = changed(predicted, tmp_path, "update songs set title = ? where id = 3", title)
    with Catalog(config) as catalog:
        write_site(catalog, tmp_path / "site")
    with opened(chrome, tmp_path / "site") as tab:
        open_songs(tab, "#song=train:3")
        tab.page.wait_for_selector("#song h1")
        assert tab.page.locator("#song h1").text_content() == title
        assert tab.page.locator("main img").count() == 0
        assert tab.faults == []


@pytest.mark.parametrize(
    "statement",
    ["delete from songs", "update songs set title = null, artist = null", "update songs set genre = null"],
)
def test_songs_may_lack_anything(chrome: Browser, predicted: Config, tmp_path: Path, statement: str) -> None:
    """No songs, no titles, no labels: the pages of songs open without an error."""
    config = changed(predicted, tmp_path, statement)
    with Catalog(config) as catalog:
        write_site(catalog, tmp_path / "site")
    with opened(chrome, tmp_path / "site") as tab:
        for address in (
            "songs.html#q=song&sort=title&genre=pop",
            "songs.html#song=train:3",
            "map.html#q=song",
        ):
            tab.go("index.html")
            tab.go(address)
            tab.page.wait_for_selector("html[data-ready]")
        assert tab.faults == []
        has_songs = rows(config.database, "select count(*) > 0 from songs")[0][0]
        assert ("The database has no songs" in tab.page.locator("main").inner_text()) is not has_songs


def test_without_scripts_the_songs_can_be_read(site: Path) -> None:
    text = (site / "songs.html").read_text(encoding="utf-8")
    assert "<td><bdi>Asked 16</bdi></td>" in text


def test_a_data_script_that_is_gone_is_said(chrome: Browser, site: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(site, tmp_path / "site")
    (copy / "data" / "details.js").unlink()
    with opened(chrome, copy) as tab:
        tab.go("songs.html#song=test:15")
        tab.page.get_by_text("data/details.js cannot be loaded.").wait_for()
