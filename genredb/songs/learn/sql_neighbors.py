"""Nearest neighbours in SQL: the estimator runs the same macro as the baselines model.

It is the macro of the shipped project, since a classifier has no access to the user's project.
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

from genredb.runner.project.config import shipped_root
from genredb.runner.project.files import read_text
from genredb.warehouse.database import open_memory

_MACRO = "nearest_genres"


class SqlNeighbors(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Shares of genres among the nearest labelled songs, computed by DuckDB with ``nearest_genres``.

    X is n × f, NaN for missing values.
    """

    def __init__(self, n_neighbors: int = 30) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: Any, y: Any) -> "SqlNeighbors":
        """Store the songs; the query reads them at prediction time."""
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
        # It becomes part of the query, and a stored classifier may contain anything.
        neighbors = check_scalar(self.n_neighbors, "n_neighbors", Integral, min_val=1)
        query = _macro()("labelled", "asked", columns, int(neighbors))
        with open_memory() as connection:
            connection.execute("set enable_external_access = false")
            labelled, asked = _table(self.features_, columns, self.genres_), _table(X, columns)
            with connection.given("labelled", labelled), connection.given("asked", asked):
                found = connection.arrays(f"select song_key, genre, neighbor_count from ({query})")
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
    """Return songs as the macro reads them; their keys are their indices. NaN becomes null."""
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
