"""Compiles the contract of a model (``contract: {enforced: true}``) from what its files state."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from genredb.errors import Notice, Place, ProjectError
from genredb.runner.graph.contract import Contract
from genredb.runner.graph.workbench import Workbench
from genredb.runner.project.files import key_line, read_text
from genredb.runner.project.specs import ModelSpec
from genredb.runner.project.stated_values import is_on
from genredb.runner.project.types import sql_type
from genredb.runner.templates.given import Given
from genredb.runner.templates.relation import Relation
from genredb.warehouse.declared import Column

ON_SCHEMA_CHANGE = ("append_new_columns", "fail")
_TABLES = ("table", "incremental")


def contract_of(bench: Workbench, spec: ModelSpec, config: Mapping[str, Any]) -> Contract | None:
    """Return the contract of a model, or None; ProjectError if it is stated wrongly."""
    stated = config.get("contract") or {}
    for key in ("enforced", "alias_types"):
        if not isinstance(stated.get(key, False), bool):
            raise ProjectError(f"`contract: {key}:` should be true or false", place=spec.path)
    is_enforced = is_on(stated.get("enforced", False))
    if idle := _idle(spec, config["materialized"], is_enforced=is_enforced):
        bench.templates.notices[Notice(idle, _place(bench, spec))] = None
    if not is_enforced or config["materialized"] == "ephemeral":
        return None
    place = _place(bench, spec)  # reads the whole file
    _refuse_what_cannot_have_one(spec, config, place)
    compiler = _ContractCompiler(bench, spec, place)
    is_table = config["materialized"] in _TABLES
    definitions = tuple(compiler.definitions() if is_table else ())  # a view can have no constraints
    columns = {name_in_sql(column): column.data_type for column in spec.columns}
    return Contract(columns, definitions, tuple(dict.fromkeys(compiler.references)), place)


def _idle(spec: ModelSpec, materialized: str, *, is_enforced: bool) -> str:
    """Return what a model states of its columns without effect, in words; empty if there is nothing."""
    if is_enforced and materialized == "ephemeral":
        return f"the contract of {spec.name} has no effect, as the model is ephemeral"
    if not spec.constraints and not any(column.constraints for column in spec.columns):
        return ""
    if not is_enforced:
        return f"the constraints of {spec.name} have no effect without `contract: {{enforced: true}}`"
    if materialized == "view":
        return f"the constraints of {spec.name} have no effect, as the model is a view"
    return ""


def name_in_sql(column: Column) -> str:
    """Return a column's name as SQL writes it: quoted only if its file says so, as in dbt."""
    return '"' + column.name.replace('"', '""') + '"' if column.is_quoted else column.name


def _place(bench: Workbench, spec: ModelSpec) -> Place:
    """Return where the columns of a model are stated."""
    column = next(iter(spec.columns), None)
    if column is None:
        return Place(spec.path)
    text = read_text(bench.project.config.root / column.path)
    return Place(column.path, key_line(text, column.keys[:2]))


def _refuse_what_cannot_have_one(spec: ModelSpec, config: Mapping[str, Any], place: Place) -> None:
    if spec.python is not None:
        raise ProjectError(f"the Python model {spec.name} cannot have a contract", place=place)
    if not spec.columns:
        cure = "describe its columns in a yml file, each with its `data_type:`"
        raise ProjectError(f"the contract of {spec.name} states no columns", place=place, cure=cure)
    untyped = [column.name for column in spec.columns if not column.data_type.strip()]
    if untyped:
        what = f"the contract of {spec.name} needs the `data_type:` of {', '.join(untyped)}"
        raise ProjectError(what, place=place)
    for column in spec.columns:
        sql_type(column.data_type, f"`data_type:` of {column.name}", column.path)
    change = str(config.get("on_schema_change") or "ignore")
    if config["materialized"] == "incremental" and change not in ON_SCHEMA_CHANGE:
        raise ProjectError(
            f"an incremental model with a contract cannot have `on_schema_change: {change}`",
            place=spec.path,
            name=change,
            choices=ON_SCHEMA_CHANGE,
        )


class _ContractCompiler:
    """Renders the columns and constraints of one model's table; ``references`` collects unique ids."""

    def __init__(self, bench: Workbench, spec: ModelSpec, place: Place) -> None:
        self._bench = bench
        self._spec = spec
        self._place = place
        self.references: list[str] = []

    def definitions(self) -> Iterator[str]:
        """Yield the definitions of the table, as dbt-duckdb renders them."""
        self._refuse_two_keys()
        for column in self._spec.columns:
            parts = filter(None, map(self._of_column, column.constraints))
            yield " ".join((name_in_sql(column), column.data_type, *parts))
        for constraint in self._spec.constraints:
            if rendered := self._of_table(constraint):
                named = f"constraint {constraint['name']} " if constraint.get("name") else ""
                yield f"{named}{rendered}"

    def _of_column(self, constraint: Mapping[str, Any]) -> str:
        kind, expression = constraint["type"], constraint.get("expression") or ""
        if kind == "check":
            return f"check ({expression})" if expression else ""
        if kind == "foreign_key":
            return self._referenced(constraint)
        if kind == "custom":
            return expression
        return f"{kind.replace('_', ' ')} {expression}".strip()

    def _of_table(self, constraint: Mapping[str, Any]) -> str:
        kind, expression = constraint["type"], constraint.get("expression") or ""
        columns = ", ".join(constraint.get("columns") or ())
        if kind == "check":
            return f"check ({expression})" if expression else ""
        if kind == "foreign_key":
            referenced = self._referenced(constraint)
            return f"foreign key ({columns}) {referenced}" if referenced else ""
        if kind == "custom":
            return expression
        if kind == "not_null":  # only a column can have it
            return ""
        return f"{kind.replace('_', ' ')} {expression} ({columns})".replace("  ", " ")

    def _referenced(self, constraint: Mapping[str, Any]) -> str:
        """Return the part of a foreign key that says what it refers to."""
        to, columns = constraint.get("to"), constraint.get("to_columns") or ()
        if not (to and columns):
            expression = constraint.get("expression")
            return f"references {expression}" if expression else ""
        evaluated = self._bench.templates.evaluate(to.strip(), Given(str(self._place), self._spec.package))
        if not isinstance(evaluated.value, Relation):
            what = f"`to:` of a foreign key of {self._spec.name} should be ref(…) or source(…), not {to}"
            raise ProjectError(what, place=self._place)
        self.references += evaluated.references
        # DuckDB allows no database in it.
        return f"references {evaluated.value.include(database=False)} ({', '.join(columns)})"

    def _refuse_two_keys(self) -> None:
        keyed = [column.name for column in self._spec.columns if _has_key(column.constraints)]
        if len(keyed) > 1 or (keyed and _has_key(self._spec.constraints)):
            what = f"{self._spec.name} has several primary keys"
            cure = "state one of several columns in the `constraints:` of the model"
            raise ProjectError(what, place=self._place, cure=cure)


def _has_key(constraints: Iterable[Mapping[str, Any]]) -> bool:
    return any(constraint["type"] == "primary_key" for constraint in constraints)
