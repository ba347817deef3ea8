"""Creates a new project: a copy of the songs project, or one for the user's own raw files."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.drafts import draft_of, leftovers, sweep
from genredb.errors import InputError, UsageError
from genredb.runner.project.config import RESERVED_NAMES, shipped_root
from genredb.runner.project.files import resolved
from genredb.runner.project.package import PROJECT_FILE
from genredb.warehouse.column_types import NearType
from genredb.warehouse.infer import InferredTable, infer_table, sql_name
from genredb.warehouse.readers.formats import SUFFIXES, stem_of
from genredb.warehouse.tables import QUARANTINE

_SHIPPED = (PROJECT_FILE, "profiles.yml", "sql", "data/seeds", "data/sample")
_SCHEMA_MACRO = "sql/macros/generate_schema_name.sql"  # names a schema `staging` instead of `main_staging`
_DATABASES = "*.duckdb\n*.duckdb.*\n*.spark/\n"
_IGNORED = f"{_DATABASES}/target/\n" + "".join(f"/data/raw/*{suffix}\n" for suffix in SUFFIXES)
_STAGING = "staging"
_JINJA = ("{{", "{%", "{#")


@dataclass(frozen=True)
class TextColumn:
    """A column of a raw file that is text although its values are almost numbers or dates.

    ``name`` is its name in SQL, ``model`` the file of the model in which its values could be converted.
    """

    file: str
    header: str
    name: str
    model: str
    near: NearType


@dataclass(frozen=True)
class Layout:
    """A new project: its folder, the relative paths of its files, text columns that are almost typed."""

    folder: Path
    files: tuple[str, ...]
    text_columns: tuple[TextColumn, ...] = ()


def init(folder: Path, csvs: Sequence[Path] = ()) -> Layout:
    """Create a project in a folder that does not exist yet or is empty.

    Without raw files it is a copy of the songs project with its synthetic sample; with them, it has a source,
    a staging model and a table for each. UsageError if the folder is not empty, InputError if a file cannot
    be read.
    """
    target = resolved(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{folder} exists already and is not empty", cure="name a new folder")
    tables = _tables(csvs)
    with _replaced(target) as partial:
        if csvs:
            _write_own(partial, _project_name(target), tables)
        else:
            _copy_shipped(partial)
        _write(partial / ".gitignore", _IGNORED)
        (partial / "data" / "raw").mkdir(parents=True, exist_ok=True)
        files = sorted(path.relative_to(partial).as_posix() for path in partial.rglob("*") if path.is_file())
    return Layout(folder, tuple(files), tuple(_text_columns(tables)))


@contextlib.contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Yield a draft folder to fill, which becomes ``folder`` on success and is removed on an error.

    An existing ``folder`` may be somebody's working directory, so it is kept and the files are moved into it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = draft_of(folder)
    sweep([*leftovers(folder.parent, folder.name), partial])
    partial.mkdir()
    try:
        yield partial
        if folder.exists():
            for path in partial.iterdir():
                path.replace(folder / path.name)
        else:
            partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy_shipped(folder: Path) -> None:
    for name in _SHIPPED:
        _copy(name, folder)


def _copy(name: str, folder: Path) -> None:
    """Copy a file or folder of the shipped project to the same path in the new one."""
    source, target = shipped_root() / name, folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _text_columns(tables: Sequence[tuple[str, Path, InferredTable]]) -> Iterator[TextColumn]:
    """Yield each text column that is almost numeric or a date."""
    for name, path, table in tables:
        for column in table.columns:
            if column.near:
                model = f"sql/models/staging/stg_{name}.sql"
                yield TextColumn(path.name, column.header, column.name, model, column.near)


def _project_name(folder: Path) -> str:
    """Return the project's name, which is also that of its database and so of none of its schemas."""
    name = sql_name(folder.name, "project")
    return f"{name}_project" if name in {*RESERVED_NAMES, _STAGING} else name


def _write_own(folder: Path, name: str, tables: Sequence[tuple[str, Path, InferredTable]]) -> None:
    _write_yml(
        folder / PROJECT_FILE,
        {
            "name": name,
            "version": "0.1.0",
            "config-version": 2,
            "profile": name,
            "model-paths": ["sql/models"],
            "macro-paths": ["sql/macros"],
            "target-path": "target",
            "clean-targets": ["target"],
            "models": {
                name: {
                    _STAGING: {"+schema": _STAGING, "+materialized": "view"},
                    "marts": {"+materialized": "table"},
                }
            },
        },
    )
    output = {"type": "duckdb", "path": f"{name}.duckdb", "schema": "main"}
    _write_yml(folder / "profiles.yml", {name: {"target": "dev", "outputs": {"dev": output}}})
    models = folder / "sql" / "models"
    _write_yml(models / "sources.yml", {"version": 2, "sources": [_sources(tables)]})
    _write_yml(
        models / "staging" / "staging.yml",
        {"version": 2, "models": [_model(f"stg_{one}", path, table) for one, path, table in tables]},
    )
    _write_yml(
        models / "marts" / "marts.yml",
        {"version": 2, "models": [_model(one, path, table) for one, path, table in tables]},
    )
    _copy(_SCHEMA_MACRO, folder)
    for one, path, table in tables:
        _write(models / "staging" / f"stg_{one}.sql", _sql("source", f"source('raw', '{one}')", table))
        _write(models / "marts" / f"{one}.sql", _sql(f"stg_{one}", f"ref('stg_{one}')", table))
        (folder / "data" / "raw").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / "data" / "raw" / path.name)


def _tables(csvs: Sequence[Path]) -> list[tuple[str, Path, InferredTable]]:
    """Return for each raw file the name of its table, its path and its inferred columns."""
    found: dict[str, tuple[str, Path, InferredTable]] = {}
    for path in csvs:
        if not path.is_file():
            raise InputError(f"There is no file {path}")
        if path.suffix.lower() == ".json":
            cure = "write one object on each line, into a file that ends in .jsonl"
            raise InputError(f"{path} is JSON; genredb reads JSON lines", cure=cure)
        name = sql_name(stem_of(path.name), "data")
        if f"raw.{name}" == QUARANTINE.name:
            raise InputError(f"genredb has a table raw.{name} of its own", place=path, cure="rename the file")
        clash = next((one for one in (name, f"stg_{name}", name.removeprefix("stg_")) if one in found), None)
        if clash is not None:
            raise InputError(
                f"{found[clash][1]} and {path} would create models with the same name", cure="rename one"
            )
        table = infer_table(path)
        for text in (path.name, *(column.header for column in table.columns)):
            if any(mark in text for mark in _JINJA):
                raise InputError(f"'{text}' contains template syntax", place=path, cure="rename it")
        found[name] = (name, path, table)
    return list(found.values())


def _sources(tables: Sequence[tuple[str, Path, InferredTable]]) -> dict[str, Any]:
    return {
        "name": "raw",
        "schema": "raw",
        "description": "The CSVs in data/raw, unchanged. Rows that cannot be loaded are in raw.quarantine.",
        "tables": [
            {
                "name": name,
                "description": f"One row per row of {path.name}.",
                "config": {"meta": _meta(path, table)},
                "columns": [
                    {
                        "name": column.name,
                        "description": f"The column {column.header}.",
                        "data_type": column.data_type,
                        "config": {"meta": {"header": column.header}},
                    }
                    for column in table.columns
                ],
            }
            for name, path, table in tables
        ],
    }


def _meta(path: Path, table: InferredTable) -> dict[str, str]:
    stated = {"file": path.name, "key": table.key, "delimiter": table.delimiter}
    if table.delimiter == ",":
        del stated["delimiter"]
    return {name: value for name, value in stated.items() if value is not None}


def _model(name: str, path: Path, table: InferredTable) -> dict[str, Any]:
    columns = []
    for column in table.columns:
        described: dict[str, Any] = {"name": column.name, "description": f"The column {column.header}."}
        if column.name == table.key:
            described["data_tests"] = ["unique", "not_null"]
        columns.append(described)
    return {"name": name, "description": f"One row per row of {path.name}.", "columns": columns}


def _sql(read_as: str, relation: str, table: InferredTable) -> str:
    """Return the SQL of a model that selects all columns of a relation."""
    columns = ",\n".join(f"        {column.name}" for column in table.columns)
    return (
        f"with\n\n{read_as} as (\n    select * from {{{{ {relation} }}}}\n),\n\n"
        f"final as (\n    select\n{columns}\n    from {read_as}\n)\n\nselect * from final\n"
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _write_yml(path: Path, content: dict[str, Any]) -> None:
    import yaml  # noqa: PLC0415

    _write(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))
