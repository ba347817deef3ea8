"""Compiles the unit tests of a project into nodes of the graph."""

from collections.abc import Mapping

from genredb.errors import FollowUpError, Place, ProjectError
from genredb.runner.graph.check_nodes import yml_place
from genredb.runner.graph.naming import is_enabled
from genredb.runner.graph.nodes import Dataset, Model, PythonModel, UnitTest
from genredb.runner.graph.workbench import Workbench
from genredb.runner.project.specs import Fixture, UnitTestSpec
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
    names, project = bench.names, bench.project
    place = yml_place(project, spec)
    unique_id = f"{Model.resource_type}.{spec.package}.{spec.model}"
    if unique_id in project.models and unique_id not in names.relations:
        return []  # the model is disabled, or its fault is reported already
    if unique_id not in project.models:
        raise FollowUpError(
            f"the unit test {spec.name} tests no model '{spec.model}'",
            place=place,
            name=spec.model,
            choices=[model.name for model in project.models.values() if model.package == spec.package],
        )
    model = nodes.get(unique_id)
    if not isinstance(model, Model):  # its own fault is reported already
        return []
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
    test = UnitTest(
        unique_id=f"{UnitTest.resource_type}.{spec.package}.{spec.model}.{spec.name}",
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
    return [test]


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
