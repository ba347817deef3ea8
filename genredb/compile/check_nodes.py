"""Compiles the checks and unit tests of a project into nodes of the graph."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from genredb.compile.checks import check_name, check_sql, shortened
from genredb.compile.locate import LocatedError
from genredb.compile.naming import is_enabled
from genredb.compile.nodes import Node, NodeKind, UnitTest, is_blank
from genredb.compile.scope import Scope
from genredb.errors import Problems, ProjectError, did_you_mean
from genredb.project.files import read_text, yaml_line
from genredb.project.nodes import CheckSpec, UnitTestSpec
from genredb.project.stated_values import odd_value

if TYPE_CHECKING:
    from genredb.compile.compiler import Compiler

SEVERITIES = ("error", "warn")
STORE_SCHEMA = "dbt_test__audit"
_EXPRESSION = re.compile(r"\s*(env_var|ref|var|source|doc)\s*\(.+\)\s*", re.DOTALL)


class CheckCompiler:
    """Compiles the checks of one project; ``nodes`` are what they may be attached to, by unique id."""

    def __init__(self, compiler: "Compiler", nodes: Mapping[str, Node], problems: Problems) -> None:
        self._compiler = compiler
        self._project = compiler.project
        self._renderer = compiler.renderer
        self._nodes = nodes
        self._problems = problems

    def nodes(self) -> list[Node]:
        """Return the checks and unit tests that are switched on, those of missing nodes left out."""
        names = self._compiler.names
        missing = {f"ref('{name}')" for name in (*self._project.models, *self._project.seeds)}
        missing -= {f"ref('{name}')" for name in names.relations}
        described = {f"ref('{name}')" for name in names.relations} | {
            f"source('{source}', '{name}')" for source, name in names.sources
        }
        found: list[Node] = []
        for spec in self._project.checks:
            # What a properties file says of a node that has no file is noticed there.
            if (spec.attached_to and spec.attached_to not in described) or not is_enabled(spec.config):
                continue
            with self._problems.gathered():
                found += [node for node in (self._check(spec),) if is_enabled(node.config)]
        for unit_test in self._project.unit_tests:
            if is_enabled(unit_test.config):
                with self._problems.gathered():
                    found.append(self._unit_test(unit_test))
        return found

    def place(self, spec: CheckSpec | UnitTestSpec) -> str:
        """Return ``file:line`` of a check that stands in a yml file."""
        if not spec.keys:
            return spec.path
        line = yaml_line(read_text(self._project.config.root / spec.path), spec.keys)
        return f"{spec.path}:{line}" if line else spec.path

    def _check(self, spec: CheckSpec) -> Node:
        try:
            return self._singular(spec) if spec.kind == "singular" else self._generic(spec)
        except LocatedError as error:
            if str(error).startswith(f"{spec.path}: "):  # without a line, which only yml can tell
                raise ProjectError(str(error).replace(spec.path, self.place(spec), 1)) from None
            raise
        except ProjectError as error:
            raise ProjectError(f"{self.place(spec)}: {error}") from None

    def _singular(self, spec: CheckSpec) -> Node:
        scope = Scope(spec.path, config=dict(spec.config), kind="check")
        sql, dynamic = self._compiler.render(spec.text, scope)
        node = self._node(spec, (spec.name, shortened(spec.name)), sql, scope)
        return replace(node, template=spec.text, dynamic=dynamic)

    def _generic(self, spec: CheckSpec) -> Node:
        scope = Scope(spec.path, config=dict(spec.config), kind="check")
        relation = self._renderer.evaluate(spec.attached_to, scope)
        where = spec.config.get("where")
        if where:
            condition = self._renderer.render(str(where), replace(scope, path=f"{spec.path} (where)"))
            relation = f"(select * from {relation} where {condition}) dbt_subquery"
        arguments = {name: self._argument(value, scope) for name, value in spec.arguments.items()}
        macro = self._renderer.test_macro(spec.kind)
        dynamic = ""
        if macro is None:
            sql = check_sql(spec, str(relation), arguments, self._renderer.known_tests())
        else:
            named = {"model": relation, **({"column_name": spec.column} if spec.column else {}), **arguments}
            template = f"{{{{ {macro}({', '.join(f'{name}={name}' for name in named)}) }}}}"
            macro_scope = replace(scope, path=f"{spec.path} ({spec.kind})", extra=named)
            sql, dynamic = self._compiler.render(template, macro_scope)
            if dynamic:
                raise ProjectError(f"the check '{spec.kind}' calls {dynamic}, which a generic check may not.")
        target = "_".join(scope.references[0].split(".")[2:])
        node = self._node(spec, check_name(spec, target), sql, scope)
        arguments = {"column_name": spec.column, **spec.arguments} if spec.column else dict(spec.arguments)
        return replace(
            node,
            attached_to=scope.references[0],
            check_kind=spec.kind,
            column=spec.column or "",
            arguments=arguments,
        )

    def _node(self, spec: CheckSpec, names: tuple[str, str], sql: str, scope: Scope) -> Node:
        name, short = names
        if is_blank(sql):
            raise ProjectError(f"the check {name} has no SQL.")
        known = self._compiler.names
        sql = self._compiler.with_ephemerals(sql.rstrip().rstrip(";").rstrip(), scope.references)
        alias = str(scope.config.get("alias") or short)
        custom = str(scope.config.get("schema") or STORE_SCHEMA)
        described = {"name": name, "resource_type": "test", "fqn": list(spec.fqn), "config": scope.config}
        schema = known.schema_of(self._renderer, custom, spec.path, described)
        node = Node(
            known.unique_id(NodeKind.CHECK, name),
            NodeKind.CHECK,
            name,
            spec.path,
            sql=sql,
            relation=known.relation(schema, alias),
            materialized="check",
            depends_on=tuple(dict.fromkeys(scope.references)),
            config=scope.config,
            fqn=(*spec.fqn, name) if spec.fqn[-1:] != (name,) else spec.fqn,
            description=spec.description or _describe(spec),
            check_kind="singular",
            keys=spec.keys,
        )
        if fault := odd_value(scope.config):
            raise ProjectError(fault)
        if node.severity not in SEVERITIES:
            raise ProjectError(f"severity is error or warn, not '{node.severity}' (check {name}).")
        return node

    def _argument(self, value: Any, scope: Scope) -> Any:
        """Return an argument's value: ``ref('songs')`` and other calls are evaluated, jinja is rendered."""
        if isinstance(value, list):
            return [self._argument(item, scope) for item in value]
        if not isinstance(value, str):
            return value
        if _EXPRESSION.fullmatch(value):
            return self._renderer.evaluate(value.strip(), scope)
        if "{{" in value:
            inside = value.strip()
            if inside.startswith("{{") and inside.endswith("}}") and inside.count("{{") == 1:
                return self._renderer.evaluate(inside[2:-2].strip(), scope)
            return self._renderer.render(value, replace(scope, path=f"{scope.path} (argument)"))
        return value

    def _unit_test(self, spec: UnitTestSpec) -> Node:
        names = self._compiler.names
        if spec.model not in names.relations or spec.model not in self._project.models:
            hint = did_you_mean(spec.model, self._project.models)
            raise ProjectError(
                f"{self.place(spec)}: the unit test {spec.name} tests no model '{spec.model}'.{hint}"
            )
        unique_id, relation = names.relations[spec.model]
        model = self._nodes[unique_id]
        scope = Scope(self.place(spec), this=relation)
        given: dict[str, Any] = {}
        for expression, fixture in spec.given.items():
            key, replaced = unique_id, relation
            if expression != "this":
                scope.references.clear()
                replaced = self._renderer.evaluate(expression, scope)
                key = scope.references[-1] if scope.references else ""
            if key != unique_id and key not in model.depends_on:
                raise ProjectError(
                    f"{scope.path}: {spec.model} does not read {expression}, which {spec.name} gives."
                )
            given[key] = (replaced, fixture)
        missing = [
            self._nodes[parent].name
            for parent in model.depends_on
            if parent not in given and self._nodes[parent].materialized != "ephemeral"
        ]
        if missing:
            raise ProjectError(f"{scope.path}: {spec.name} gives no rows for {', '.join(missing)}.")
        return Node(
            f"{NodeKind.UNIT_TEST.value}.{self._project.config.name}.{spec.model}.{spec.name}",
            NodeKind.UNIT_TEST,
            spec.name,
            spec.path,
            sql=model.sql,
            template=model.template,
            materialized="unit_test",
            depends_on=model.depends_on,
            config=spec.config,
            fqn=(*model.fqn[:-1], spec.model, spec.name),
            description=spec.description or f"unit test {spec.name} of {spec.model}",
            attached_to=unique_id,
            unit_test=UnitTest(unique_id, given, spec.expect, spec.overrides),
            keys=spec.keys,
        )


def _describe(spec: CheckSpec) -> str:
    """Say what a check checks, for people: ``unique of songs.song_key``."""
    if spec.kind == "singular":
        return spec.name
    target = re.sub(r"^\w+\(|[')]", "", spec.attached_to).replace(", ", ".")
    return f"{spec.kind} of {target}.{spec.column}" if spec.column else f"{spec.kind} of {target}"
