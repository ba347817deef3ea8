"""Validates the trees of a stored classifier: scikit-learn follows their arrays without checks."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import Tree

LEAF = -1


def tree_fault(estimator: Any) -> str:
    """Return what is wrong with the first invalid tree in an estimator, or an empty string.

    Children must come after their parent, so that every walk ends; features must exist in the tree.
    """
    return next(
        (fault for tree, columns in _trees(estimator, set(), 0) if (fault := _fault(tree, columns))), ""
    )


def _trees(part: Any, seen: set[int], columns: int) -> Iterator[tuple[Any, int]]:
    """Yield every tree nested in a part of an estimator, with its number of columns."""
    if id(part) in seen or isinstance(part, str | bytes | int | float | bool | None):
        return
    seen.add(id(part))
    if isinstance(part, Tree):
        yield part, part.n_features
    elif isinstance(part, TreePredictor):
        yield part, columns
    elif isinstance(part, Mapping):
        for item in part.values():
            yield from _trees(item, seen, columns)
    elif isinstance(part, list | tuple) or (isinstance(part, np.ndarray) and part.dtype == object):
        for item in part.flat if isinstance(part, np.ndarray) else part:
            yield from _trees(item, seen, columns)
    else:
        inside = getattr(part, "__dict__", {})
        yield from _trees(inside, seen, inside.get("n_features_in_", columns))


def _fault(tree: Any, columns: int) -> str:
    if isinstance(tree, TreePredictor):
        nodes = tree.nodes
        left, right, feature, threshold = (
            nodes[name].astype(np.float64) for name in ("left", "right", "feature_idx", "num_threshold")
        )
        is_leaf, values = nodes["is_leaf"] != 0, nodes["value"]
        if nodes["is_categorical"].any():
            return "a tree splits on categories, which no feature has"
    else:
        nodes = tree.__getstate__()["nodes"]
        left, right, feature, threshold = (
            nodes[name] for name in ("left_child", "right_child", "feature", "threshold")
        )
        is_leaf, values = left == LEAF, tree.value
        if not (is_leaf == (right == LEAF)).all():
            return "a tree has a node with one child"
    return _node_fault((left, right), feature, threshold, is_leaf, columns) or (
        "" if np.isfinite(values).all() else "a tree contains an invalid number"
    )


def _node_fault(children: tuple[Any, Any], feature: Any, threshold: Any, is_leaf: Any, columns: int) -> str:
    """Return what is wrong with the inner nodes."""
    places = np.arange(len(is_leaf))
    if not len(is_leaf):
        return "a tree has no nodes"
    for side in children:
        own = side[~is_leaf]
        if (own <= places[~is_leaf]).any() or (own >= len(is_leaf)).any():
            return "a tree's node has no child after it"
    if (feature[~is_leaf] < 0).any() or (feature[~is_leaf] >= columns).any():
        return "a tree splits on a column that does not exist"
    # Thresholds of histograms may be infinite: missing values go one way, all others the other.
    return "a tree contains an invalid number" if np.isnan(threshold[~is_leaf]).any() else ""
