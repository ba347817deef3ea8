"""The registry of classifiers: one function and one line for each.

Each function returns an unfitted scikit-learn estimator for a number of songs. Its X has the artist's code
first, where the line says ``uses_artist``, then the numeric columns of a song in the order of the view.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsOneClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from genredb.build.freshness import MIN_GENRE_SONGS
from genredb.learn.estimators import ArtistClassifier, BinarizedTree
from genredb.learn.packed_forest import PackedForest
from genredb.learn.sql_neighbors import SqlNeighbors
from genredb.project.classifiers import StatedClassifier

SEED = 0
TREE_SONGS = 20_000
TREE_LEAVES = 500


@dataclass(frozen=True)
class ClassifierSpec:
    """A classifier that can be fitted; ``make`` is told the number of songs it will be fitted on.

    ``settings`` are the variables of the project that are parameters of its estimator, ``parameters`` those
    that were set for this fit. ``stated`` is its entry in classifiers.yml, if it has one.
    """

    name: str
    description: str
    make: Callable[[int], Any]
    uses_artist: bool = False
    settings: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stated: StatedClassifier | None = None

    @property
    def entry(self) -> str:
        """A digest of its entry, empty for a classifier of genredb's own."""
        return self.stated.digest if self.stated else ""


def _majority(_songs: int) -> Any:
    return DummyClassifier(strategy="prior")


def _imputed(*steps: Any) -> Any:
    """Return the steps behind an imputer, for estimators that know no missing values."""
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), *steps)


def _seed_tree(_songs: int) -> Any:
    return _imputed(BinarizedTree(max_depth=50, random_state=SEED))


def _seed_logistic(_songs: int) -> Any:
    return _imputed(LogisticRegression(max_iter=10_000))


def _seed_svc(_songs: int) -> Any:
    return _imputed(SVC())


def _seed_boosting(_songs: int) -> Any:
    boosting = GradientBoostingClassifier(n_estimators=3, learning_rate=0.5, max_depth=1, random_state=SEED)
    return _imputed(boosting)


def _seed_forest(_songs: int) -> Any:
    return RandomForestClassifier(n_estimators=100, min_samples_split=6, random_state=SEED)


def _scaled(estimator: Any) -> Any:
    """Return the estimator behind an imputer and a scaler, which distances and penalties want."""
    return _imputed(StandardScaler(), estimator)


def _neighbors(songs: int) -> Any:
    return _scaled(KNeighborsClassifier(n_neighbors=min(30, songs)))


def _sql_neighbors(songs: int) -> Any:
    return SqlNeighbors(n_neighbors=min(30, songs))


def _naive_bayes(_songs: int) -> Any:
    return _imputed(GaussianNB())


def _sgd(_songs: int) -> Any:
    return _imputed(MinMaxScaler(), SGDClassifier(loss="log_loss", random_state=SEED))


def _one_vs_one(_songs: int) -> Any:
    return _scaled(OneVsOneClassifier(LogisticRegression(C=0.1, max_iter=1_000)))


def _bagging(_songs: int) -> Any:
    return BaggingClassifier(n_estimators=50, random_state=SEED)


def _logistic(_songs: int) -> Any:
    return _scaled(LogisticRegression(C=0.1, max_iter=1_000))


def _svc(_songs: int) -> Any:
    return _scaled(SVC())


def _forest(songs: int) -> Any:
    # Leaves of at least three songs smooth the few songs there are per genre. A tree keeps a share for
    # every genre in every node, so trees of many songs are bounded: in the songs they see, and in leaves.
    seen = min(songs, TREE_SONGS)
    return PackedForest(
        n_estimators=300,
        min_samples_leaf=max(3, seen // TREE_LEAVES),
        max_samples=seen if seen < songs else None,
        random_state=SEED,
    )


def _artist_forest(songs: int) -> Any:
    return ArtistClassifier(_forest(songs), MIN_GENRE_SONGS)


def _artist_vote(songs: int) -> Any:
    # Scaled before the vote, not within it: a vote hands weights to its members, which no pipeline takes.
    parts = [("forest", _forest(songs)), ("logistic", LogisticRegression(C=0.1, max_iter=1_000))]
    vote = _scaled(VotingClassifier(parts, voting="soft"))
    return ArtistClassifier(vote, min_genre_songs=1, min_genre_artists=2, weigh_artists=True)


CLASSIFIERS: Mapping[str, ClassifierSpec] = {
    spec.name: spec
    for spec in (
        ClassifierSpec("majority", "The most frequent genre.", _majority),
        ClassifierSpec("seed_tree", "The notebook's decision tree on binarized genres.", _seed_tree),
        ClassifierSpec("seed_logistic", "The notebook's logistic regression, unscaled.", _seed_logistic),
        ClassifierSpec("seed_svc", "The notebook's support vectors, unscaled.", _seed_svc),
        ClassifierSpec("seed_boosting", "The notebook's gradient boosting of three stumps.", _seed_boosting),
        ClassifierSpec("seed_forest", "The notebook's random forest, which it submitted.", _seed_forest),
        ClassifierSpec("neighbors", "The 30 nearest songs by scaled audio.", _neighbors),
        ClassifierSpec("sql_neighbors", "The same, in SQL alone.", _sql_neighbors),
        ClassifierSpec("naive_bayes", "Gaussian naive Bayes.", _naive_bayes),
        ClassifierSpec("sgd", "Logistic regression by stochastic gradient descent.", _sgd),
        ClassifierSpec("one_vs_one", "Scaled logistic regression for each pair of genres.", _one_vs_one),
        ClassifierSpec("bagging", "Fifty trees on resampled songs.", _bagging),
        ClassifierSpec("logistic", "Scaled logistic regression.", _logistic),
        ClassifierSpec("svc", "Scaled support vectors.", _svc),
        ClassifierSpec("forest", "A random forest on audio alone, leaves of three songs.", _forest),
        ClassifierSpec(
            "artist_forest",
            "The genre of the artist's labelled songs; a random forest on the audio for other artists.",
            _artist_forest,
            uses_artist=True,
            settings=("min_genre_songs",),
        ),
        ClassifierSpec(
            "artist_vote",
            "The same with a vote of forest and logistic regression, fitted on genres of two artists or "
            "more, each artist counted once.",
            _artist_vote,
            uses_artist=True,
        ),
    )
}
