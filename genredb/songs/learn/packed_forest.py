"""A random forest stored as a few arrays: loading hundreds of trees as separate objects takes long."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree
from sklearn.utils.validation import check_is_fitted

_TREES = "estimators_"
_PACKED = "packed_trees"
_TREES_AT_A_TIME = 25


class _SampledTree(DecisionTreeClassifier):  # type: ignore[misc]
    """scikit-learn's tree, bit for bit, fitted without copying and sorting the rows that were not drawn."""

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        return super()._get_param_names()  # type: ignore[no-any-return]  # which takes long, some times for each tree

    def _fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> "_SampledTree":
        # Limits that are shares count all rows.
        counts_rows = isinstance(self.min_samples_leaf, float) or isinstance(self.min_samples_split, float)
        if sample_weight is not None and not counts_rows and not issparse(X):
            classes = _row_of_each_class(y)
            rows = np.union1d(np.flatnonzero(sample_weight), classes)
            if len(rows) > 2 * len(classes) + 1:  # else scikit-learn warns of labels that look like numbers
                X, y, sample_weight = X[rows], y[rows], sample_weight[rows]
        return super()._fit(X, y, sample_weight=sample_weight, **options)  # type: ignore[no-any-return]


def _row_of_each_class(y: Any) -> Any:
    """Return rows that hold every class of each column of ``y``: a tree must know the classes not drawn."""
    found = []
    for codes in y.T.astype(np.intp):  # 0 to the number of classes, as the forest encodes them
        rows = np.empty(codes.max() + 1, dtype=np.intp)
        rows[codes] = np.arange(len(codes))
        found.append(rows)
    return np.concatenate(found)


class PackedForest(RandomForestClassifier):  # type: ignore[misc]
    """scikit-learn's random forest, bit for bit, except for its storage and the way it fits and predicts.

    ``packed_trees`` holds the trees' nodes and values, concatenated, and the number of nodes, the depth and
    the seed of each tree. The values of many genres are large, so they are concatenated for some trees at a
    time: an array is stored by way of a copy of its bytes.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the trees packed."""
        state = dict(super().__getstate__())
        trees = state.pop(_TREES, None)
        if trees is not None:
            state[_PACKED] = packed(tuple(trees))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the state and unpack the trees."""
        rest = dict(state)
        packed = rest.pop(_PACKED, None)
        super().__setstate__(rest)
        if packed is not None:
            setattr(self, _TREES, self._unpacked(packed))

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "PackedForest":
        """Fit each tree on the rows drawn for it."""
        super().fit(X, y, sample_weight)
        self.estimator_ = DecisionTreeClassifier()  # what is stored holds scikit-learn's types only
        return self

    def _validate_estimator(self) -> None:
        super()._validate_estimator()
        self.estimator_ = _SampledTree()

    def predict_proba(self, X: Any) -> Any:
        """Return the mean of the trees' shares as scikit-learn does, but without a job for each tree."""
        check_is_fitted(self)
        if self.n_outputs_ > 1:
            return super().predict_proba(X)
        X = self._validate_X_predict(X)
        total = np.zeros((X.shape[0], len(self.classes_)))
        for tree in self.estimators_:
            total += tree.tree_.predict(X)[:, : tree.n_classes_]
        return total / len(self.estimators_)

    def _unpacked(self, packed: dict[str, Any]) -> list[DecisionTreeClassifier]:
        parameters = {name: getattr(self, name) for name in self.estimator_params if name != "random_state"}
        ends = np.cumsum(packed["node_counts"])
        values = [
            values
            for part, counts in zip(packed["values"], _parted(packed["node_counts"]), strict=True)
            for values in np.split(part, np.cumsum(counts)[:-1])
        ]
        trees = []
        for number, end in enumerate(ends):
            start = end - packed["node_counts"][number]
            tree = DecisionTreeClassifier(**parameters, random_state=int(packed["seeds"][number]))
            tree.classes_ = packed["classes"]
            tree.n_classes_, tree.n_outputs_ = len(packed["classes"]), 1
            tree.n_features_in_, tree.max_features_ = self.n_features_in_, int(packed["max_features"])
            tree.tree_ = Tree(self.n_features_in_, np.array([tree.n_classes_], dtype=np.intp), 1)
            tree.tree_.__setstate__(
                {
                    "max_depth": int(packed["depths"][number]),
                    "node_count": int(end - start),
                    "nodes": packed["nodes"][start:end],
                    "values": values[number],
                }
            )
            trees.append(tree)
        return trees


def _parted(of_trees: Sequence[Any]) -> list[Sequence[Any]]:
    return [of_trees[at : at + _TREES_AT_A_TIME] for at in range(0, len(of_trees), _TREES_AT_A_TIME)]


@lru_cache(maxsize=1)
def packed(trees: tuple[DecisionTreeClassifier, ...]) -> dict[str, Any]:
    """Return the trees' arrays, the same ones until ``cache_clear``: a vote stores each member twice."""
    states = [tree.tree_.__getstate__() for tree in trees]
    return {
        "nodes": np.concatenate([state["nodes"] for state in states]),
        "values": [np.concatenate(part) for part in _parted([state["values"] for state in states])],
        "node_counts": np.array([state["node_count"] for state in states]),
        "depths": np.array([state["max_depth"] for state in states]),
        "seeds": np.array([tree.random_state for tree in trees]),
        "classes": trees[0].classes_,
        "max_features": trees[0].max_features_,
    }
