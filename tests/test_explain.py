"""Explanations: why a song is given its genre."""

from dataclasses import replace
from pathlib import Path

import pytest

from genredb.cli.explain import print_explanation
from genredb.errors import UsageError
from genredb.runner.project.config import Config
from genredb.songs.explain import explain
from genredb.songs.predict import predict
from tests.conftest import Cli, changed, check_golden, rows
from tests.verbs import build


def test_an_explanation_names_the_artists_songs_or_the_columns_that_weighed(predicted: Config) -> None:
    (by_artist,) = explain(predicted, "14")
    assert (by_artist.song_key, by_artist.genre, by_artist.basis, by_artist.label) == (
        "test:14",
        "disco",
        "artist",
        None,
    )
    assert [song.song_key for song in by_artist.artist_songs] == ["train:3", "train:7", "train:11"]
    assert {song.genre for song in by_artist.artist_songs} == {"disco"}
    assert by_artist.weights == ()
    (by_audio,) = explain(predicted, "test:15")
    assert (by_audio.basis, by_audio.artist_songs) == ("audio", ())
    distances = [song.distance or 0.0 for song in by_audio.nearest]
    assert len(distances) == 5
    assert distances == sorted(distances)
    assert by_audio.nearest[0].song_key == "train:12"
    assert all(0.01 <= weight.change <= 1 for weight in by_audio.weights)
    ((genre, probability),) = rows(
        predicted.database, "select genre, probability from predictions where song_key = 'test:15'"
    )
    assert (by_audio.genre, by_audio.probability) == (genre, probability)


def test_a_labelled_song_is_no_evidence_for_itself(predicted: Config) -> None:
    (own,) = explain(predicted, "train:3")
    assert own.label == "disco"
    assert [song.song_key for song in own.artist_songs] == ["train:7", "train:11"]
    assert "train:3" not in [song.song_key for song in own.nearest]


def test_a_song_that_the_features_leave_out_is_not_explained(predicted: Config, tmp_path: Path) -> None:
    view = "from features.song_features where genre is not null and song_key <> 'train:1'"
    config = changed(predicted, tmp_path, f"create or replace view features.train as {view}")
    predict(config, classifier="naive_bayes")
    with pytest.raises(UsageError, match=r"The song train:1 is not in features\.train, so no classifier"):
        explain(config, "train:1")


def test_songs_are_found_by_title_and_missing_ones_are_said(predicted: Config, config: Config) -> None:
    assert [found.song_key for found in explain(predicted, "asked 14", is_title=True)] == ["test:14"]
    assert [found.song_key for found in explain(predicted, "asked", is_title=True)] == [
        "test:14",
        "test:15",
        "test:16",
    ]
    with pytest.raises(UsageError, match="More than 10 titles contain 'song'") as many:
        explain(predicted, "song", is_title=True)
    assert "; name one by its key: Song 1 (train:1), Song 2 (train:2), " in str(many.value)
    with pytest.raises(UsageError, match="no song whose Id or key is '999'.$"):
        explain(predicted, "999")
    with pytest.raises(UsageError, match="key is 'Asked 14'; --title finds songs by title.$"):
        explain(predicted, "Asked 14")
    build(config)
    with pytest.raises(UsageError, match="run `genredb predict`, or `genredb train`"):
        explain(config, "14")


def test_the_text_of_an_explanation(cli: Cli, built: Path) -> None:
    ran = cli("explain", "14", cwd=built)
    assert ran.code == 0
    check_golden("explain.txt", ran.out)
    assert cli("explain", cwd=built).code == 2


def test_a_song_without_title_and_artist_is_untitled(
    predicted: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nameless = "update songs set title = null, artist = null where id in (12, 15)"
    (found,) = explain(changed(predicted, tmp_path, nameless), "15")
    print_explanation(found)
    shown = capsys.readouterr().out
    assert shown.startswith("untitled (test:15)\n")
    assert "  untitled (train:12): " in shown
    assert " by  (" not in shown


def test_a_group_that_is_likelier_than_that_of_the_genre_is_explained(
    predicted: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = explain(predicted, "15")
    note = "    The most likely genre is in jazz, but the genres of pop are more likely together.\n"
    print_explanation(replace(found, own_group="jazz", genre_group="pop"))
    assert note in capsys.readouterr().out
    print_explanation(replace(found, own_group=found.genre_group))
    assert "together" not in capsys.readouterr().out
    assert (
        found.own_group
        == rows(predicted.database, f"select genre_group from genres where genre = '{found.genre}'")[0][0]
    )
