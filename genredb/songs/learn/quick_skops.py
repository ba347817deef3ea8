"""Imports skops without its lists of all estimators and functions that may be loaded.

To make them, skops imports all of scikit-learn and searches every module for every function of NumPy and
SciPy: more work than to fit a small classifier. The skops here, which others do not see, knows only the
estimators that are imported already. A file with other types is judged by skops as it is.
"""

import contextlib
import importlib
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
    if not (unknown := _unknown(QUICK, content, trusted)):
        return QUICK, unknown
    import skops.io as whole  # noqa: PLC0415 - takes long

    return whole, _unknown(whole, content, trusted)


def _unknown(skops_io: Any, content: bytes, trusted: Collection[str]) -> list[str]:
    return sorted(set(skops_io.get_untrusted_types(data=content)).difference(trusted))


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
    """Return a ``skops.io`` that others do not see, unless it is imported already."""
    if _NAME in sys.modules:
        return importlib.import_module(f"{_NAME}.io")
    with (
        _replaced(sklearn.utils, "all_estimators", _imported_estimators),
        _replaced(np, "__dir__", list),
        _replaced(scipy.special, "__dir__", list),
    ):
        found = importlib.import_module(f"{_NAME}.io")
    for name in [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]:
        del sys.modules[name]
    return found


QUICK = _import_quickly()
