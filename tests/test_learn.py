"""Learning: what predicts, how it is kept, and when it is done again."""

import json
import warnings
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import check_estimator

from genredb.build.freshness import read_fingerprints, stale_reason
from genredb.build.run import build
from genredb.errors import InputError, UsageError
from genredb.learn.classifiers import CLASSIFIERS
from genredb.learn.dataset import artist_codes, read_songs
from genredb.learn.estimators import ArtistClassifier, BinarizedTree
from genredb.learn.explain import explain
from genredb.learn.fitted import fit
from genredb.learn.predict import predict, train
from genredb.learn.store import Training, load, make_manifest, store
from genredb.project.config import Config
from genredb.project.discover import read_project
from genredb.warehouse.database import open_reader
from tests.conftest import REAL_FILES, Cli, check_golden, config_for, rows, write_raw


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("learn")
    write_raw(folder)
    config = config_for(folder, folder / "genre.duckdb")
    build(config)
    result = predict(config)
    assert (result.songs, result.by_artist, result.is_published) == (4, 2, True)
    return config


def test_the_artist_decides_where_it_is_known_and_audio_elsewhere(predicted: Config) -> None:
    found = rows(
        predicted.database, "select song_key, genre, basis, probability from predictions order by song_key"
    )
    # The raw files: Artist 3 plays disco, Artist 0 pop, the artists 4 and 5 are unknown.
    assert [row[:3] for row in (found[0], found[3])] == [
        ("test:14", "disco", "artist"),
        ("train:13", "pop", "artist"),
    ]
    # Of 12 songs by artists with others, none was wrong: 1 in 14 is left for other genres.
    error = 1 / 14
    disco = (1 - error) + error * 3 / 12
    assert found[0][3] == pytest.approx(disco)
    assert [row[2] for row in found[1:3]] == ["audio", "audio"]
    assert all(0 < row[3] <= 1 for row in found)


def test_predictions_carry_classifier_fingerprint_and_runner_ups(predicted: Config) -> None:
    with open_reader(predicted.database) as connection:
        training = read_fingerprints(connection).training
    found = rows(
        predicted.database,
        "select distinct classifier_id, training_fingerprint from ml.predictions",
    )
    assert found == rows(predicted.database, "select classifier_id, training_fingerprint from ml.classifiers")
    assert found[0][1] == training
    runner_ups = rows(
        predicted.database, "select probability, runner_ups from ml.predictions where basis = 'audio'"
    )
    for probability, others in runner_ups:
        assert others
        ordered = [probability, *(other["probability"] for other in others)]
        assert ordered == sorted(ordered, reverse=True)
        assert sum(ordered) <= 1 + 1e-9


def test_predicting_again_writes_nothing(predicted: Config) -> None:
    content = predicted.database.read_bytes()
    result = predict(predicted)
    assert (result.is_published, result.trained) == (False, None)
    assert predicted.database.read_bytes() == content


def test_the_manifest_tells_what_a_classifier_was_fitted_on(predicted: Config) -> None:
    ((text,),) = rows(predicted.database, "select manifest from ml.classifiers")
    manifest = json.loads(text)
    assert manifest["classes"] == ["album rock", "disco", "pop"]
    assert manifest["feature_names"] == "year bpm nrgy dnce db live val dur acous spch pop".split()
    assert (manifest["training_rows"], manifest["seed"], manifest["label"]) == (12, 0, "genre")
    assert manifest["parameters"]["estimator__n_estimators"] == 300
    assert set(manifest["versions"]) == {"genredb", "numpy", "scikit-learn", "skops"}
    assert manifest["training_view_hash"]


def changed(predicted: Config, folder: Path, statement: str, *parameters: object) -> Config:
    """A copy of the predicted database with something changed in it behind genredb's back."""
    database = folder / "changed.duckdb"
    database.write_bytes(predicted.database.read_bytes())
    with duckdb.connect(str(database)) as connection:
        connection.execute(statement, list(parameters))
    return config_for(predicted.raw_dir, database)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update ml.classifiers set skops = skops || '\\x00'::blob", "are not those that were stored"),
        (
            'update ml.classifiers set manifest = replace(manifest::varchar, \'"numpy": "\', \'"numpy": "0\')::json',
            "was fitted with numpy 0",
        ),
        (
            "update ml.classifiers set manifest = replace(manifest::varchar, '\"nrgy\"', '\"energy\"')::json",
            "was fitted on other feature columns",
        ),
    ],
)
def test_a_classifier_that_is_not_as_it_was_is_refused_and_fitted_anew(
    predicted: Config, tmp_path: Path, statement: str, message: str
) -> None:
    config = changed(predicted, tmp_path, statement)
    names = read_project(config).models["predict"].columns_of("feature")
    with open_reader(config.database) as connection:
        ((classifier_id,),) = connection.execute("select classifier_id from ml.classifiers").fetchall()
        with pytest.raises(InputError, match=message):
            load(connection, classifier_id, names)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("delete from ml.predictions")
    assert predict(config).trained is not None


def test_golden_rows_guard_the_answers(predicted: Config, tmp_path: Path) -> None:
    ((text, classifier_id),) = rows(predicted.database, "select manifest, classifier_id from ml.classifiers")
    manifest = json.loads(text)
    manifest["golden_scores"][0][0] += 0.01
    config = changed(predicted, tmp_path, "update ml.classifiers set manifest = ?", json.dumps(manifest))
    names = tuple(manifest["feature_names"])
    with (
        open_reader(config.database) as connection,
        pytest.raises(InputError, match="no longer gives the answers"),
    ):
        load(connection, classifier_id, names)


def test_types_that_nobody_knows_are_refused(predicted: Config, tmp_path: Path) -> None:
    import hashlib

    import skops.io
    from sklearn.feature_extraction.text import CountVectorizer

    content = skops.io.dumps({"audio": CountVectorizer(preprocessor=np.trapezoid)})
    config = changed(
        predicted,
        tmp_path,
        "update ml.classifiers set skops = ?, sha256 = ?",
        content,
        hashlib.sha256(content).hexdigest(),
    )
    ((classifier_id,),) = rows(config.database, "select classifier_id from ml.classifiers")
    names = read_project(config).models["predict"].columns_of("feature")
    with open_reader(config.database) as connection, pytest.raises(InputError, match="holds the types"):
        load(connection, classifier_id, names)


def test_a_stored_classifier_is_used_again(predicted: Config, tmp_path: Path) -> None:
    config = changed(predicted, tmp_path, "delete from ml.predictions")
    before = rows(predicted.database, "from ml.predictions order by all")
    result = predict(config)
    assert (result.trained, result.is_published) == (None, True)
    assert rows(config.database, "from ml.predictions order by all") == before


def test_the_order_of_rows_does_not_matter(predicted: Config, tmp_path: Path) -> None:
    for order in ("hash(song_key)", "id desc"):
        config = changed(predicted, tmp_path, f"create or replace table songs as from songs order by {order}")
        with duckdb.connect(str(config.database)) as connection:
            connection.execute("delete from ml.predictions; delete from ml.classifiers")
        assert predict(config).trained is not None
        same = "select * from ml.predictions order by song_key"
        assert rows(config.database, same) == rows(predicted.database, same)
        config.database.unlink()


def test_other_data_take_the_predictions_away(config: Config, raw_dir: Path) -> None:
    build(config)
    first = predict(config).classifier_id
    for name, old, new in (
        (REAL_FILES[1], "Asked 15,Artist 4,1999,115", "Asked 15,Artist 4,1999,116"),
        (REAL_FILES[0], "Song 1,Artist 1,1971,101", "Song 1,Artist 1,1971,102"),
        (REAL_FILES[1], "16,Asked 16", "17,Asked 17"),
    ):
        edit(raw_dir / name, old, new)
        assert build(config).forgotten_predictions == 4
        assert rows(config.database, "select count(*) from predictions") == [(0,)]
        assert predict(config).is_published
        with open_reader(config.database) as connection:
            assert stale_reason(connection) is None
    assert predict(config).classifier_id != first
    # A song that has a genre now keeps no prediction.
    edit(raw_dir / REAL_FILES[0], ",63,\n", ",63,pop\n")
    build(config)
    predict(config)
    assert rows(config.database, "select count(*) from ml.predictions") == [(3,)]


def test_too_few_songs_are_said_to_be_too_few(raw_dir: Path, tmp_path: Path) -> None:
    config = config_for(raw_dir, tmp_path / "genre.duckdb", min_genre_songs=50)
    build(config)
    with pytest.raises(InputError, match="no genre has enough labelled songs"):
        train(config)


def test_nothing_is_learned_before_a_build(config: Config) -> None:
    for verb in (train, predict):
        with pytest.raises(UsageError, match="run `genredb build` first"):
            verb(config)


def songs_of(*rows: tuple[float, float, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return X (artist's code, one column) and y."""
    return np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])


def test_the_artists_genre_comes_before_the_audio_and_the_most_frequent_first() -> None:
    x, y = songs_of(
        (1, 0.0, "rock"), (1, 0.1, "rock"), (1, 0.2, "pop"), (2, 5.0, "soul"), (2, 5.1, "soul"),
        (np.nan, 9.0, "jazz"), (np.nan, 9.1, "jazz"), (np.nan, 9.2, "jazz"),
    )  # fmt: skip
    classifier = ArtistClassifier(KNeighborsClassifier(1), min_genre_songs=3).fit(x, y)
    assert list(classifier.knows(np.array([1, 2, 3, np.nan]))) == [True, True, False, False]
    asked = np.array([[1, 9.0], [2, 0.0], [3, 9.0], [np.nan, 0.0]])
    assert list(classifier.predict(asked)) == ["rock", "soul", "jazz", "jazz"]
    # Artist 1: the others of the pop song say rock, those of a rock song one of each, where the first name wins.
    assert classifier.error_ == pytest.approx((1 + 2 + 1) / (5 + 2))
    assert classifier.rare_ == pytest.approx(5 / 8)
    probabilities = classifier.predict_proba(asked)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert probabilities[0, list(classifier.classes_).index("pop")] == pytest.approx(
        (1 - classifier.error_) / 3 + classifier.error_ / 8
    )
    # An unknown artist's song is of a rare genre as often as songs are.
    rare = [list(classifier.classes_).index(genre) for genre in ("pop", "rock", "soul")]
    assert probabilities[2, rare].sum() == pytest.approx(5 / 8)


@pytest.mark.parametrize(
    "estimator", [ArtistClassifier(RandomForestClassifier(5, random_state=0)), BinarizedTree()]
)
def test_estimators_are_estimators(estimator: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None)
    assert [r["check_name"] for r in results if r["status"] == "failed"] == []
    assert len(results) > 40


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_is_fitted_stored_and_read_back_with_the_same_answers(
    name: str, predicted: Config, tmp_path: Path
) -> None:
    config = changed(predicted, tmp_path, "delete from ml.classifiers")
    project = read_project(config)
    with duckdb.connect(str(config.database)) as connection:
        songs = read_songs(connection, project.models["train"], "genre")
        fitted = fit(CLASSIFIERS[name], songs, 3)
        training = Training("genre", "f", "v", len(songs))
        classifier_id = store(connection, fitted, make_manifest(fitted, training, songs))
        again = load(connection, classifier_id, project.models["predict"].columns_of("feature"))
    x = songs.matrix(uses_artist=fitted.uses_artist)
    assert list(again.estimator.predict(x)) == list(fitted.estimator.predict(x))


def test_codes_of_artists_are_the_same_everywhere() -> None:
    codes = artist_codes(np.array(["abba", "", "céline dion", "abba"], dtype=object))
    assert codes[0] == codes[3] == 248631726036838
    assert np.isnan(codes[1])
    assert len({codes[0], codes[2]}) == 2


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
    assert all(0 < weight.change <= 1 for weight in by_audio.weights)
    ((genre, probability),) = rows(
        predicted.database, "select genre, probability from predictions where song_key = 'test:15'"
    )
    assert (by_audio.genre, by_audio.probability) == (genre, probability)


def test_a_labelled_song_is_no_evidence_for_itself(predicted: Config) -> None:
    (own,) = explain(predicted, "train:3")
    assert own.label == "disco"
    assert [song.song_key for song in own.artist_songs] == ["train:7", "train:11"]
    assert "train:3" not in [song.song_key for song in own.nearest]


def test_songs_are_found_by_title_and_missing_ones_are_said(predicted: Config, config: Config) -> None:
    assert [found.song_key for found in explain(predicted, "asked 14", is_title=True)] == ["test:14"]
    assert [found.song_key for found in explain(predicted, "asked", is_title=True)] == [
        "test:14",
        "test:15",
        "test:16",
    ]
    with pytest.raises(UsageError, match="More than 10 titles contain 'song'"):
        explain(predicted, "song", is_title=True)
    with pytest.raises(UsageError, match="no song whose Id or key is '999'"):
        explain(predicted, "999")
    build(config)
    with pytest.raises(
        UsageError, match="run `genredb train`.*or run `genredb predict`|Or run `genredb predict`"
    ):
        explain(config, "14")


def test_the_text_of_an_explanation(cli: Cli, built: Path) -> None:
    ran = cli("explain", "14", cwd=built)
    assert ran.code == 0
    check_golden("explain.txt", ran.out)
    assert cli("explain", cwd=built).code == 2


def test_another_classifier_can_be_fitted_listed_shown_chosen_and_removed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    write_raw(tmp_path / "data" / "raw")
    for command in (["build"], ["predict"], ["train", "--classifier", "artist_vote"]):
        assert cli(*command, "-q", cwd=tmp_path).code == 0
    listed = json.loads(cli("classifiers", "list", "--json", cwd=tmp_path).out)
    assert [(one["name"], one["is_current"], one["is_used"]) for one in listed] == [
        ("artist_vote", True, False),
        ("artist_forest", True, True),
    ]
    assert "artist_forest-" in cli("classifiers", "list", cwd=tmp_path).out
    shown = json.loads(cli("classifiers", "show", "artist_vote", cwd=tmp_path).out)
    assert (shown["name"], shown["training_rows"]) == ("artist_vote", 12)
    assert cli("classifiers", "use", "artist_vote", cwd=tmp_path).code == 0
    assert cli("predict", cwd=tmp_path).code == 0
    database = tmp_path / "genre.duckdb"
    assert rows(database, "select distinct classifier_id like 'artist_vote-%' from predictions") == [(True,)]
    assert cli("export", "-o", "s.csv", cwd=tmp_path).code == 0
    assert cli("classifiers", "rm", "artist_forest", cwd=tmp_path).code == 0
    assert rows(database, "select name from ml.classifiers") == [("artist_vote",)]
    for asked, said in (
        (["use", "svc"], "gives no probabilities"),
        (["use", "artist_vot"], "Did you mean 'artist_vote'?"),
        (["show", "nothing"], "There is no classifier 'nothing'"),
    ):
        ran = cli("classifiers", *asked, cwd=tmp_path)
        assert ran.code == 2
        assert said in ran.err
