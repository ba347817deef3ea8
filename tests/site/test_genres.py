"""The pages of genres and groups say what SQL says, whatever the genres are called."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from genredb.runner.project.config import Config
from tests.conftest import changed, rows
from tests.site.browser import Opened, follow
from tests.site.reading import read, written


@pytest.fixture(scope="module")
def pages(evaluated: Config) -> dict[str, str]:
    return written(evaluated, "genres")


def test_each_genre_and_group_has_a_page_and_a_row(evaluated: Config, pages: dict[str, str]) -> None:
    genres = rows(evaluated.database, "select genre, song_count, artist_count, song_share from genres")
    groups = rows(evaluated.database, "select distinct genre_group from genres")
    assert len(pages) == 1 + len(genres) + len(groups)
    table = read(pages["genres.html"])
    for genre, songs, artists, share in genres:
        assert table.row(genre)[1:4] == [str(songs), f"{100 * share:.1f} %", str(artists)]
        assert any(text == genre and href in pages for href, text in table.links)


def test_a_profile_is_the_genres_mean_beside_that_of_all(evaluated: Config, pages: dict[str, str]) -> None:
    page = read(pages["genre/disco.html"])
    sql = """
        select
            column_name, genre_profiles.mean, numeric_summary.mean,
            (genre_profiles.mean - numeric_summary.mean) / numeric_summary.standard_deviation
        from genre_profiles
        inner join numeric_summary using (column_name)
        where genre = 'disco'
    """
    found = rows(evaluated.database, sql)
    assert len(found) == 11
    for column, mean, mean_of_all, deviation in found:
        shown = [f"{mean:.1f}", f"{mean_of_all:.1f}", "", f"{deviation:+.2f}"]
        assert page.row(column)[1:] == [text.replace("-", "−") for text in shown]


def test_a_groups_mean_is_that_of_its_songs(evaluated: Config, pages: dict[str, str]) -> None:
    group, mean = rows(
        evaluated.database,
        "select genre_group, avg(bpm) from songs where genre is not null group by all order by count(*) desc, 1",
    )[0]
    assert read(pages[f"group/{group}.html"]).row("bpm")[1] == f"{mean:.1f}"


def test_typical_songs_are_the_nearest_to_the_mean(evaluated: Config, pages: dict[str, str]) -> None:
    columns = [name for (name,) in rows(evaluated.database, "select column_name from numeric_summary")]
    squares = " + ".join(
        f"pow((s.{c} - (select avg({c}) from songs where genre = 'pop'))"
        f" / (select stddev_samp({c}) from songs where genre is not null), 2)"
        for c in columns
    )
    nearest = rows(
        evaluated.database,
        f"select title from songs s where genre = 'pop' order by round({squares}, 9), song_key limit 5",
    )
    links = [text for href, text in read(pages["genre/pop.html"]).links if "songs.html#song=" in href]
    assert links[: len(nearest)] == [title for (title,) in nearest]


def test_recall_and_mistakes_are_those_of_cross_validation(evaluated: Config, pages: dict[str, str]) -> None:
    sql = """
        select actual, predicted, sum(songs)
        from ml.confusion
        where classifier = 'artist_vote' and protocol = 'cv' and label = 'genre'
        group by all
    """
    counts = {(actual, predicted): songs for actual, predicted, songs in rows(evaluated.database, sql)}
    for genre in ("pop", "disco", "album rock"):
        page = read(pages[f"genre/{genre.replace(' ', '-')}.html"])
        tested = sum(songs for (actual, _), songs in counts.items() if actual == genre)
        right = counts.get((genre, genre), 0)
        assert (
            f"for {right:.1f} of its {tested:.0f} tested songs (recall {100 * right / tested:.0f} %)"
            in page.text
        )
        for (actual, predicted), songs in counts.items():
            if (actual == genre) != (predicted == genre):
                assert f"{songs:.1f} {predicted if actual == genre else actual}" in page.text


def test_genres_of_one_address_get_pages_of_their_own(evaluated: Config, tmp_path: Path) -> None:
    names = {"disco": "ALBUM--ROCK!", "pop": "<script>alert(1)</script>"}
    statement = ";".join(
        f"update {table} set genre = '{new}' where genre = '{old}'"
        for table in ("songs", "genres", "genre_profiles")
        for old, new in names.items()
    )
    pages = written(changed(evaluated, tmp_path, statement), "genres")
    heads = {path: read(html) for path, html in pages.items() if path.startswith("genre/")}
    assert heads.keys() >= {
        "genre/album-rock.html",
        "genre/album-rock-2.html",
        "genre/script-alert-1-script.html",
    }
    assert all("script" not in one.tags for one in heads.values())
    links = {text: href for href, text in read(pages["genres.html"]).links if href.startswith("genre/")}
    assert {links["album rock"], links["ALBUM--ROCK!"]} == {
        "genre/album-rock.html",
        "genre/album-rock-2.html",
    }
    for name, href in links.items():
        assert name in heads[href].text


def test_without_evaluations_the_pages_name_the_cure(predicted: Config) -> None:
    pages = written(predicted, "genres")
    assert "run genredb evaluate" in read(pages["genre/disco.html"]).text
    assert "genredb evaluate" in read(pages["genres.html"]).text


def test_a_project_without_profiles_says_what_is_missing(evaluated: Config, tmp_path: Path) -> None:
    config = changed(evaluated, tmp_path, "alter table genre_profiles rename column mean to average")
    assert (
        "lacks what the page is made of: genre_profiles.mean"
        in read(written(config, "genres")["genres.html"]).text
    )


@pytest.mark.slow
def test_a_mistake_leads_to_its_song(tab: Opened) -> None:
    tab.go("genre/disco.html")
    link = tab.page.locator(".typical a").first
    title = link.inner_text()
    follow(tab.page, link)
    expect(tab.page.locator("#song h1")).to_be_visible()
    expect(tab.page.locator("main")).to_contain_text(title)
