"""Compiles the checks of a project into nodes of the graph."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from genredb.errors import FollowUpError, Place, ProjectError
from genredb.runner.graph.ephemeral import with_ephemerals
from genredb.runner.graph.generic_checks import SUBQUERY, check_name, check_sql, shortened
from genredb.runner.graph.identity import digest
from genredb.runner.graph.naming import is_enabled
from genredb.runner.graph.nodes import Check, Model, is_blank
from genredb.runner.graph.workbench import Workbench
from genredb.runner.project.discover import Project
from genredb.runner.project.files import read_text, yaml_line
from genredb.runner.project.merge import merged
from genredb.runner.project.specs import CheckSpec, UnitTestSpec
from genredb.runner.project.stated_values import check_values
from genredb.runner.templates.given import Given, Rendered
from genredb.runner.templates.located import DisabledReferenceError

Value = TypeVar("Value")
SEVERITIES = ("error", "warn")
STORE_SCHEMA = "dbt_test__audit"
_EXPRESSION = re.compile(r"\s*(env_var|ref|var|source|doc)\s*\(.+\)\s*", re.DOTALL)


def check_nodes(bench: Workbench, ephemerals: Mapping[str, Model]) -> list[Check]:
    """Return the enabled checks, except those of missing nodes and those that refer to disabled ones."""
    names = bench.names
    project = bench.project
    specs = [project.models.get(i) or project.seeds[i] for i in names.relations]
    described = {(spec.package, spec.reference) for spec in specs} | {
        (spec.package, f"source('{spec.source_name}', '{spec.name}')") for spec in project.sources.values()
    }
    compiler = _CheckCompiler(bench, ephemerals)
    found: list[Check] = []
    for spec in bench.project.checks:
        # Properties of a node without a file are reported there.
        is_described = not spec.attached_to or (spec.package, spec.attached_to) in described
        if not is_described or not is_enabled(merged(spec.config, spec.overrides)):
            continue
        with bench.problems.gathered(), contextlib.suppress(DisabledReferenceError):
            found += [check for check in (compiler.check(spec),) if is_enabled(check.config)]
    return list(_told_apart(found))


def _told_apart(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield the checks; those of one name but with other arguments get a digest of these in their ids."""
    first: dict[str, Check] = {}
    for check in checks:
        other = first.setdefault(check.unique_id, check)
        if check.arguments == other.arguments:
            yield check
            continue
        own = digest(repr(sorted(check.arguments.items(), key=str)))[:10]
        relation = check.relation.incorporate(identifier=f"{check.relation.identifier[:50]}_{own}")
        yield replace(check, unique_id=f"{check.unique_id}.{own}", relation=relation)


def yml_place(project: Project, spec: CheckSpec | UnitTestSpec) -> Place:
    """Return the file of a check, with the line if it is a yml file."""
    line = yaml_line(read_text(project.config.root / spec.path), spec.keys) if spec.keys else None
    return Place(spec.path, line)


class _CheckCompiler:
    """Compiles the checks of one project."""

    def __init__(self, bench: Workbench, ephemerals: Mapping[str, Model]) -> None:
        self._bench = bench
        self._templates = bench.templates
        self._ephemerals = ephemerals

    def check(self, spec: CheckSpec) -> Check:
        """Return the node of a check; ProjectError with its place if it is invalid."""
        try:
            return self._singular(spec) if spec.kind == "singular" else self._generic(spec)
        except ProjectError as error:
            if error.place.path in ("", spec.path) and error.place.line is None:  # the yml file has the line
                raise error.at(yml_place(self._bench.project, spec)) from None
            raise

    def _singular(self, spec: CheckSpec) -> Check:
        given = Given(spec.path, spec.package, config=spec.config, kind="check")
        rendered = self._templates.render(spec.text, given)
        node = self._node(spec, (spec.name, shortened(spec.name)), rendered)
        return replace(node, template=spec.text, dynamic=rendered.asks)

    def _generic(self, spec: CheckSpec) -> Check:
        given = Given(spec.path, spec.package, config=spec.config, kind="check")
        target = self._answered(spec, self._templates.evaluate(spec.attached_to, given))
        relation, references = target.value, list(target.references)
        if where := merged(spec.config, spec.overrides).get("where"):
            condition = self._answered(
                spec, self._templates.render(str(where), replace(given, path=f"{spec.path} (where)"))
            )
            relation = f"(select * from {relation} where {condition.value}) {SUBQUERY}"
            references += condition.references
        arguments: dict[str, Any] = {}
        for name, value in spec.arguments.items():
            arguments[name], used = self._argument(value, spec, given)
            references += used
        template, extra, rendered = self._check_sql(spec, relation, arguments, given)
        attached_to = references[0]
        references += rendered.references
        rendered = replace(rendered, references=tuple(dict.fromkeys(references)))
        node = self._node(spec, check_name(spec, "_".join(attached_to.split(".")[2:])), rendered)
        arguments = {"column_name": spec.column, **spec.arguments} if spec.column else dict(spec.arguments)
        return replace(
            node,
            attached_to=attached_to,
            check_kind=spec.kind,
            column=spec.column or "",
            arguments=arguments,
            template=template if rendered.asks else "",
            dynamic=rendered.asks,
            extra=extra if rendered.asks else {},
        )

    def _check_sql(
        self, spec: CheckSpec, relation: Any, arguments: Mapping[str, Any], given: Given
    ) -> tuple[str, Mapping[str, Any], Rendered[str]]:
        """Return the query of a generic check: the project's own macro, or a built-in one.

        With it come the template that calls the macro and what it calls it with, to render it once more.
        """
        macros = self._bench.renderer.macros
        macro = macros.test(spec.package, spec.kind)
        if macro is None:
            self._refuse_missing_package(spec)
            sql = check_sql(spec, str(relation), arguments, macros.tests(spec.package))
            return "", {}, Rendered(sql, config=spec.config)
        named = {"model": relation, **({"column_name": spec.column} if spec.column else {}), **arguments}
        template = f"{{{{ {macro}({', '.join(f'{name}={name}' for name in named)}) }}}}"
        macro_given = replace(given, path=f"{spec.path} ({spec.kind})", extra=named)
        return template, named, self._templates.render(template, macro_given)

    def _refuse_missing_package(self, spec: CheckSpec) -> None:
        """Raise ProjectError if a generic check is of a package that is not installed."""
        package = spec.kind.rpartition(".")[0]
        if package in self._bench.project.config.missing:
            what = f"the check '{spec.kind}' is of a package that is not installed"
            raise ProjectError(what, cure="run `genredb deps`")

    @staticmethod
    def _answered(spec: CheckSpec, rendered: Rendered[Value]) -> Rendered[Value]:
        """Return a rendered argument of a generic check; ProjectError if it queries the database."""
        if rendered.asks:
            raise ProjectError(
                f"an argument of the check '{spec.kind}' calls {rendered.asks}: only the check's macro may"
            )
        return rendered

    def _node(self, spec: CheckSpec, names: tuple[str, str], rendered: Rendered[str]) -> Check:
        name, short = names
        config = merged(rendered.config, spec.overrides)
        if not rendered.asks and is_blank(rendered.sql):
            raise FollowUpError(f"the check {name} has no SQL")
        known = self._bench.names
        sql = with_ephemerals(rendered.sql, rendered.references, self._ephemerals)
        alias = str(config.get("alias") or short)
        custom = str(config.get("schema") or STORE_SCHEMA)
        described = {"name": name, "resource_type": "test", "config": config}
        described |= {"package_name": spec.package, "fqn": list(spec.fqn)}
        schema = known.schema_of(self._templates, custom, spec.path, described)
        check = Check(
            unique_id=f"{Check.resource_type}.{spec.package}.{name}",
            name=name,
            path=spec.path,
            sql=sql,
            relation=known.relation(schema, alias),
            depends_on=rendered.references,
            config=config,
            fqn=(*spec.fqn, name) if spec.fqn[-1:] != (name,) else spec.fqn,
            description=spec.description or _describe(spec),
            keys=spec.keys,
        )
        check_values(config, spec.path)
        if check.severity not in SEVERITIES:
            raise ProjectError(
                f"the check {name} cannot have the severity '{check.severity}'",
                name=check.severity,
                choices=SEVERITIES,
            )
        return check

    def _argument(self, value: Any, spec: CheckSpec, given: Given) -> tuple[Any, tuple[str, ...]]:
        """Return an argument's value and references: calls are evaluated, jinja is rendered."""
        if isinstance(value, list):
            items = [self._argument(item, spec, given) for item in value]
            return [item for item, _ in items], tuple(found for _, used in items for found in used)
        if not isinstance(value, str):
            return value, ()
        inside = value.strip()
        rendered: Rendered[Any]
        if _EXPRESSION.fullmatch(value):
            rendered = self._templates.evaluate(inside, given)
        elif inside.startswith("{{") and inside.endswith("}}") and inside.count("{{") == 1:
            rendered = self._templates.evaluate(inside[2:-2].strip(), given)
        elif "{{" in value:
            rendered = self._templates.render(value, replace(given, path=f"{given.path} (argument)"))
        else:
            return value, ()
        return self._answered(spec, rendered).value, rendered.references


def _describe(spec: CheckSpec) -> str:
    """Return a readable description of a check: ``unique of songs.song_key``."""
    if spec.kind == "singular":
        return spec.name
    target = re.sub(r"^\w+\(|[')]", "", spec.attached_to).replace(", ", ".").replace(".v=", ".v")
    return f"{spec.kind} of {target}.{spec.column}" if spec.column else f"{spec.kind} of {target}"
