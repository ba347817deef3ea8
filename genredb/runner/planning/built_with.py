"""The settings of the last build: target, variables, raw folder, engine, versions, roles (meta.built_with).

Commands that read the database use these rather than the project's current files. If the command line states
something else, they raise an error that says what differs.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.errors import ConsentError, UsageError
from genredb.runner.graph.nodes import Dataset
from genredb.runner.project.config import Config, read_config
from genredb.runner.project.package import HOOK_KEYS
from genredb.version import __version__
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import insert_rows, relation_exists

if TYPE_CHECKING:
    from genredb.runner.graph.compiler import Compilation


@dataclass(frozen=True)
class BuiltWith:
    """The settings that a database was built with.

    ``project`` is its name, ``vars`` are all variables of the project, ``stated_vars`` those from the command
    line. ``raw_dir`` is relative to the project if it is inside it, empty if nothing is loaded;
    ``is_raw_stated`` means that the user chose it, so that files in data/raw do not replace it. ``hooks`` are
    the project's on-run-start and on-run-end. ``is_empty`` is as in :class:`Settings`. ``roles`` maps a
    relation (``schema.name``) to pairs of column and role, in the order of the properties file.
    """

    project: str = ""
    target: str = ""
    vars: Mapping[str, Any] = field(default_factory=dict)
    stated_vars: Mapping[str, Any] = field(default_factory=dict)
    raw_dir: str = ""
    is_raw_stated: bool = False
    is_sample: bool = False
    is_empty: bool = False
    engine: str = "duckdb"
    hooks: list[str] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, list[list[str]]] = field(default_factory=dict)

    def columns_of(self, relation: str, role: str) -> tuple[str, ...]:
        """Return the columns of a relation with one role, in the order of the properties file."""
        return tuple(column for column, given in self.roles.get(relation, ()) if given == role)


def no_database(config: Config, engine: str | None = None) -> UsageError:
    """Return the error of a command that needs what was built on its engine, where nothing is."""
    option = " --engine spark" if (engine or config.settings.engine) == "spark" else ""
    return UsageError(
        f"There is no database {config.database} yet", cure=f"run `genredb build{option}` first"
    )


def settings_of(compilation: "Compilation") -> BuiltWith:
    """Return the settings for a build of this project."""
    config = compilation.project.config
    has_files = bool(compilation.project.loaded_sources)
    roles = {
        node.relation.qualified_name: [[column.name, column.role] for column in node.columns if column.role]
        for node in compilation.of_type(Dataset)
        if node.is_built
    }
    return BuiltWith(
        project=config.name,
        target=str(config.target["name"]),
        vars=_plain(config.vars),
        stated_vars=_plain(config.settings.vars),
        raw_dir=_stated_folder(config) if has_files else "",
        is_raw_stated=_is_raw_stated(config) and has_files,
        is_sample=config.is_sample and has_files,
        is_empty=config.settings.is_empty,
        engine=config.settings.engine,
        hooks=[hook.text for key in HOOK_KEYS for hook in config.hooks(key)],
        versions={"genredb": __version__, "duckdb": version("duckdb")},
        roles={relation: pairs for relation, pairs in roles.items() if pairs},
    )


def read_built_with(connection: Connection) -> BuiltWith:
    """Return the settings the database was built with, or empty ones if genredb did not build it."""
    if not relation_exists(connection, "meta", "built_with"):
        return BuiltWith()
    rows = connection.rows("select setting, value from meta.built_with")
    known = {one.name for one in fields(BuiltWith)}  # another version may have stored others
    return BuiltWith(**{setting: json.loads(value) for setting, value in rows if setting in known})


def write_built_with(connection: Connection, built_with: BuiltWith) -> None:
    """Replace the settings stored in the database."""
    connection.execute("delete from meta.built_with")
    rows = [(setting, json.dumps(value)) for setting, value in asdict(built_with).items()]
    insert_rows(connection, "meta.built_with", rows)


def loaded_with(config: Config, found: BuiltWith) -> BuiltWith:
    """Return the settings to store after a load without a build: only the raw folder is new."""
    return replace(
        found,
        raw_dir=_stated_folder(config),
        is_raw_stated=_is_raw_stated(config),
        is_sample=config.is_sample,
    )


def built_with(config: Config, connection: Connection) -> BuiltWith:
    """Return the settings the database was built with, for a command that reads it.

    UsageError if the command line states another target, variable or raw folder.
    """
    found = read_built_with(connection)
    stated = config.settings
    name = config.database.name
    if found == BuiltWith():
        return found
    refuse_other_engine(config, found)
    for variable, value in _plain(stated.vars).items():
        if found.vars.get(variable) != value:
            now = f"{variable}: {json.dumps(value)}"
            was = (
                f"{variable}: {json.dumps(found.vars[variable])}" if variable in found.vars else "without it"
            )
            raise UsageError(
                f"--vars sets {now}, but {name} was built with {was}",
                cure=f"leave it out, or run `genredb build --vars '{now}'` first",
            )
    if stated.target and stated.target != found.target:
        raise UsageError(
            f"{name} was built for the target '{found.target}', not '{stated.target}'",
            cure=f"leave out --target, or run `genredb build --target {stated.target}` first",
        )
    if stated.raw_dir and found.raw_dir and config.raw_dir.resolve() != _folder(config, found).resolve():
        raise UsageError(
            f"{name} was built from {_folder(config, found)}, not from {config.raw_dir}",
            cure=f"leave out --raw-dir, or run `genredb build --raw-dir {stated.raw_dir}` first",
        )
    return found


def refuse_other_engine(config: Config, found: BuiltWith) -> None:
    """Raise UsageError if the database was built on another engine, which has its relations elsewhere."""
    stated = config.settings.engine
    if found != BuiltWith() and found.engine != stated:
        pull = "add --engine spark if the command has it, copy the results with `genredb pull -o FILE`"
        cure = "leave out --engine spark" if stated == "spark" else pull
        raise UsageError(
            f"{config.database.name} was built on {_ENGINES[found.engine]}, not on {_ENGINES[stated]}",
            cure=f"{cure}, or name another file with --database",
        )


_ENGINES: Mapping[str, str] = {"duckdb": "DuckDB", "spark": "Spark"}


def with_raw_folder(config: Config, found: BuiltWith) -> Config:
    """Return the configuration with the raw folder of the last build instead of the sample.

    Only a folder or sample given explicitly, or files in data/raw, take precedence. ConsentError if the
    folder is gone: the user's own songs are not replaced by synthetic ones without consent.
    """
    stated = config.settings
    if not config.is_sample or stated.raw_dir or stated.uses_sample or found.is_sample or not found.raw_dir:
        return config
    return replace(config, raw_dir=_existing_folder(config, found), is_sample=False)


def as_built(config: Config, found: BuiltWith) -> Config:
    """Return the configuration with the last build's settings wherever nothing else is stated."""
    refuse_other_engine(config, found)
    stated = config.settings
    target = found.target if found.target not in ("", config.target["name"]) else None
    settings = replace(
        stated,
        database=config.database,
        target=stated.target or target,
        vars={**found.stated_vars, **stated.vars},
    )
    if found.is_raw_stated and not (stated.raw_dir or stated.uses_sample):
        settings = replace(settings, raw_dir=_existing_folder(config, found))
    return with_raw_folder(read_config(settings), found)


def as_last_built(config: Config, found: BuiltWith) -> tuple[Config, bool]:
    """Return the same for reading alone, which needs no raw folder; and whether that exists."""
    try:
        return as_built(config, found), True
    except ConsentError:
        return as_built(config, replace(found, raw_dir="", is_raw_stated=False)), False


def _existing_folder(config: Config, found: BuiltWith) -> Path:
    """Return the raw folder of the last build; ConsentError if it is gone."""
    folder = _folder(config, found)
    if not folder.is_dir():
        raise ConsentError(
            f"{config.database.name} was built from your own songs, whose folder {folder} no longer exists",
            cure="point --raw-dir at them, or replace them with the synthetic sample with --sample",
            option="--sample",
        )
    return folder


def _is_raw_stated(config: Config) -> bool:
    stated = config.settings
    is_default = config.is_sample or config.raw_dir == config.home / "data" / "raw"
    return bool(stated.raw_dir or stated.uses_sample) or not is_default


def _stated_folder(config: Config) -> str:
    return str(
        config.raw_dir.relative_to(config.home)
        if config.raw_dir.is_relative_to(config.home)
        else config.raw_dir
    )


def _folder(config: Config, found: BuiltWith) -> Path:
    """Return the raw folder of the last build; the sample is located in this installation."""
    return config.root / "data" / "sample" if found.is_sample else config.home / found.raw_dir


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables as JSON values, so that they can be compared with stored ones."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(values), default=str))
    return plain
