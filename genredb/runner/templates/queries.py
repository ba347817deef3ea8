"""The template names that run SQL: ``run_query``, ``statement``, ``load_result``."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from genredb.runner.templates.relation import Table
from genredb.runner.templates.rendering import Current


class Row(tuple[Any, ...]):
    """A row of a query result, accessed by position, name or attribute."""

    _names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], values: Sequence[Any]) -> "Row":
        """Return a row with these columns and values."""
        row = cls(values)
        row._names = tuple(names)
        return row

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str) and key not in self._names:
            raise KeyError(key)
        if isinstance(key, str):
            return super().__getitem__(self._names.index(key))
        return super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._names:
            return self[name]
        raise AttributeError(name)

    def keys(self) -> tuple[str, ...]:
        """Return the column names."""
        return self._names

    def values(self) -> tuple[Any, ...]:
        """Return the values."""
        return tuple(self)

    def items(self) -> tuple[tuple[str, Any], ...]:
        """Return the column names with the values."""
        return tuple(zip(self._names, self, strict=True))

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a column, or the default if there is no such column."""
        return self[name] if name in self._names else default

    def dict(self) -> dict[str, Any]:
        """Return the row as a mapping."""
        return dict(self.items())


class Columns:
    """The columns of a query result, accessed by position or name."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self._names = tuple(names)
        self._columns = [
            SimpleNamespace(name=name, values=lambda i=i: tuple(row[i] for row in rows))
            for i, name in enumerate(names)
        ]

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str) and key not in self._names:
            raise KeyError(key)
        return self._columns[self._names.index(key) if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def keys(self) -> tuple[str, ...]:
        """Return the column names."""
        return self._names

    def values(self) -> tuple[Any, ...]:
        """Return the columns."""
        return tuple(self._columns)

    def items(self) -> tuple[tuple[str, Any], ...]:
        """Return the column names with the columns."""
        return tuple(zip(self._names, self._columns, strict=True))

    def get(self, name: str, default: Any = None) -> Any:
        """Return a column, or the default if there is none of that name."""
        return self[name] if name in self._names else default


class ResultTable:
    """A query result, as returned by ``run_query``: ``columns[0].values()``, ``rows``, ``column_names``."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.column_names = tuple(names)
        self.rows = [Row.of(names, row) for row in rows]
        self.columns = Columns(names, rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def print_table(self, *_args: Any, **_options: Any) -> None:
        """Print nothing: query results do not belong in a build's output."""


class Queries:
    """Runs the queries of templates."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def run_query(self, sql: str) -> Table | None:
        """Return a query's result, empty if the statement has none; None if templates are only parsed."""
        database = self._current.rendering.database("run_query")
        return None if database is None else database.query(str(sql)) or ResultTable((), ())

    def statement(
        self, name: str | None = None, *, fetch_result: bool = False, caller: Any = None, **_options: Any
    ) -> str:
        """Run the SQL of a ``{% call %}`` block and keep its result for ``load_result``."""
        rendering = self._current.rendering
        database = rendering.database("statement")
        if database is not None:
            table = database.query(str(caller()))
            if name and fetch_result and table is not None:
                rows = [tuple(row) for row in table.rows]
                rendering.results[name] = {"table": table, "data": rows, "response": "OK"}
        return ""

    def load_result(self, name: str) -> Any:
        """Return the result of the statement with this name, or None."""
        return self._current.rendering.results.get(name)
