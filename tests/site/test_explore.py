"""The page Explore: the plots of `genredb plot`, of the columns that the reader chooses."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from genredb.catalog import Catalog
from genredb.look.kinds import KINDS
from genredb.look.plot import plot
from genredb.look.site import explore
from genredb.look.site.frame import Site
from genredb.runner.project.config import Config
from tests.site.browser import Opened, opened

# The marks of the picture that is shown, as their tooltips say what they are.
SHOWN = "figure:visible"


def rows_of(config: Config, kind: str, *columns: str) -> list[dict[str, Any]]:
    with Catalog(config) as catalog:
        found: list[dict[str, Any]] = plot(catalog, kind, columns).spec["data"]["values"]
    return found


def shown_rows(tab: Opened) -> list[dict[str, Any]]:
    """The rows of the table below the picture, by column."""
    script = """figure => {
        const texts = (row) => [...row.cells].map((cell) => cell.textContent);
        const [head, ...rows] = [...figure.querySelectorAll("tr")].map(texts);
        return rows.map((row) => Object.fromEntries(row.map((value, place) => [head[place], value])));
    }"""
    found: list[dict[str, Any]] = tab.page.locator(SHOWN).evaluate(script)
    return found


def drawn(tab: Opened) -> int:
    tab.page.wait_for_selector(f"{SHOWN}[data-drawn]")
    return int(tab.page.locator(SHOWN).get_attribute("data-drawn") or 0)


def texts(values: list[dict[str, Any]], *names: str) -> Counter[tuple[str, ...]]:
    return Counter(
        tuple(f"{row[name]:g}" if name in "xy" else str(row[name]) for name in names) for row in values
    )


def test_without_evaluations_it_names_the_cure(predicted: Config) -> None:
    with Catalog(predicted) as catalog:
        [file] = explore.write(Site(catalog, ()))
    html = file.content.decode()
    assert html.count("have not been evaluated on these songs; run `genredb evaluate`") == 4
    assert html.count("<figure") == len(KINDS) - 1 - 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", [name for name in KINDS if name != "map"])
def test_every_kind_is_drawn(tab: Opened, evaluated: Config, kind: str) -> None:
    tab.go(f"explore.html#kind={kind}")
    drawn(tab)
    assert tab.page.locator(".kind:visible").count() == 1
    assert tab.page.locator(f"{SHOWN} svg").count() == 1
    expected = rows_of(evaluated, kind)
    found = shown_rows(tab)
    assert len(found) == len(expected)
    assert set(found[0]) == set(expected[0]) - {"offset"}
    assert tab.page.locator("code:visible").inner_text() == " ".join(
        ["genredb plot", kind, *KINDS[kind].columns]
    )


@pytest.mark.slow
def test_chosen_columns_are_drawn_with_the_songs_that_the_command_draws(
    tab: Opened, evaluated: Config
) -> None:
    tab.go("explore.html#kind=scatter")
    before = drawn(tab)
    tab.page.select_option("#x", "val")
    tab.page.select_option("#y", "dur")
    tab.page.wait_for_selector(f"{SHOWN}[data-drawn='{before + 2}']")
    names = ("song", "title", "artist", "genre", "group", "x", "y")
    assert texts(shown_rows(tab), *names[:5]) == texts(
        rows_of(evaluated, "scatter", "val", "dur"), *names[:5]
    )
    expected = {
        row["song"]: (f"{row['x']}", f"{row['y']}") for row in rows_of(evaluated, "scatter", "val", "dur")
    }
    assert {row["song"]: (row["x"], row["y"]) for row in shown_rows(tab)} == expected
    assert tab.page.locator(f"{SHOWN} svg .mark-symbol.role-mark path").count() == len(expected)
    assert "dur against val" in tab.page.locator(f"{SHOWN} figcaption").inner_text()
    assert tab.page.locator("code:visible").inner_text() == "genredb plot scatter val dur"
    address = tab.page.url
    tab.page.goto("about:blank")
    tab.page.goto(address)
    drawn(tab)
    assert (tab.page.input_value("#x"), tab.page.input_value("#y")) == ("val", "dur")
    assert {row["song"]: (row["x"], row["y"]) for row in shown_rows(tab)} == expected


@pytest.mark.slow
def test_counts_and_places_are_those_of_the_command(tab: Opened, evaluated: Config) -> None:
    tab.go("explore.html#kind=histogram&x=year")
    drawn(tab)
    found = {(float(row["x"].replace(",", "")), int(row["songs"])) for row in shown_rows(tab)}
    assert found == {(row["x"], row["songs"]) for row in rows_of(evaluated, "histogram", "year")}
    tab.go("explore.html#kind=distribution&x=nrgy")
    drawn(tab)
    assert tab.page.locator(f"{SHOWN} svg .mark-symbol.role-mark path").count() == 12


@pytest.mark.slow
def test_a_point_says_its_song_and_leads_to_it(tab: Opened, evaluated: Config) -> None:
    tab.go("explore.html#kind=scatter&x=bpm&y=dur")
    drawn(tab)
    point = tab.page.locator(f"{SHOWN} svg .mark-symbol.role-mark path").first
    point.hover()
    tooltip = tab.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    words = tooltip.inner_text()
    songs = {row["song"]: row for row in rows_of(evaluated, "scatter", "bpm", "dur")}
    point.click()
    tab.page.wait_for_url("**/songs.html#song=*")
    song = songs[tab.page.evaluate("genredb.state.read().song")]
    assert str(song["title"]) in words
    assert str(song["artist"]) in words


@pytest.mark.slow
def test_pictures_are_chosen_by_keyboard(tab: Opened) -> None:
    tab.go("explore.html")
    tab.page.focus("input[name=kind]:checked")
    tab.page.keyboard.press("ArrowRight")
    drawn(tab)
    assert tab.page.locator(".kind:visible").get_attribute("data-kind") == "scatter"
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.id") == "x"
    assert "kind=scatter" in tab.page.url


@pytest.mark.slow
def test_on_a_phone_a_picture_fits(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, viewport={"width": 390, "height": 800}) as tab:
        for kind in KINDS:
            if kind != "map":
                tab.go(f"explore.html#kind={kind}")
                tab.page.reload()
                drawn(tab)
                assert tab.page.locator(f"{SHOWN} svg").bounding_box()["width"] <= 390, kind  # type: ignore[index]
                assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), kind


@pytest.mark.slow
def test_without_scripts_the_tables_can_be_read(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, java_script_enabled=False) as tab:
        tab.go("explore.html")
        assert tab.page.locator("form, button").filter(visible=True).count() == 0
        assert tab.page.locator(".kind:visible").count() == len(KINDS) - 1
        for summary in tab.page.locator("summary").all():
            summary.click()
        assert all(table.inner_text() for table in tab.page.locator("figure table").all())
