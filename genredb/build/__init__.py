"""Builds the warehouse: loads what changed, materializes, checks, records, publishes."""

from genredb.build.clean import clean
from genredb.build.results import BuildResult, FailingRows, NodeResult, Observer, SilentObserver, Status
from genredb.build.run import build, check, load

__all__ = [
    "BuildResult",
    "FailingRows",
    "NodeResult",
    "Observer",
    "SilentObserver",
    "Status",
    "build",
    "check",
    "clean",
    "load",
]
