"""Compiles the unit tests of a project into nodes of the graph."""

from collections.abc import Mapping

from genredb.errors import FollowUpError, Place, ProjectError
from genredb.runner.graph.check_nodes import yml_place
from genredb.runner.graph.naming import is_enabled
from genredb.runner.graph.nodes import Dataset, Model, PythonModel, UnitTest
from genredb.runner.graph.workbench import Workbench
from genredb.runner.project.specs import Fixture, ModelSpec, SnapshotSpec, UnitTestSpec
from genredb.runner.templates.given import Given
from genredb.runner.templates.relation import Relation


def unit_test_nodes(bench: Workbench, nodes: Mapping[str, Dataset]) -> list[UnitTest]:
    """Return the enabled unit tests; ``nodes`` are their possible models and inputs, by unique id."""
    found: list[UnitTest] = []
    for spec in bench.project.unit_tests:
        if is_enabled(spec.config):
            with bench.problems.gathered():
                found += _unit_test(bench, spec, nodes)
    return found


def _unit_test(bench: Workbench, spec: UnitTestSpec, nodes: Mapping[str, Dataset]) -> list[UnitTest]:
    place = yml_place(bench.project, spec)
    models = (nodes.get(tested.unique_id) for tested in _tested(bench, spec, place))
    # A model that is not there is disabled, or its fault is reported already.
    return [_of_model(bench, spec, model, nodes) for model in models if isinstance(model, Model)]


def _tested(bench: Workbench, spec: UnitTestSpec, place: Place) -> list[ModelSpec]:
    """Return the model that a unit test tests, or the versions of it."""
    known = [model for model in bench.project.models.values() if model.package == spec.package]
    found = [model for model in known if model.name == spec.model and not isinstance(model, SnapshotSpec)]
    if not found:
        what, choices = (
            f"the unit test {spec.name} tests no model '{spec.model}'",
            [one.name for one in known],
        )
        raise FollowUpError(what, place=place, name=spec.model, choices=choices)
    stated = spec.versions.get("exclude") or spec.versions.get("include")
    if not stated:
        return found
    numbers = [str(model.version.number) for model in found if model.version]
    if not numbers:
        raise ProjectError(f"{spec.model}, which {spec.name} tests, has no versions", place=place)
    for number in (number for number in stated if number not in numbers):
        what = f"the unit test {spec.name} names a version that {spec.model} does not have"
        raise ProjectError(what, place=place, name=number, choices=numbers)
    is_excluding = bool(spec.versions.get("exclude"))
    chosen = [one for one in found if one.version and (str(one.version.number) in stated) != is_excluding]
    if not chosen:
        raise ProjectError(f"the unit test {spec.name} leaves out all versions of {spec.model}", place=place)
    return chosen


def _of_model(bench: Workbench, spec: UnitTestSpec, model: Model, nodes: Mapping[str, Dataset]) -> UnitTest:
    place = yml_place(bench.project, spec)
    if isinstance(model, PythonModel):
        raise ProjectError(f"the unit test {spec.name} tests a Python model, which has no SQL", place=place)
    given = _given(bench, spec, model, place)
    missing = [
        nodes[parent].name
        for parent in model.depends_on
        if parent not in given and parent in nodes and not nodes[parent].relation.is_cte
    ]
    if missing:
        raise FollowUpError(f"{spec.name} gives no rows for {', '.join(missing)}", place=place)
    version = bench.project.models[model.unique_id].version
    tag = f"_{version.tag}" if version else ""
    return UnitTest(
        unique_id=f"{UnitTest.resource_type}.{spec.package}.{spec.model}.{spec.name}{tag}",
        name=spec.name,
        path=spec.path,
        sql=model.sql,
        template=model.template,
        depends_on=model.depends_on,
        config=spec.config,
        fqn=(*model.fqn[:-1], spec.model, spec.name),
        description=spec.description or f"unit test {spec.name} of {spec.model}",
        model=model.unique_id,
        given=given,
        expect=spec.expect,
        overrides=spec.overrides,
        keys=spec.keys,
    )


def _given(
    bench: Workbench, spec: UnitTestSpec, model: Model, place: Place
) -> dict[str, tuple[Relation, Fixture]]:
    """Return the relation and rows of each input that a unit test gives, by unique id."""
    found: dict[str, tuple[Relation, Fixture]] = {}
    for expression, fixture in spec.given.items():
        key, relation = model.unique_id, model.relation
        if expression != "this":
            evaluated = bench.templates.evaluate(expression, Given(str(place), spec.package, this=relation))
            relation, key = evaluated.value, (evaluated.references or ("",))[-1]
        if key != model.unique_id and key not in model.depends_on:
            what = f"{spec.model} does not read {expression}, which {spec.name} gives"
            raise FollowUpError(what, place=place)
        found[key] = (relation, fixture)
    return found
