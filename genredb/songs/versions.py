"""The versions that a stored classifier depends on, determined without importing the libraries."""

from importlib.metadata import version

from genredb.version import __version__

_LIBRARIES = ("numpy", "scikit-learn", "skops")


def versions() -> dict[str, str]:
    """Return the major.minor versions of genredb and of the libraries that fit and store classifiers."""
    found = {"genredb": __version__} | {name: version(name) for name in _LIBRARIES}
    return {name: ".".join(text.split(".")[:2]) for name, text in found.items()}
