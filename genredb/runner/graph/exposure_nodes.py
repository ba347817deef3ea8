"""Compiles the exposures of a project into nodes of the graph."""

from collections.abc import Iterator

from genredb.errors import Notice, Place, ProjectError
from genredb.runner.graph.naming import is_enabled
from genredb.runner.graph.nodes import Exposure
from genredb.runner.graph.workbench import Workbench
from genredb.runner.project.files import key_line, read_text
from genredb.runner.project.specs import ExposureSpec
from genredb.runner.templates.given import Given


def exposure_nodes(bench: Workbench) -> list[Exposure]:
    """Return the enabled exposures."""
    found: list[Exposure] = []
    for spec in bench.project.exposures:
        if is_enabled(spec.config):
            with bench.problems.gathered():
                found.append(_exposure(bench, spec))
    return found


def _exposure(bench: Workbench, spec: ExposureSpec) -> Exposure:
    line = key_line(read_text(bench.project.config.root / spec.path), spec.keys)
    try:
        depends_on = tuple(dict.fromkeys(_references(bench, spec, Place(spec.path, line))))
    except ProjectError as error:
        raise error.at(Place(spec.path, line)) from None
    return Exposure(
        unique_id=f"{Exposure.resource_type}.{spec.package}.{spec.name}",
        name=spec.name,
        path=spec.path,
        fqn=spec.fqn,
        config=spec.config,
        description=spec.description,
        depends_on=depends_on,
        keys=spec.keys,
        facts=spec.facts,
    )


def _references(bench: Workbench, spec: ExposureSpec, place: Place) -> Iterator[str]:
    """Yield the unique ids of what an exposure uses."""
    for expression in spec.depends_on:
        if expression.strip().startswith("metric("):
            what = f"genredb ignores {expression.strip()}, which the exposure {spec.name} uses"
            bench.templates.notices[Notice(what, place)] = None
            continue
        found = bench.templates.evaluate(expression.strip(), Given(spec.path, spec.package)).references
        if not found:
            what = (
                f"`depends_on:` of the exposure {spec.name} should hold ref(…) or source(…), not {expression}"
            )
            raise ProjectError(what)
        yield from found
