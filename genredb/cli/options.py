"""The common options, which one decorator adds to every command."""

import functools
import inspect
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from genredb.cli.console import Console
from genredb.cli.log import logged
from genredb.errors import ProjectError, UsageError
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.project.files import load_yaml, shown
from genredb.warehouse.settings import MOST_THREADS, is_memory_limit


@dataclass(frozen=True)
class Context:
    """The values of the common options: paths, output settings and project settings."""

    settings: Settings
    console: Console
    json: bool

    def from_sample(self, uses_sample: bool) -> Config:
        """Return the configuration; with ``uses_sample``, one that reads the synthetic sample."""
        return logged(read_config(replace(self.settings, uses_sample=True))) if uses_sample else self.config

    def warn_of_unbuilt(self) -> None:
        """Warn if the project or the raw files changed since the database was built."""
        from genredb.songs.unbuilt import read_unbuilt
        from genredb.spark.choice import engine_of

        if change := read_unbuilt(self.config, engine_of(self.config).marks()):
            name = self.config.database.name
            self.console.warn(f"Since {name} was built, {change}; `genredb build` brings it up to date.")

    @functools.cached_property
    def config(self) -> Config:
        """The resolved configuration; raises the errors in the project and the profile."""
        return logged(read_config(self.settings))


def _option(kind: Any, help_text: str, *names: str, variable: str | None = None) -> Any:
    return Annotated[kind, typer.Option(*names, help=help_text, envvar=variable)]


Force = Annotated[bool, typer.Option("--force", help="Replace a file that genredb did not write.")]

COMMON: dict[str, tuple[Any, Any]] = {
    "project_dir": (
        _option(
            Path | None,
            "Project folder; default: the nearest one with dbt_project.yml, searching upward from here.",
            "--project-dir",
            variable="GENREDB_PROJECT_DIR",
        ),
        None,
    ),
    "profiles_dir": (
        _option(
            Path | None,
            "Folder with profiles.yml; default: the project folder, then ~/.dbt.",
            "--profiles-dir",
            variable="GENREDB_PROFILES_DIR",
        ),
        None,
    ),
    "target": (
        _option(
            str | None,
            "Target in the profile; default: the one that profiles.yml names.",
            "--target",
            "-t",
            variable="GENREDB_TARGET",
        ),
        None,
    ),
    "database": (
        _option(
            Path | None,
            "DuckDB file; default: the path in profiles.yml.",
            "--database",
            variable="GENREDB_DATABASE",
        ),
        None,
    ),
    "raw_dir": (
        _option(
            Path | None,
            "Folder with the raw files; default: data/raw, else that of the last build, else the sample.",
            "--raw-dir",
            variable="GENREDB_RAW_DIR",
        ),
        None,
    ),
    "variables": (
        _option(str, "Project variables as YAML: 'min_genre_songs: 5'.", "--vars", variable="GENREDB_VARS"),
        "",
    ),
    "quiet": (
        _option(bool, "Print only errors and warnings.", "--quiet", "-q", variable="GENREDB_QUIET"),
        False,
    ),
    "verbose": (
        _option(bool, "Print more, such as checks that pass.", "--verbose", "-v", variable="GENREDB_VERBOSE"),
        False,
    ),
}
# DuckDB's limits, for commands that may need a lot of memory or time.
LIMITS: dict[str, tuple[Any, Any]] = {
    "memory_limit": (
        _option(
            str | None,
            "Memory limit for DuckDB, such as 2GB or 50%; default: `memory_limit` in profiles.yml.",
            "--memory-limit",
            variable="GENREDB_MEMORY_LIMIT",
        ),
        None,
    ),
    "threads": (
        Annotated[
            int | None,
            typer.Option(
                "--threads",
                min=1,
                max=MOST_THREADS,
                help="Number of DuckDB threads; default: `threads` in profiles.yml.",
                envvar="GENREDB_THREADS",
            ),
        ],
        None,
    ),
}
_JSON = {"as_json": (_option(bool, "Print the result as JSON on stdout.", "--json"), False)}


Command = Callable[..., None]


def command(*, reports: bool = True, limits: bool = False) -> Callable[[Command], Command]:
    """Add the common options to a command, which gets them as its first argument, a :class:`Context`.

    ``reports`` adds ``--json``; ``limits`` adds ``--memory-limit`` and ``--threads``.
    """
    common = COMMON | (LIMITS if limits else {}) | (_JSON if reports else {})

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def run(**values: Any) -> None:
            stated = {name: values.pop(name) for name in common}
            _refuse_nan(values)
            try:
                function(_context(stated), **values)
                sys.stdout.flush()
            except BrokenPipeError:
                # The reader closed the pipe, as `| head` does: print nothing, not even at shutdown.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise typer.Exit(0) from None

        own = list(inspect.signature(function).parameters.values())[1:]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in common.items()
        ]
        run.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
        return run

    return decorate


def _refuse_nan(values: dict[str, Any]) -> None:
    """Raise UsageError for an option that is NaN, which passes every range check."""
    for name, value in values.items():
        if isinstance(value, float) and math.isnan(value):
            raise UsageError(f"--{name.replace('_', '-')} should be a number, not nan")


def _context(stated: dict[str, Any]) -> Context:
    settings = Settings(
        project_dir=stated["project_dir"],
        profiles_dir=stated["profiles_dir"],
        target=stated["target"],
        database=stated["database"],
        raw_dir=stated["raw_dir"],
        vars=parse_mapping(stated["variables"], "--vars", "min_genre_songs: 5"),
        memory_limit=_memory_limit(stated.get("memory_limit")),
        threads=stated.get("threads"),
    )
    as_json = bool(stated.get("as_json"))
    return Context(
        settings, Console(is_quiet=stated["quiet"] or as_json, is_verbose=stated["verbose"]), as_json
    )


def _memory_limit(stated: str | None) -> str | None:
    if stated is None or is_memory_limit(stated):
        return stated
    raise UsageError(f"--memory-limit should be a size such as 2GB, or a share such as 50%, not '{stated}'")


def parse_mapping(text: str, option: str, example: str) -> dict[str, Any]:
    """Return the value of an option that is YAML; UsageError if it does not hold names and values."""
    if not text.strip():
        return {}
    try:
        values = load_yaml(text, option)
    except ProjectError as error:
        raise UsageError(str(error)) from None
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise UsageError(f"{option} should be YAML such as '{example}', not {shown(text)}")
    return values
