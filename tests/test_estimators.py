"""The estimators that scikit-learn lacks, and what every classifier of the registry must bear."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from genredb.songs.learn.classifiers import CLASSIFIERS
from genredb.songs.learn.dataset import artist_codes
from genredb.songs.learn.estimators import ArtistClassifier, BinarizedTree, SampledLogistic
from genredb.songs.learn.packed_forest import PackedForest
from genredb.songs.learn.sql_neighbors import SqlNeighbors


def test_a_packed_forest_is_the_same_forest() -> None:
    """It gives the same answers, before and after it was stored, and fails no check that the plain one bears."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(120, 5))
    x[generator.random(x.shape) < 0.1] = np.nan
    labels = np.array([f"genre {i}" for i in range(6)], dtype=object)[generator.integers(0, 6, 120)]
    plain, packed = (
        kind(20, min_samples_leaf=3, random_state=0) for kind in (RandomForestClassifier, PackedForest)
    )
    again = pickle.loads(pickle.dumps(packed.fit(x, labels)))
    expected = plain.fit(x, labels).predict_proba(x)
    for forest in (packed, again, pickle.loads(pickle.dumps(again))):
        assert (forest.predict_proba(x) == expected).all()
    assert again.get_params() == packed.get_params()
    assert (again.feature_importances_ == plain.feature_importances_).all()

    def failed(estimator: Any) -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = check_estimator(estimator, on_fail=None)
        return [r["check_name"] for r in results if r["status"] == "failed"]

    assert failed(PackedForest(5, random_state=0)) == failed(RandomForestClassifier(5, random_state=0))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "options",
    [
        {"max_samples": 120, "min_samples_leaf": 3},
        {"max_samples": 5},
        {"max_samples": 120, "min_samples_leaf": 0.02},
        {"max_samples": 120, "min_samples_split": 0.1},
        {"max_samples": 120, "class_weight": "balanced_subsample"},
        {"bootstrap": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_a_tree_fitted_on_the_rows_drawn_is_the_same_tree(
    options: dict[str, Any], *, is_weighted: bool
) -> None:
    """Though genres of a single song are in few draws, and values are missing."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(400, 6))
    x[generator.random(x.shape) < 0.1] = np.nan
    numbers = np.concatenate([np.arange(30), generator.integers(0, 8, 370)])
    labels = np.array([f"genre {number:02}" for number in numbers], dtype=object)
    weights = generator.integers(0, 4, 400) / 3 if is_weighted else None
    plain, packed = (
        kind(10, random_state=0, **options).fit(x, labels, weights)
        for kind in (RandomForestClassifier, PackedForest)
    )
    for tree, same in zip(plain.estimators_, packed.estimators_, strict=True):
        expected, found = tree.tree_.__getstate__(), same.tree_.__getstate__()
        assert expected["max_depth"] == found["max_depth"]
        for field in expected["nodes"].dtype.names:
            np.testing.assert_array_equal(expected["nodes"][field], found["nodes"][field])
        np.testing.assert_array_equal(expected["values"], found["values"])


def test_a_logistic_regression_of_many_rows_is_fitted_on_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all classes, also those of a single row, with the weights of the rows drawn."""
    generator = np.random.default_rng(0)
    x, numbers = generator.normal(size=(300, 3)), np.append(np.zeros(299, dtype=int), 1)
    numbers[:200] = 2
    weights = generator.integers(1, 4, 300).astype(float)
    whole = SampledLogistic(random_state=0).fit(x, numbers, weights)
    np.testing.assert_array_equal(whole.coef_, LogisticRegression().fit(x, numbers, weights).coef_)
    monkeypatch.setattr(SampledLogistic, "MOST_ROWS", 50)
    drawn = SampledLogistic(random_state=0).fit(x, numbers, weights)
    rows = np.union1d(np.random.RandomState(0).permutation(300)[:50], [200, 299, 0])
    expected = LogisticRegression().fit(x[rows], numbers[rows], weights[rows])
    np.testing.assert_array_equal(drawn.coef_, expected.coef_)
    assert drawn.classes_.tolist() == [0, 1, 2]


def test_one_common_genre_teaches_nothing_so_all_are_learned() -> None:
    x, y = songs_of((1, 0.0, "rock"), (2, 0.1, "rock"), (3, 9.0, "pop"), (4, 9.1, "soul"))
    classifier = ArtistClassifier(LogisticRegression(), min_genre_songs=1, min_genre_artists=2).fit(x, y)
    assert list(classifier.estimator_.classes_) == ["pop", "rock", "soul"]
    alone = ArtistClassifier(LogisticRegression(), min_genre_songs=1).fit(x[:2], y[:2])
    assert list(alone.predict(np.array([[np.nan, 5.0], [1, 5.0]]))) == ["rock", "rock"]


def test_a_forest_learns_the_audio_where_nothing_else_is_stated() -> None:
    x, y = songs_of((1, 0.0, "rock"), (2, 0.1, "rock"), (3, 9.0, "pop"), (4, 9.1, "pop"))
    classifier = ArtistClassifier(weigh_artists=True).fit(x, y)
    assert isinstance(classifier.estimator_, RandomForestClassifier)
    assert list(classifier.predict(np.array([[np.nan, 0.0], [np.nan, 9.1]]))) == ["rock", "pop"]


def songs_of(*rows: tuple[float, float, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return X (artist's code, one column) and y."""
    return np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])


def test_the_artists_genre_comes_before_the_audio_and_the_most_frequent_first() -> None:
    x, y = songs_of(
        (1, 0.0, "rock"), (1, 0.1, "rock"), (1, 0.2, "pop"), (2, 5.0, "soul"), (2, 5.1, "soul"),
        (np.nan, 9.0, "jazz"), (np.nan, 9.1, "jazz"), (np.nan, 9.2, "jazz"),
        (np.nan, 19.0, "blues"), (np.nan, 19.1, "blues"), (np.nan, 19.2, "blues"),
    )  # fmt: skip
    classifier = ArtistClassifier(KNeighborsClassifier(1), min_genre_songs=3).fit(x, y)
    assert list(classifier.knows(np.array([1, 2, 3, np.nan]))) == [True, True, False, False]
    asked = np.array([[1, 9.0], [2, 0.0], [3, 9.0], [np.nan, 0.0]])
    assert list(classifier.predict(asked)) == ["rock", "soul", "jazz", "jazz"]
    # Artist 1 is always wrong: the others of the pop song say rock, those of a rock song one of each, where the
    # first name wins. Artist 2 never is.
    assert classifier.error_ == pytest.approx((1 + 1) / (2 + 2))
    assert classifier.rare_ == pytest.approx(5 / 11)
    probabilities = classifier.predict_proba(asked)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert probabilities[0, list(classifier.classes_).index("pop")] == pytest.approx(
        (1 - classifier.error_) / 3 + classifier.error_ / 11
    )
    # An unknown artist's song is of a rare genre as often as songs are.
    rare = [list(classifier.classes_).index(genre) for genre in ("pop", "rock", "soul")]
    assert probabilities[2, rare].sum() == pytest.approx(5 / 11)


def test_an_artists_confidence_grows_with_artists_not_with_songs() -> None:
    """Ten songs of one artist are one piece of evidence that artists keep to a genre."""

    def fitted(*songs: int) -> ArtistClassifier:
        rows = [(artist, 0.0, f"genre {artist}") for artist, n in enumerate(songs) for _ in range(n)]
        return ArtistClassifier(KNeighborsClassifier(1)).fit(*songs_of(*rows))

    assert fitted(2, 2).error_ == fitted(10, 10).error_ == pytest.approx(1 / 4)
    assert fitted(2, 2, 2, 2).error_ == pytest.approx(1 / 6)
    assert fitted(2, 2, 1).error_ == pytest.approx(1 / 4)  # one song of an artist says nothing


def test_each_artist_counts_once_and_genres_of_one_artist_are_left_to_the_artist() -> None:
    """Seven songs of one pop artist weigh as much as one song; nan songs are artists of their own."""
    x, y = songs_of(
        *[(1, 0.0, "pop")] * 7, (2, 0.0, "pop"), (3, 0.0, "rock"), (4, 0.0, "rock"), (np.nan, 0.0, "rock"),
        (5, 0.0, "polka"), (5, 0.0, "polka"), (np.nan, 0.0, "jazz"), (np.nan, 0.0, "jazz"),
    )  # fmt: skip
    for estimator in (DummyClassifier(), make_pipeline(StandardScaler(), DummyClassifier())):
        classifier = ArtistClassifier(estimator, 1, 2, weigh_artists=True).fit(x, y)
        assert list(classifier.estimator_.classes_) == ["jazz", "pop", "rock"]
        assert classifier.estimator_.predict_proba([[0.0]])[0] == pytest.approx([2 / 7, 2 / 7, 3 / 7])
        unweighted = ArtistClassifier(estimator, 1, 2).fit(x, y)
        assert unweighted.estimator_.predict_proba([[0.0]])[0] == pytest.approx([2 / 13, 8 / 13, 3 / 13])


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        ArtistClassifier(RandomForestClassifier(5, random_state=0), weigh_artists=True, min_genre_artists=2),
        ArtistClassifier(RandomForestClassifier(5, random_state=0)),
        BinarizedTree(),
        SqlNeighbors(),
    ],
)
def test_estimators_are_estimators(estimator: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None)
    assert [r["check_name"] for r in results if r["status"] == "failed"] == []
    assert len(results) > 40


def test_codes_of_artists_are_the_same_everywhere() -> None:
    codes = artist_codes(np.array(["abba", "", "céline dion", "abba"], dtype=object))
    assert codes[0] == codes[3] == 248631726036838
    assert np.isnan(codes[1])
    assert len({codes[0], codes[2]}) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("quick_forests")
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_bears_missing_values(name: str) -> None:
    """In the songs asked for alone, in those learned from, and in a whole column of both."""
    generator = np.random.default_rng(0)
    whole = generator.normal(size=(60, 5))
    labels = np.array(["pop", "rock", "soul"], dtype=object)[generator.integers(0, 3, 60)]
    holed = np.where(generator.random(whole.shape) < 0.1, np.nan, whole)
    blind = holed.copy()
    blind[:, 2] = np.nan
    spec = CLASSIFIERS[name]
    for learned, asked in ((whole, holed), (holed, holed), (blind, blind)):
        x, other = learned.copy(), asked.copy()
        if spec.uses_artist:
            x[:, 0] = generator.integers(0, 5, 60)
            other[:, 0] = np.nan
        assert set(spec.make(60).fit(x, labels).predict(other)) <= set(labels)


def test_neighbours_in_sql_are_scikit_learns() -> None:
    generator = np.random.default_rng(1)
    x = generator.normal(size=(90, 4)) * (1, 20, 0.1, 3)
    x[generator.random(x.shape) < 0.1] = np.nan
    labels = np.array(["pop", "rock", "soul", "jazz"], dtype=object)[generator.integers(0, 4, 90)]
    ours = CLASSIFIERS["sql_neighbors"].make(90).fit(x[:60], labels[:60])
    theirs = CLASSIFIERS["neighbors"].make(90).fit(x[:60], labels[:60])
    assert ours.predict_proba(x[60:]) == pytest.approx(theirs.predict_proba(x[60:]))
    assert list(ours.predict(x[60:])) == list(theirs.predict(x[60:]))
