"""The first page: the numbers of the database, links that lead on, and the cure where something is missing."""

from pathlib import Path

import pytest

from genredb.catalog import Catalog
from genredb.look.site.frame import Site
from genredb.look.site.surprises import CANDIDATES, find_surprises
from genredb.runner.project.config import Config
from tests.conftest import changed, rows
from tests.project_files import write_project
from tests.site.reading import read, written
from tests.verbs import build


def overview(config: Config) -> str:
    return written(config, "index")["index.html"]


def test_the_cards_count_what_the_database_holds(evaluated: Config) -> None:
    page = read(overview(evaluated)).text
    sql = """
        select count(*), count(distinct genre), count(distinct genre_group), count(distinct artist_key),
            count(genre), count_if(genre is null)
        from songs
    """
    [counts] = rows(evaluated.database, sql)
    names = ("songs", "genres", "groups of genres", "artists", "songs with a genre", "songs to predict")
    assert all(f"{count}{name}" in page for count, name in zip(counts, names, strict=True))


def test_the_accuracy_stands_with_its_error_beside_the_highest_possible(evaluated: Config) -> None:
    page = read(overview(evaluated))
    sql = (
        "select accuracy, accuracy_error, ceiling from ml.evaluations where (classifier, protocol, label) = "
    )
    [(accuracy, error, ceiling)] = rows(evaluated.database, f"{sql} ('artist_vote', 'cv', 'genre')")
    assert page.row("artist_vote")[2] == f"{accuracy:.3f} ± {error:.3f}"
    assert page.row("highest possible")[2] == f"{ceiling:.3f}"
    assert page.row("the notebook")[2] == "0.321"


def test_the_notebooks_score_is_shown_only_beside_the_competitions_file(
    evaluated: Config, tmp_path: Path
) -> None:
    config = changed(evaluated, tmp_path, "update meta.loads set file = 'songs_extra_mine.csv'")
    assert "the notebook" not in read(overview(config)).text


def test_the_last_build_is_told_with_its_counts(evaluated: Config) -> None:
    page = read(overview(evaluated)).text
    [(built,)] = rows(evaluated.database, "select count(*) from meta.node_runs")
    [(passed,)] = rows(evaluated.database, "select count(*) from meta.check_results where status = 'success'")
    assert f"{built} models and seeds built, 0 left as they were. {passed} checks passed" in page


def test_three_surprises_link_to_what_they_speak_of(evaluated: Config, tmp_path: Path) -> None:
    statement = """
        update songs set recording_key = 'same' where song_key in ('train:1', 'train:2');
        update artists set genre_count = 2 where genre = 'disco';
        update genres set song_count = 1 where genre = 'disco'
    """
    config = changed(evaluated, tmp_path, statement)
    with Catalog(config) as catalog:
        found = find_surprises(Site(catalog, ()))
    assert [one.href for one in found] == [
        "songs.html#song=train%3A1",
        "genre/disco.html",
        "genre/disco.html",
    ]
    page = read(overview(config))
    assert all((one.href, one.subject) in page.links and one.rest in page.text for one in found)


def test_a_recording_of_two_genres_is_a_surprise(evaluated: Config, tmp_path: Path) -> None:
    statement = "update songs set recording_key = 'same' where song_key in ('train:1', 'train:2')"
    with Catalog(changed(evaluated, tmp_path, statement)) as catalog:
        found = find_surprises(Site(catalog, ()))
    assert any("occurs 2 times, as album rock and as pop" in one.rest for one in found)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda one: one.name)
def test_every_surprise_can_be_looked_for(
    evaluated: Config, candidate: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genredb.look.site.surprises.CANDIDATES", (candidate,))
    with Catalog(evaluated) as catalog:
        assert len(find_surprises(Site(catalog, ()))) <= 1


def test_what_has_not_been_done_is_named_with_its_command(evaluated: Config, tmp_path: Path) -> None:
    emptied = changed(evaluated, tmp_path, "delete from ml.predictions; delete from ml.evaluations")
    page = read(overview(emptied)).text
    assert "run genredb evaluate" in page
    assert "run genredb predict" in page


def test_a_project_without_songs_counts_its_relations(tmp_path: Path) -> None:
    config = write_project(tmp_path, {"models/one.sql": "select 1 as a", "models/two.sql": "select 2 as b"})
    assert build(config).is_published
    page = read(overview(config)).text
    assert "2 models and seeds" in page
    assert "2 models and seeds built, 0 left as they were. 0 checks passed" in page
    assert "Surprises" not in page
