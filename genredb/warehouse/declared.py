"""The raw tables that a project declares: their files, columns, types and ranges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

# What Hive, Spark and DuckDB write into a folder's name for NULL.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

ROLES = ("id", "label", "group", "weight", "feature")


@dataclass(frozen=True)
class ValueRange:
    """The closed interval of permitted values of a source column; None leaves an end open."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Column:
    """A column as described in a properties file; ``meta`` is its ``config: meta:``.

    ``path`` is that file, ``keys`` the path to the column within it. ``constraints`` are as the file states
    them; if it ``is_quoted``, its name is quoted in SQL.
    """

    name: str
    description: str = ""
    data_type: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    keys: tuple[str | int, ...] = ()
    is_quoted: bool = False
    constraints: tuple[Mapping[str, Any], ...] = ()

    @property
    def header(self) -> str:
        """The name of this column in a raw file's header."""
        return str(self.meta.get("header", self.name))

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header that names this column: its own name, its header and the aliases."""
        return (self.header, self.name, *(str(alias) for alias in self.meta.get("aliases", ())))

    def is_named(self, name: str) -> bool:
        """Return True if the name, in any case, is one of ``headers``."""
        return name.strip().casefold() in (header.strip().casefold() for header in self.headers)

    @property
    def is_required(self) -> bool:
        """True if raw rows without this value are quarantined."""
        return bool(self.meta.get("required", False))

    @property
    def is_optional(self) -> bool:
        """True if a raw file may lack this column."""
        return bool(self.meta.get("optional", False))

    @property
    def filled_with(self) -> str | None:
        """What fills this column instead of a field of the file: ``file_stem`` or ``record_number``."""
        filler = self.meta.get("filled_with")
        return str(filler) if filler is not None else None

    @property
    def range(self) -> ValueRange:
        """The interval of permitted numbers."""
        return ValueRange(self.meta.get("min"), self.meta.get("max"))

    @property
    def role(self) -> str | None:
        """One of :data:`ROLES` in a feature view; elsewhere None or the project's own value."""
        role = self.meta.get("role")
        return str(role) if role is not None else None


@dataclass(frozen=True)
class RawPattern:
    """Which files of the raw folder a source is loaded from, and how they are read.

    ``text`` is a file name or, if ``is_pattern``, a pattern that any number of files may match
    (``playlist*.csv``, ``songs/year=*/*.parquet``). If ``is_optional``, there may be no file. ``delimiter``
    separates the columns of the files; their integers may contain ``thousands_separator``.
    """

    text: str
    is_pattern: bool = False
    is_optional: bool = False
    thousands_separator: str = ""
    delimiter: str = ","


@dataclass(frozen=True)
class SourceSpec:
    """A raw table. ``files`` says which files genredb loads it from; None if something else writes it.

    ``package`` is the name of the project, or of the package, that declares it.
    """

    source_name: str
    name: str
    schema: str
    description: str
    columns: tuple[Column, ...]
    path: str
    identifier: str = ""
    database: str | None = None
    files: RawPattern | None = None
    key: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    package: str = ""

    @property
    def unique_id(self) -> str:
        """Dbt's permanent id."""
        return f"source.{self.package}.{self.source_name}.{self.name}"

    @property
    def table(self) -> str:
        """The name of the table, without its schema."""
        return self.identifier or self.name

    @property
    def qualified_name(self) -> str:
        """``schema.table``, as used in SQL and messages."""
        return f"{self.schema}.{self.table}"

    @property
    def stated_files(self) -> str:
        """The file name or pattern as the properties file states it; empty if there is none."""
        return self.files.text if self.files else ""

    @property
    def is_in_parts(self) -> bool:
        """True if the files are in folders, parts of a whole: one of them may be empty, or fit nowhere."""
        return self.files is not None and self.files.is_pattern and "/" in self.files.text

    def name_of(self, path: PurePath) -> str:
        """Return a file's name as tables and messages have it: with the folders that the pattern names."""
        depth = self.files.text.count("/") + 1 if self.files and self.files.is_pattern else 1
        return "/".join(path.parts[-depth:])

    def folder_values(self, path: PurePath) -> dict[str, str]:
        """Return what the file's partition folders (``year=1999``) say, by key; empty text is NULL."""
        return {key: "" if value == _NO_VALUE else value for key, value in self._folders(path)}

    def doubled_folders(self, path: PurePath) -> list[str]:
        """Return the columns that several of the file's partition folders name."""
        keys = [key for key, _ in self._folders(path)]
        return [c.header for c in self.columns if c.filled_with is None and sum(map(c.is_named, keys)) > 1]

    def _folders(self, path: PurePath) -> list[tuple[str, str]]:
        folders = (name.partition("=") for name in self.name_of(path).split("/")[:-1])
        return [(unquote(key), unquote(value)) for key, sign, value in folders if key and sign]
