"""Builds the warehouse: loads what changed, materializes, checks, records, publishes."""

from genredb.build.artifacts import read_before
from genredb.build.clean import clean
from genredb.build.options import Options
from genredb.build.plan import Plan, Touched
from genredb.build.results import (
    BuildResult,
    FailingRows,
    NodeResult,
    Observer,
    Proof,
    SilentObserver,
    Status,
)
from genredb.build.run import build, check, load, plan, rendered, retry
from genredb.build.trace import FileColumn, Trace, trace

__all__ = [
    "BuildResult",
    "FailingRows",
    "FileColumn",
    "NodeResult",
    "Observer",
    "Options",
    "Plan",
    "Proof",
    "SilentObserver",
    "Status",
    "Touched",
    "Trace",
    "build",
    "check",
    "clean",
    "load",
    "plan",
    "read_before",
    "rendered",
    "retry",
    "trace",
]
