"""Compiles Python models into nodes of the graph; their code is not run."""

from collections.abc import Iterable
from dataclasses import replace

from genredb.errors import Place, ProjectError
from genredb.runner.graph.hooks import rendered_hooks
from genredb.runner.graph.nodes import PythonModel
from genredb.runner.graph.stated_contracts import contract_of
from genredb.runner.graph.workbench import Workbench
from genredb.runner.project.python_code import PythonCode, Reading
from genredb.runner.project.specs import ModelSpec
from genredb.runner.templates.located import TemplateError

MATERIALIZED = ("table", "incremental")


def python_model(bench: Workbench, spec: ModelSpec, code: PythonCode) -> PythonModel:
    """Return the node of a Python model; ProjectError if it reads or is what it cannot."""
    readings = dict(_resolved(bench, spec, code.readings))
    model = PythonModel(template=spec.text, dynamic="Python", readings=readings, **bench.facts(spec))
    if model.materialized not in MATERIALIZED:
        raise ProjectError(
            f"a Python model cannot be of the materialization '{model.materialized}'",
            place=spec.path,
            name=model.materialized,
            choices=MATERIALIZED,
        )
    contract_of(bench, spec, model.config)  # raises an error if it states one
    hooks = rendered_hooks(bench, model)
    references = [found for hook in hooks for found in hook.references if found != model.unique_id]
    depends_on = tuple(dict.fromkeys([*model.readings.values(), *references]))
    return replace(model, depends_on=depends_on, hooks=tuple(hook.sql for hook in hooks))


def _resolved(
    bench: Workbench, spec: ModelSpec, readings: Iterable[Reading]
) -> Iterable[tuple[tuple[str, ...], str]]:
    """Yield each call of ``ref`` and ``source`` with the unique id of what it reads."""
    names = bench.names
    for reading in readings:
        resolve, counts = (
            (names.resolve_ref, (1, 2)) if reading.function == "ref" else (names.resolve_source, (2,))
        )
        place = Place(spec.path, reading.line, None, spec.text)
        if len(reading.names) not in counts:
            raise ProjectError(f"dbt.{reading.function}() takes other names", place=place)
        try:
            unique_id, relation = resolve(spec.package, *reading.names)
        except TemplateError as error:
            raise error.at(place) from None
        if relation.is_cte:
            what = f"a Python model cannot read the ephemeral model {reading.names[-1]}"
            raise ProjectError(what, place=place)
        yield (reading.function, *reading.names), unique_id
