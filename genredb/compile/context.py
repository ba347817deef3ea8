"""The objects that templates meet, as dbt names them: adapter, api, exceptions, modules, query results."""

import datetime
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from genredb.compile.nodes import Database, Relation
from genredb.errors import ProjectError
from genredb.project.files import load_yaml
from genredb.project.template_limits import bounded, measured_sub
from genredb.version import DBT_VERSION


class MacroReturnError(Exception):
    """Carries the value of ``return(…)`` out of a macro."""

    def __init__(self, value: Any) -> None:
        super().__init__("return() outside a macro")
        self.value = value


class NeedsDatabaseError(Exception):
    """A template asks a database before there is one; ``what`` says by which name."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Row(tuple[Any, ...]):
    """A row of a query's answer: by position, by name or by attribute."""

    _names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], values: Sequence[Any]) -> "Row":
        """Return the row of these columns."""
        row = cls(values)
        row._names = tuple(names)
        return row

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return super().__getitem__(self._names.index(key))
        return super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._names:
            return self[name]
        raise AttributeError(name)

    def keys(self) -> tuple[str, ...]:
        """Return the columns' names."""
        return self._names

    def values(self) -> tuple[Any, ...]:
        """Return the values."""
        return tuple(self)

    def dict(self) -> dict[str, Any]:
        """Return the row as a mapping."""
        return dict(zip(self._names, self, strict=True))


class Columns:
    """The columns of a query's answer: by position or by name."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self._names = tuple(names)
        self._columns = [
            SimpleNamespace(name=name, values=lambda i=i: tuple(row[i] for row in rows))
            for i, name in enumerate(names)
        ]

    def __getitem__(self, key: Any) -> Any:
        return self._columns[self._names.index(key) if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def keys(self) -> tuple[str, ...]:
        """Return the columns' names."""
        return self._names


class ResultTable:
    """A query's answer, as ``run_query`` gives it: ``columns[0].values()``, ``rows``, ``column_names``."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.column_names = tuple(names)
        self.rows = [Row.of(names, row) for row in rows]
        self.columns = Columns(names, rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def print_table(self, *_args: Any, **_options: Any) -> None:
        """Print nothing: a build's output is not a query's answer."""


class ColumnOf:
    """A column of a relation, as ``adapter.get_columns_in_relation`` gives it."""

    def __init__(self, name: str, dtype: str) -> None:
        self.name = self.column = name
        self.dtype = self.data_type = dtype
        self.quoted = f'"{name}"'

    def is_string(self) -> bool:
        """Whether it holds text."""
        return self.dtype.lower().split("(")[0] in ("varchar", "text", "string", "char")

    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return bool(
            re.match(r"u?(tiny|small|big|huge)?int|integer|double|float|real|decimal", self.dtype.lower())
        )

    def __repr__(self) -> str:
        return f"<Column {self.name} ({self.dtype})>"

    @staticmethod
    def create(name: str, label_or_dtype: str) -> "ColumnOf":
        """Return a column."""
        return ColumnOf(name, ColumnOf.translate_type(label_or_dtype))

    @staticmethod
    def translate_type(dtype: str) -> str:
        """Return DuckDB's name of a type."""
        return "TEXT" if dtype.upper() == "STRING" else dtype


class Adapter:
    """What ``adapter`` can do; each function that asks the database says so by its own name."""

    def __init__(
        self,
        database: Callable[[str], Database | None],
        dispatch: Callable[..., Callable[..., Any]],
        own: str,
    ) -> None:
        self._database = database
        self.dispatch = dispatch
        self._own = own

    def get_relation(self, database: str, schema: str, identifier: str) -> Relation | None:
        """Return the relation if it exists."""
        found = self._database("adapter.get_relation")
        kind = found.relation_type(schema, identifier) if found else None
        return Relation(database or self._own, schema, identifier, kind) if kind else None

    def load_relation(self, relation: Relation) -> Relation | None:
        """Return the relation if it exists."""
        return self.get_relation(str(relation.database), str(relation.schema), relation.identifier)

    def already_exists(self, schema: str, name: str) -> bool:
        """Whether there is such a relation."""
        return self.get_relation(self._own, schema, name) is not None

    def get_columns_in_relation(self, relation: Relation) -> list[ColumnOf]:
        """Return the columns of a relation."""
        found = self._database("adapter.get_columns_in_relation")
        return [ColumnOf(*column) for column in found.columns(str(relation))] if found else []

    def get_missing_columns(self, from_relation: Relation, to_relation: Relation) -> list[ColumnOf]:
        """Return the columns of one relation that another lacks."""
        there = {column.name.lower() for column in self.get_columns_in_relation(to_relation)}
        return [c for c in self.get_columns_in_relation(from_relation) if c.name.lower() not in there]

    def create_schema(self, relation: Relation) -> None:
        """Make the schema of a relation."""
        self._run(f"create schema if not exists {relation.without_identifier()}")

    def drop_relation(self, relation: Relation) -> None:
        """Drop a relation."""
        self._run(f"drop {relation.type or 'table'} if exists {relation}")

    def _run(self, sql: str) -> None:
        found = self._database("adapter")
        if found:
            found.query(sql)

    @staticmethod
    def quote(identifier: str) -> str:
        """Return the identifier in double quotes."""
        return f'"{identifier}"'

    @staticmethod
    def type() -> str:
        """Return the kind of database."""
        return "duckdb"


def raise_compiler_error(message: str, _node: Any = None) -> None:
    """Fail with the template author's own message."""
    raise ProjectError(str(message).rstrip("."))


def _to_json(value: Any, default: Any = None, *, sort_keys: bool = False) -> Any:
    try:
        return json.dumps(value, sort_keys=sort_keys)
    except (TypeError, ValueError):
        return default


def _from_json(text: str, default: Any = None) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return default


def _from_yaml(text: str, default: Any = None) -> Any:
    try:
        return load_yaml(str(text), "fromyaml")
    except ProjectError:
        return default


def _to_yaml(value: Any, default: Any = None, *, sort_keys: bool = False) -> Any:
    import yaml  # noqa: PLC0415

    try:
        return yaml.safe_dump(value, sort_keys=sort_keys)
    except yaml.YAMLError:
        return default


def _return(value: Any) -> None:
    raise MacroReturnError(value)


def _local_md5(text: Any) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.md5(str(text).encode(), usedforsecurity=False).hexdigest()


# What templates may call of Python's modules. A module itself leads to all others, so none is handed out.
_MODULE_NAMES = {
    "datetime": "date datetime time timedelta timezone tzinfo",
    "itertools": "accumulate chain combinations combinations_with_replacement compress count cycle dropwhile"
    " filterfalse groupby islice permutations product repeat starmap takewhile tee zip_longest",
    "pytz": "timezone utc UTC all_timezones common_timezones country_names country_timezones"
    " AmbiguousTimeError InvalidTimeError NonExistentTimeError UnknownTimeZoneError",
    "re": "match fullmatch search sub subn split findall finditer compile escape error Pattern Match"
    " A I L M S X U ASCII IGNORECASE LOCALE MULTILINE DOTALL VERBOSE UNICODE",
}


# Of itertools: what has no end, or none that anybody lives to see.
_ENDLESS = "combinations combinations_with_replacement count cycle permutations product repeat".split()


def modules() -> Mapping[str, Mapping[str, Any]]:
    """Return what ``modules`` offers: functions and types of datetime, re, itertools and pytz, as in dbt."""
    import pytz  # noqa: PLC0415 - half a hundred milliseconds that few templates want

    found = {"datetime": datetime, "itertools": itertools, "pytz": pytz, "re": re}
    offered = {
        module: {name: getattr(found[module], name) for name in names.split()}
        for module, names in _MODULE_NAMES.items()
    }
    offered["re"]["sub"] = measured_sub
    offered["itertools"] |= {name: bounded(offered["itertools"][name]) for name in _ENDLESS}
    return offered


def make_relation(
    database: str | None = None,
    schema: str | None = None,
    identifier: str = "",
    type: str | None = None,  # noqa: A002 - dbt's name
    **_rest: Any,
) -> Relation:
    """Return a relation of these parts, as ``api.Relation.create`` does."""
    return Relation(database, schema, identifier, type)


# The same in every template.
CONSTANT: Mapping[str, Any] = {
    "api": SimpleNamespace(Relation=SimpleNamespace(create=make_relation), Column=ColumnOf),
    "dbt_version": DBT_VERSION,
    "dict": dict,
    "exceptions": SimpleNamespace(
        raise_compiler_error=raise_compiler_error,
        raise_not_implemented=raise_compiler_error,
        warn=lambda _message: "",
    ),
    "fromjson": _from_json,
    "fromyaml": _from_yaml,
    "local_md5": _local_md5,
    "return": _return,
    "set": lambda values, default=None: set(values) if values is not None else default,
    "set_strict": set,
    "tojson": _to_json,
    "toyaml": _to_yaml,
    "zip": lambda *values: list(zip(*values, strict=False)),
    "zip_strict": lambda *values: list(zip(*values, strict=False)),
}
