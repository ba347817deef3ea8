"""The map in the browser: what its colours, search and legend show, and that a click leads to the song."""

import re
from pathlib import Path

import pytest

from genredb.catalog import Catalog
from genredb.look.of_classifiers import placed_songs
from genredb.runner.project.config import Config
from tests.conftest import rows
from tests.site.browser import Opened

pytestmark = pytest.mark.slow

SONGS = """
    const songs = await genredb.table("songs");
    const row = songs.column("song_key").codes.indexOf(songs.column("song_key").texts.indexOf(key) + 1);
"""


def open_map(tab: Opened, state: str = "") -> None:
    tab.go("index.html")
    tab.go(f"map.html{state}")
    tab.page.wait_for_selector("html[data-ready]")


def legend(tab: Opened) -> dict[str, int]:
    lines = tab.page.locator("#legend button").all_inner_texts()
    return {text.rstrip("0123456789 \n"): int(re.findall(r"\d+", text)[-1]) for text in lines}


def place_of(tab: Opened, key: str) -> tuple[float, float]:
    """Where a song is drawn, in pixels of the window."""
    found = tab.page.evaluate(
        f"async (key) => {{ {SONGS} const box = document.querySelector('#map').getBoundingClientRect();"
        " return [box.left + genredb.map.toX(row), box.top + genredb.map.toY(row)]; }",
        key,
    )
    return found[0], found[1]


def test_the_places_are_those_of_the_plot(tab: Opened, evaluated: Config) -> None:
    open_map(tab)
    with Catalog(evaluated) as catalog:
        placed = placed_songs(catalog)
    for song in placed[:5]:
        found = tab.page.evaluate(
            f"async (key) => {{ {SONGS} return [songs.column('x').at(row), songs.column('y').at(row)]; }}",
            song["song"],
        )
        assert found == pytest.approx([song["x"], song["y"]], abs=1e-3)


def test_the_colours_count_the_songs(tab: Opened, evaluated: Config) -> None:
    groups = "select coalesce(genre_group, 'no group'), count(*) from songs group by all"
    open_map(tab)
    assert legend(tab) == dict(rows(evaluated.database, groups))
    tab.page.get_by_label("right or wrong").check()
    outcomes = rows(
        evaluated.database,
        """
        select case when genre is null then 'to predict' when is_right then 'right' else 'wrong' end, count(*)
        from songs
        left join (
            from ml.song_scores where classifier = 'artist_vote' and protocol = 'cv' and label = 'genre' and repeat = 0
        ) as scores using (song_key)
        group by all
        """,
    )
    assert legend(tab) == dict(outcomes)
    open_map(tab, "#color=outcome")
    assert legend(tab) == dict(outcomes)


def test_a_click_opens_the_song_that_the_tip_names(tab: Opened) -> None:
    open_map(tab)
    x, y = place_of(tab, "train:5")
    tab.page.mouse.move(x, y)
    tip = tab.page.locator(".tip").inner_text().splitlines()
    tab.page.mouse.click(x, y)
    tab.page.wait_for_selector("#song h1")
    assert [tab.page.locator("#song h1").inner_text(), "by " + tip[1]] == [
        tip[0],
        tab.page.locator("#song h1 + p").inner_text(),
    ]


def test_zoom_keeps_the_middle_and_reset_undoes_it(tab: Opened) -> None:
    open_map(tab)
    tab.page.evaluate("scrollTo(0, 0)")
    before = place_of(tab, "train:5")
    tab.page.get_by_label("Zoom in").click()
    assert place_of(tab, "train:5") != pytest.approx(before, abs=0.5)
    tab.page.locator("#map canvas").focus()  # which may scroll the page
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("0")
    tab.page.evaluate("scrollTo(0, 0)")
    assert place_of(tab, "train:5") == pytest.approx(before, abs=0.01)


def test_the_search_lists_links_to_songs(tab: Opened) -> None:
    open_map(tab, "#q=asked")
    assert tab.page.locator("#found a").all_inner_texts() == ["Asked 14", "Asked 15", "Asked 16"]
    tab.page.locator("#found a").last.click()
    tab.page.wait_for_selector("#song h1")
    assert tab.page.locator("#song h1").inner_text() == "Asked 16"


def test_a_group_is_hidden_and_the_address_says_so(tab: Opened) -> None:
    open_map(tab)
    button = tab.page.locator("#legend button", has_text="disco")
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    state = tab.page.url.partition("#")[2]
    open_map(tab, f"#{state}")
    assert tab.page.locator("#legend button", has_text="disco").get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("off", ["notjson", "5", "{}"])
def test_a_nonsensical_address_hides_no_group(tab: Opened, off: str) -> None:
    open_map(tab, f"#off={off}")
    pressed = tab.page.locator("#legend button").evaluate_all("all => all.map((one) => one.ariaPressed)")
    assert pressed
    assert set(pressed) == {"true"}
    assert tab.faults == []


def test_without_scripts_there_is_a_picture(site: Path) -> None:
    text = (site / "map.html").read_text(encoding="utf-8")
    assert text.count("<circle") >= 16
    assert 'aria-label="Map of 16 songs' in text


def test_a_change_of_the_window_keeps_the_view(tab: Opened) -> None:
    open_map(tab)
    tab.page.get_by_label("Zoom in").click()
    zoomed = tab.page.evaluate(
        "[genredb.map.toX(1) - genredb.map.toX(0), genredb.map.toY(1) - genredb.map.toY(0)]"
    )
    tab.page.set_viewport_size({"width": 1280, "height": 799})
    tab.page.set_viewport_size({"width": 1280, "height": 800})
    tab.page.wait_for_timeout(100)
    after = tab.page.evaluate(
        "[genredb.map.toX(1) - genredb.map.toX(0), genredb.map.toY(1) - genredb.map.toY(0)]"
    )
    assert after == pytest.approx(zoomed)
