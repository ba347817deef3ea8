"""The registry of classifiers: a function and an entry for each.

Each function returns an unfitted scikit-learn estimator for a number of songs. For an ArtistClassifier, the
first column of X is the artist's code; the numeric columns follow in the order of the view.
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

from genredb.songs.classifiers_yml import StatedClassifier
from genredb.songs.learn.estimators import ArtistClassifier, BinarizedTree, SampledLogistic
from genredb.songs.learn.packed_forest import PackedForest
from genredb.songs.learn.sql_neighbors import SqlNeighbors
from genredb.songs.staleness import MIN_GENRE_SONGS

SEED = 0
TREE_SONGS = 20_000
TREE_LEAVES = 500

# Types that fitted estimators contain besides numbers and lists.
_DTYPE = "numpy.dtype"
_BUNCH = "sklearn.utils._bunch.Bunch"
_TREE = "sklearn.tree._tree.Tree"
_OWN = "genredb.songs.learn"
_BINARIZED, _ARTISTS = f"{_OWN}.estimators.BinarizedTree", f"{_OWN}.estimators.ArtistClassifier"
_LOGISTIC = f"{_OWN}.estimators.SampledLogistic"
_FOREST, _IN_SQL = f"{_OWN}.packed_forest.PackedForest", f"{_OWN}.sql_neighbors.SqlNeighbors"
# Types allowed in any estimator defined in classifiers.yml.
BASIC_TYPES = (_DTYPE, _BUNCH, _TREE, _ARTISTS)


@dataclass(frozen=True)
class ClassifierSpec:
    """A classifier that can be fitted; ``make`` receives the number of songs to fit it on.

    ``settings`` are the project variables that are parameters of its estimator, ``parameters`` those set for
    this fit. ``trusts`` are types inside the fitted classifier that skops does not know: they may be loaded
    only with this classifier. ``stated`` is its entry in classifiers.yml, if any.
    """

    name: str
    description: str
    make: Callable[[int], Any]
    settings: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stated: StatedClassifier | None = None

    @property
    def entry(self) -> str:
        """A digest of its entry, empty for a built-in classifier."""
        return self.stated.digest if self.stated else ""

    @property
    def uses_artist(self) -> bool:
        """True if the artist's code comes before the numeric columns that it is fitted on."""
        return isinstance(self.make(1), ArtistClassifier)

    @property
    def gives_probabilities(self) -> bool:
        """True if it estimates the probabilities of its answers, which predictions require."""
        return hasattr(self.make(1), "predict_proba")


def _majority(_songs: int) -> Any:
    return DummyClassifier(strategy="prior")


def _imputed(*steps: Any) -> Any:
    """Return the steps after an imputer, for estimators that do not accept missing values."""
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
    """Return the estimator after an imputer and a scaler, for estimators with distances or penalties."""
    return _imputed(StandardScaler(), estimator)


def _neighbors(songs: int) -> Any:
    # With a few hundred songs a search tree gains nothing, and it could not be loaded safely.
    return _scaled(KNeighborsClassifier(n_neighbors=min(30, songs), algorithm="brute"))


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
    return _scaled(SampledLogistic(C=0.1, max_iter=1_000, random_state=SEED))


def _svc(_songs: int) -> Any:
    return _scaled(SVC())


def _forest(songs: int) -> Any:
    # Leaves of at least three songs smooth genres with few songs. A tree stores a share for every genre in
    # every node, so trees of many songs are limited in the songs they are fitted on and in leaves.
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
    # Scaled before the vote, not in its members: a vote passes on sample weights, which pipelines reject.
    parts = [
        ("forest", _forest(songs)),
        ("logistic", SampledLogistic(C=0.1, max_iter=1_000, random_state=SEED)),
    ]
    vote = _scaled(VotingClassifier(parts, voting="soft"))
    # An ArtistClassifier gives it rows of its own, so a million songs need no further copies.
    vote.set_params(simpleimputer__copy=False, standardscaler__copy=False)
    return ArtistClassifier(vote, min_genre_songs=1, min_genre_artists=2, weigh_artists=True)


CLASSIFIERS: Mapping[str, ClassifierSpec] = {
    spec.name: spec
    for spec in (
        ClassifierSpec("majority", "The most frequent genre.", _majority),
        ClassifierSpec(
            "seed_tree",
            "The notebook's decision tree on binarized genres.",
            _seed_tree,
            trusts=(_BINARIZED, _DTYPE, _TREE),
        ),
        ClassifierSpec(
            "seed_logistic", "The notebook's logistic regression, unscaled.", _seed_logistic, trusts=(_DTYPE,)
        ),
        ClassifierSpec(
            "seed_svc", "The notebook's support vector machine, unscaled.", _seed_svc, trusts=(_DTYPE,)
        ),
        ClassifierSpec(
            "seed_boosting",
            "The notebook's gradient boosting of three stumps.",
            _seed_boosting,
            trusts=(_DTYPE, _TREE),
        ),
        ClassifierSpec(
            "seed_forest", "The notebook's random forest, which it submitted.", _seed_forest, trusts=(_TREE,)
        ),
        ClassifierSpec("neighbors", "The 30 nearest songs by scaled audio.", _neighbors, trusts=(_DTYPE,)),
        ClassifierSpec(
            "sql_neighbors", "The same as neighbors, in pure SQL.", _sql_neighbors, trusts=(_IN_SQL,)
        ),
        ClassifierSpec("naive_bayes", "Gaussian naive Bayes.", _naive_bayes, trusts=(_DTYPE,)),
        ClassifierSpec("sgd", "Logistic regression by stochastic gradient descent.", _sgd, trusts=(_DTYPE,)),
        ClassifierSpec(
            "one_vs_one", "Scaled logistic regression for each pair of genres.", _one_vs_one, trusts=(_DTYPE,)
        ),
        ClassifierSpec("bagging", "Bagging of fifty trees.", _bagging, trusts=(_TREE,)),
        ClassifierSpec("logistic", "Scaled logistic regression.", _logistic, trusts=(_DTYPE, _LOGISTIC)),
        ClassifierSpec("svc", "Scaled support vector machine.", _svc, trusts=(_DTYPE,)),
        ClassifierSpec(
            "forest", "A random forest on audio alone, leaves of three songs.", _forest, trusts=(_FOREST,)
        ),
        ClassifierSpec(
            "artist_forest",
            "The genre of the artist's labelled songs; a random forest on the audio for other artists.",
            _artist_forest,
            settings=("min_genre_songs",),
            trusts=(_ARTISTS, _FOREST),
        ),
        ClassifierSpec(
            "artist_vote",
            "As artist_forest, but with a vote of forest and logistic regression, fitted on genres of two "
            "artists or more, each artist counted once.",
            _artist_vote,
            trusts=(_ARTISTS, _FOREST, _LOGISTIC, _DTYPE, _BUNCH),
        ),
    )
}
