"""Runs a Python model: ``def model(dbt, session)``, whose result becomes rows of the build."""

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from genredb.errors import GenredbError, Place, ProjectError
from genredb.runner.execution.executor import Executor
from genredb.runner.graph.nodes import PythonModel
from genredb.runner.templates.relation import Relation

RESULT = Relation(None, None, "genredb result")


@dataclass(frozen=True)
class Dbt:
    """The first argument of a model: what it may read, and how it is configured.

    ``ref`` and ``source`` return DuckDB relations; ``config`` records nothing when it is called, since the
    code was read before. ``this`` is the model's own relation.
    """

    ref: Callable[..., Any]
    source: Callable[..., Any]
    config: Any
    this: Relation
    is_incremental: bool


class _Config:
    """``dbt.config(…)``, and ``dbt.config.get(…)``."""

    def __init__(self, stated: Mapping[str, Any]) -> None:
        self._stated = stated

    def __call__(self, **_values: Any) -> None:
        """Do nothing."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return a configuration value, or the default."""
        return self._stated.get(name, default)


def run_python(
    executor: Executor, node: PythonModel, inputs: Callable[[str], Relation], *, is_incremental: bool
) -> str:
    """Run the code and keep its result in a temporary table; return the query for its rows.

    ``inputs`` returns the relation to read for a unique id. Raises ProjectError, with the line of the model,
    for whatever the code raises.
    """

    def run(session: Any) -> Any:
        def read(function: str, *names: str) -> Any:
            unique_id = node.readings.get((function, *names))
            if unique_id is None:
                call = f"dbt.{function}({', '.join(map(repr, names))})"
                raise ProjectError(f"{call} is not stated in model() itself", place=node.path)
            return session.sql(f"select * from {inputs(unique_id)}")

        dbt = Dbt(
            lambda *names: read("ref", *names),
            lambda *names: read("source", *names),
            _Config(node.config),
            node.relation,
            is_incremental,
        )
        module = SimpleNamespace(__name__=node.name, __file__=node.path)
        exec(compile(node.template, node.path, "exec"), module.__dict__)
        return module.model(dbt, session)

    with _placed_errors(node), contextlib.redirect_stdout(sys.stderr):  # what a command prints is its own
        executor.keep_result(RESULT, run)
    return f"select * from {RESULT}"


@contextlib.contextmanager
def _placed_errors(node: PythonModel) -> Iterator[None]:
    """Turn what the code raises into a ProjectError with the line of the model."""
    try:
        yield
    except GenredbError as error:
        raise (error if error.place.path else error.at(_place(node, error))) from None
    except ModuleNotFoundError as error:
        raise ProjectError(
            f"the model needs the package {error.name}, which is not installed",
            place=_place(node, error),
            cure="install it where genredb is installed",
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a project's code may raise
        said = " ".join(str(error).split())
        name = type(error).__name__
        raise ProjectError(f"{name}: {said}" if said else name, place=_place(node, error)) from None


def _place(node: PythonModel, error: BaseException) -> Place:
    """Return the line of the model that raised an error, or its file."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == node.path
    ]
    return Place(node.path, lines[-1], None, node.template) if lines else Place(node.path)
