"""The nearest neighbours in SQL: the estimator runs the macro that the model of the baselines runs.

It is the macro of the project that genredb ships, for a classifier knows no project.
"""

import functools
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from jinja2 import Environment, StrictUndefined
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_scalar
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from genredb.project.config import shipped_root
from genredb.project.files import read_text
from genredb.warehouse.database import open_memory

_MACRO = "nearest_genres"


class SqlNeighbors(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Shares of genres among the nearest labelled songs, asked of DuckDB over the macro ``nearest_genres``.

    X is n × f, NaN where a value is missing.
    """

    def __init__(self, n_neighbors: int = 30) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: Any, y: Any) -> "SqlNeighbors":
        """Keep the songs: the query reads them when it is asked."""
        X, y = validate_data(self, X, y, ensure_all_finite="allow-nan", dtype=np.float64)
        check_classification_targets(y)
        self.classes_, self.genres_ = np.unique(y, return_inverse=True)
        self.features_ = X
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the share of each of ``classes_`` among the neighbours of each song."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        columns = [f"feature_{place}" for place in range(X.shape[1])]
        # It becomes a part of the query, and a stored classifier may hold anything.
        neighbors = check_scalar(self.n_neighbors, "n_neighbors", Integral, min_val=1)
        query = _macro()("labelled", "asked", columns, int(neighbors))
        with open_memory() as connection:
            connection.execute("set enable_external_access = false")
            connection.register("labelled", _table(self.features_, columns, self.genres_))
            connection.register("asked", _table(X, columns))
            found = connection.execute(f"select song_key, genre, neighbor_count from ({query})").fetchnumpy()
        shares = np.zeros((len(X), len(self.classes_)))
        shares[found["song_key"], found["genre"]] = found["neighbor_count"]
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> Any:
        """Return the most frequent genre among the neighbours of each song."""
        check_is_fitted(self)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _table(features: npt.NDArray[np.float64], columns: list[str], genres: Any = None) -> pa.Table:
    """Return songs as the macro reads them; their keys are their places. NaN is null."""
    found = {name: pa.array(features[:, place], from_pandas=True) for place, name in enumerate(columns)}
    found["song_key"] = pa.array(np.arange(len(features)))
    if genres is not None:
        found["genre"] = pa.array(genres)
    return pa.table(found)


@functools.cache
def _macro() -> Any:
    text = read_text(shipped_root() / "sql" / "macros" / f"{_MACRO}.sql")
    module = Environment(undefined=StrictUndefined, autoescape=False).from_string(text).module
    return getattr(module, _MACRO)
