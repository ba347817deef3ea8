"""Imports skops without its lists of all estimators and functions that may be loaded.

To make them, skops imports all of scikit-learn and searches every module for every function of NumPy and SciPy, which
takes a quarter of the time of a prediction. Here a skops of genredb's own knows the estimators that are
imported by now, which is enough for nearly every file; the others are judged by skops as it is.
"""

import contextlib
import inspect
import sys
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import scipy.special
import sklearn.utils
from sklearn.base import BaseEstimator

_NAME = "skops"


def judge(content: bytes, trusted: Collection[str]) -> tuple[Any, list[str]]:
    """Return the ``skops.io`` that can load these bytes, and the types in them that may not be loaded.

    These are neither ``trusted`` nor known to skops as harmless.
    """
    for skops in (QUICK, None):
        if skops is None:
            import skops.io as skops  # noqa: PLC0415 - takes long
        unknown = set(skops.get_untrusted_types(data=content)).difference(trusted)
        if not unknown:
            break
    return skops, sorted(unknown)


def _imported_estimators(_type_filter: object = None) -> list[tuple[str, type]]:
    """Return scikit-learn's public estimators, as its ``all_estimators``, but only of imported modules."""
    modules = [
        module
        for name, module in sys.modules.items()
        if name.startswith("sklearn.") and "._" not in name and module is not None
    ]
    return [
        (name, one)
        for module in modules
        for name, one in vars(module).items()
        if inspect.isclass(one)
        and issubclass(one, BaseEstimator)
        and not inspect.isabstract(one)
        and not name.startswith("_")
    ]


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: object) -> Iterator[None]:
    """Replace an attribute for a while, which may not exist before."""
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _import_quickly() -> Any:
    """Return ``skops.io``: one that others do not see, unless it is imported already."""
    if _NAME in sys.modules:
        import skops.io  # noqa: PLC0415 - as it is

        return skops.io
    with (
        _replaced(sklearn.utils, "all_estimators", _imported_estimators),
        _replaced(np, "__dir__", list),
        _replaced(scipy.special, "__dir__", list),
    ):
        import skops.io  # noqa: PLC0415

        found = skops.io
    for name in [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]:
        del sys.modules[name]
    return found


QUICK = _import_quickly()
