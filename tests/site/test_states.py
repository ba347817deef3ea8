"""The report of projects and databases in unusual states says what holds of them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from genredb.catalog import Catalog
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config
from genredb.songs.staleness import chosen
from tests.conftest import changed, rows
from tests.project_files import write_project
from tests.site.browser import opened
from tests.site.reading import read, written
from tests.verbs import build

OTHER_SONGS = {
    "of others": "select 1 as id, 'a' as name",
    "alike": "select 'a:1' as song_key, 'pop' as genre, 'pop' as genre_group, 'x' as split",
}


@pytest.mark.parametrize("name", OTHER_SONGS)
def test_a_table_of_songs_of_another_kind_fails_no_page(tmp_path: Path, name: str) -> None:
    config = write_project(tmp_path, {"models/songs.sql": OTHER_SONGS[name]})
    assert build(config).is_published
    with Catalog(config) as catalog:
        assert catalog.evaluations() == []
        write_site(catalog, tmp_path / "site")
    pages = {path.name for path in (tmp_path / "site").glob("*.html")}
    assert {"index.html", "lineage.html", "runs.html"} <= pages
    assert ("songs.html" in pages) is (name == "alike")


def test_a_page_names_what_the_project_lacks_for_it(evaluated: Config, tmp_path: Path) -> None:
    config = changed(evaluated, tmp_path, "drop view predictions; drop table genre_profiles")
    with Catalog(config) as catalog:
        write_site(catalog, tmp_path / "site")
    for name, lacked in (
        ("map", "predictions.genre"),
        ("songs", "predictions.genre"),
        ("explore", "predictions.genre"),
        ("genres", "genre_profiles.genre"),
    ):
        text = read((tmp_path / "site" / f"{name}.html").read_text(encoding="utf-8")).text
        assert "lacks what the page is made of:" in text
        assert lacked in text


@pytest.mark.slow
def test_an_answer_below_the_threshold_is_told(chrome: Browser, evaluated: Config, tmp_path: Path) -> None:
    config = changed(evaluated, tmp_path, "update ml.predictions set min_probability = 0.99")
    with Catalog(config) as catalog:
        write_site(catalog, tmp_path / "site")
    sql = "select song_key from predictions where genre is null order by song_key limit 1"
    [(key,)] = rows(config.database, sql)
    with opened(chrome, tmp_path / "site") as tab:
        tab.go(f"songs.html#song={key}")
        tab.page.wait_for_selector("#song h1")
        text = tab.page.locator("#song").inner_text()
    assert "no genre, since the most likely one has a probability of 0." in text
    assert "No prediction is stored" not in text


def test_evaluations_of_earlier_songs_answer_no_question(evaluated: Config, tmp_path: Path) -> None:
    title = "Which genres does the default classifier mistake for which? "
    assert f"{title}It could not" not in read(written(evaluated, "questions")["questions.html"]).text
    config = changed(evaluated, tmp_path, "update ml.evaluations set digest = 'earlier'")
    text = read(written(config, "questions")["questions.html"]).text
    assert f"{title}It could not be answered: artist_vote has not been evaluated on these songs" in text


def test_songs_of_nobody_are_no_songs_of_none(evaluated: Config, tmp_path: Path) -> None:
    statement = (
        "update songs set recording_key = 'same', artist = null where song_key in ('train:1', 'train:2')"
    )
    config = changed(
        evaluated, tmp_path, f"{statement}; update songs set genre = 'x' where song_key = 'train:1'"
    )
    text = read(written(config, "index")["index.html"]).text
    assert "by an unknown artist occurs 2 times" in text


def test_the_notebooks_score_stands_only_beside_the_competitions_songs(
    evaluated: Config, tmp_path: Path
) -> None:
    config = changed(evaluated, tmp_path, "update meta.loads set file = 'songs_extra_mine.csv'")
    for name, page in (("index", "index.html"), ("truth", "truth.html")):
        text = written(config, name)[page].replace("&nbsp;", " ")
        assert "the notebook," not in text
        assert "competition's test file" not in text
        assert "32.1 %" not in text


def test_an_unevaluated_classifier_in_use_is_told(evaluated: Config, tmp_path: Path) -> None:
    with Catalog(evaluated) as catalog:
        used = chosen(catalog.connection).name
    statement = f"delete from ml.evaluations where classifier = '{used}'"
    config = changed(evaluated, tmp_path, statement)
    with Catalog(config) as catalog:
        assert catalog.evaluations()
    first = read(written(config, "index")["index.html"]).text
    assert f"{used}, which is in use, has not been evaluated on these songs" in first
    truth = read(written(config, "truth")["truth.html"]).text
    assert f"{used}, the classifier in use, has not been evaluated on these songs" in truth


def test_years_in_tables_have_no_separators(evaluated: Config) -> None:
    years = [
        row for row in read(written(evaluated, "explore")["explore.html"]).rows if row[0][:2] in ("19", "20")
    ]
    assert years
    assert all(row[0].isdigit() for row in years)


def test_songs_without_a_label_have_a_first_page(evaluated: Config, tmp_path: Path) -> None:
    config = changed(evaluated, tmp_path, "update numeric_summary set mean = null")
    assert "index.html" in written(config, "index")
