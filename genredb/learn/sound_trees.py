"""Whether the trees of a stored classifier can be walked: scikit-learn follows their arrays unchecked."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.tree._tree import Tree

LEAF = -1


def tree_fault(estimator: Any) -> str:
    """Return what is wrong with the first unsound tree in an estimator, or nothing.

    Children stand behind their parent, so that every walk ends; features are those of the tree.
    """
    return next((fault for tree in _trees(estimator, set()) if (fault := _fault(tree))), "")


def _trees(part: Any, seen: set[int]) -> Iterator[Tree]:
    """Yield every tree in a part of an estimator, however deep."""
    if id(part) in seen or isinstance(part, str | bytes | int | float | bool | None):
        return
    seen.add(id(part))
    if isinstance(part, Tree):
        yield part
    elif isinstance(part, Mapping):
        for item in part.values():
            yield from _trees(item, seen)
    elif isinstance(part, list | tuple) or (isinstance(part, np.ndarray) and part.dtype == object):
        for item in part.flat if isinstance(part, np.ndarray) else part:
            yield from _trees(item, seen)
    else:
        yield from _trees(getattr(part, "__dict__", None), seen)


def _fault(tree: Tree) -> str:
    nodes = tree.__getstate__()["nodes"]
    places = np.arange(len(nodes))
    left, right = nodes["left_child"], nodes["right_child"]
    is_leaf = left == LEAF
    if not len(nodes) or not (is_leaf == (right == LEAF)).all():
        return "a tree has no nodes, or half a leaf"
    for children in (left, right):
        own = children[~is_leaf]
        if (own <= places[~is_leaf]).any() or (own >= len(nodes)).any():
            return "a tree's node has no child behind it"
    features = nodes["feature"][~is_leaf]
    if (features < 0).any() or (features >= tree.n_features).any():
        return "a tree asks for a column that there is not"
    if not np.isfinite(nodes["threshold"][~is_leaf]).all() or not np.isfinite(tree.value).all():
        return "a tree holds a number that is none"
    return ""
