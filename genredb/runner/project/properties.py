"""Reads properties files: sources, and the properties of models, seeds and checks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import delimiter, mapping, shown, text_list, text_of
from genredb.runner.project.merge import merged
from genredb.runner.project.reserved import refuse_own_place
from genredb.runner.project.source_freshness import stated_freshness
from genredb.runner.project.specs import CheckSpec, ExposureSpec, Group
from genredb.runner.project.stated_checks import read_checks
from genredb.runner.project.stated_constraints import read_constraints
from genredb.runner.project.stated_exposures import read_exposure
from genredb.runner.project.stated_values import is_on
from genredb.runner.project.types import sql_type
from genredb.runner.project.versions import Version, deprecation_date, places, read_versions, reference
from genredb.warehouse.declared import ROLES, Column, RawPattern, SourceSpec

# No number in a raw file is larger.
_MOST = 1e38
_OUTSIDE = ("contract", "group", "access")
CHECK_KEYS = ("data_tests", "tests")
FILLERS = ("file_stem", "record_number")
Describe = Callable[[str], str]
Keys = tuple[str | int, ...]
Placed = Sequence[tuple[Mapping[str, Any], Keys]]


@dataclass(frozen=True)
class Properties:
    """The properties in one entry of ``models:``, ``seeds:``, ``snapshots:`` or ``data_tests:``.

    ``relation`` is what a snapshot selects from, if no SQL file says so; ``constraints`` are those of a
    model's table, besides those of its columns. ``file`` is the name of the file of a ``version``.
    """

    name: str
    path: str
    description: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    checks: tuple[CheckSpec, ...] = ()
    relation: str = ""
    constraints: tuple[Mapping[str, Any], ...] = ()
    file: str = ""
    version: Version | None = None
    deprecation_date: str = ""

    @property
    def of_model(self) -> dict[str, Any]:
        """What only a model has."""
        names = ("constraints", "version", "deprecation_date")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class PropertiesFile:
    """The parsed contents of one properties file."""

    path: str
    sources: tuple[SourceSpec, ...]
    source_checks: tuple[CheckSpec, ...]
    models: tuple[Properties, ...]
    seeds: tuple[Properties, ...]
    snapshots: tuple[Properties, ...]
    singular_checks: tuple[Properties, ...]
    unit_tests: tuple[Mapping[str, Any], ...]
    groups: tuple[Group, ...]
    exposures: tuple[ExposureSpec, ...]


def parse_properties(content: Mapping[str, Any], path: str, describe: Describe) -> PropertiesFile:
    """Parse the contents of a properties file; errors call it ``path``.

    ``describe`` renders a description, replacing ``{{ doc('name') }}`` with the docs block.
    """
    sources: list[SourceSpec] = []
    checks: list[CheckSpec] = []
    for i, entry in enumerate(entries(content, "sources", path)):
        for j, table in enumerate(entries(entry, "tables", path)):
            keys = ("sources", i, "tables", j)
            source = _source(entry, table, path, describe, keys)
            sources.append(source)
            attached_to = f"source('{source.source_name}', '{source.name}')"
            checks += read_checks(table, places(table, keys), attached_to, path, keys)
    return PropertiesFile(
        path,
        tuple(sources),
        tuple(checks),
        tuple(_described(content, "models", path, describe)),
        tuple(_described(content, "seeds", path, describe)),
        tuple(_described(content, "snapshots", path, describe)),
        tuple(
            properties
            for key in CHECK_KEYS
            for properties in _described({key: _without_none(content.get(key))}, key, path, describe)
        ),
        tuple(entries(content, "unit_tests", path)),
        tuple(_group(entry, path) for entry in entries(content, "groups", path)),
        tuple(
            read_exposure(entry, path, _description(entry, describe), ("exposures", i))
            for i, entry in enumerate(entries(content, "exposures", path))
        ),
    )


def entries(content: Mapping[str, Any], key: str, path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of a list; ProjectError if one has no name."""
    stated = content.get(key) or []
    if not isinstance(stated, list):
        raise ProjectError(f"`{key}:` should be a list of entries that begin with `- name:`", place=path)
    for entry in stated:
        _refuse_nameless(entry, key, path)
        yield entry


def _refuse_nameless(entry: Any, key: str, path: str) -> None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ProjectError(f"each entry of `{key}:` needs a `name:`", place=path)


def _without_none(stated: Any) -> Any:
    return [one for one in stated if one is not None] if isinstance(stated, list) else stated


def _described(content: Mapping[str, Any], key: str, path: str, describe: Describe) -> Iterator[Properties]:
    for i, entry in enumerate(entries(content, key, path)):
        if key == "models" and entry.get("versions"):
            for stated in read_versions(entry, path, (key, i)):
                found = _properties(key, stated.entry, path, describe, (stated.keys, stated.columns))
                attached_to = reference(entry["name"], stated.version)
                checks = tuple(replace(check, attached_to=attached_to) for check in found.checks)
                yield replace(found, file=stated.file, version=stated.version, checks=checks)
        else:
            yield _properties(key, entry, path, describe, ((key, i), places(entry, (key, i))))


def _properties(
    key: str, entry: Mapping[str, Any], path: str, describe: Describe, within: tuple[Keys, Placed]
) -> Properties:
    """Return an entry's properties; ``within`` are the paths in the file to it and to its columns."""
    keys, columns = within
    attached_to = reference(entry["name"], None)
    return Properties(
        name=entry["name"],
        path=path,
        description=_description(entry, describe),
        config=_config(entry, path),
        columns=_columns(columns, path, describe),
        checks=tuple(read_checks(entry, columns, attached_to, path, keys)) if key not in CHECK_KEYS else (),
        relation=(text_of(entry, "relation", path) or "") if key == "snapshots" else "",
        constraints=read_constraints(entry, path) if key == "models" else (),
        deprecation_date=deprecation_date(entry, path) if key == "models" else "",
    )


def _group(entry: Mapping[str, Any], path: str) -> Group:
    owner = mapping(entry, "owner", path)
    if not owner.get("name") and not owner.get("email"):
        raise ProjectError(f"the group {entry['name']} needs an `owner:` with a name or an email", place=path)
    return Group(entry["name"], path, owner, str(entry.get("description") or ""))


def _config(entry: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the configuration of an entry; some of its keys may also be given outside ``config:``."""
    outside = {key: entry[key] for key in ("meta", "tags", "docs", *_OUTSIDE) if entry.get(key)}
    mapping(entry, "meta", path)
    config = mapping(entry, "config", path)
    mapping(config, "meta", path)
    return merged(outside, config)


def _description(entry: Mapping[str, Any], describe: Describe) -> str:
    return describe(str(entry.get("description") or "")).strip()


def _columns(stated: Placed, path: str, describe: Describe) -> tuple[Column, ...]:
    for column, _ in stated:
        _refuse_nameless(column, "columns", path)
    return tuple(
        Column(
            name=column["name"],
            description=_description(column, describe),
            data_type=str(column.get("data_type") or ""),
            meta=_column_meta(column, path),
            path=path,
            keys=keys,
            is_quoted=is_on(column.get("quote")),
            constraints=read_constraints(column, path),
        )
        for column, keys in stated
    )


def _source(
    entry: Mapping[str, Any],
    table: Mapping[str, Any],
    path: str,
    describe: Describe,
    keys: tuple[str | int, ...],
) -> SourceSpec:
    config = merged(_config(entry, path), _config(table, path)) | stated_freshness(entry, table, path)
    meta = config.get("meta") or {}
    files, columns = _raw_pattern(meta, path), _columns(places(table, keys), path, describe)
    schema = text_of(entry, "schema", path) or entry["name"]
    if files:
        refuse_own_place(schema, table["name"], path)
    for column in columns if files else ():
        if column.data_type:
            sql_type(column.data_type, f"`data_type:` of {column.name}", path)
    return SourceSpec(
        source_name=entry["name"],
        name=table["name"],
        schema=schema,
        description=_description(table, describe),
        columns=columns,
        path=path,
        identifier=text_of(table, "identifier", path) or table["name"],
        database=text_of(entry, "database", path),
        files=files,
        key=text_of(meta, "key", path),
        config=config,
        tags=text_list(config.get("tags"), "tags", path),
    )


def _raw_pattern(meta: Mapping[str, Any], path: str) -> RawPattern | None:
    file, files = text_of(meta, "file", path), text_of(meta, "files", path)
    if file is not None and files is not None:
        raise ProjectError(f"a source has `file:` or `files:`, not both ({file}, {files})", place=path)
    stated = file if files is None else files
    if stated is None:
        return None
    if files is not None and ("**" in files or {"", ".", ".."} & set(files.split("/"))):
        raise ProjectError(
            f"`files:` should be a pattern of names in the raw folder, not '{files}'",
            place=path,
            cure="write a * for each folder, as in songs/*/*.parquet" if "**" in files else "",
        )
    return RawPattern(
        stated,
        is_pattern=files is not None,
        is_optional=bool(meta.get("optional", False)),
        thousands_separator=text_of(meta, "thousands_separator", path) or "",
        delimiter=delimiter(meta.get("delimiter"), path),
    )


def _column_meta(column: Mapping[str, Any], path: str) -> dict[str, Any]:
    meta: dict[str, Any] = _config(column, path).get("meta") or {}
    filler = meta.get("filled_with")
    if filler is not None and filler not in FILLERS:
        raise ProjectError(
            f"`filled_with:` of {column['name']} cannot be {shown(filler)}",
            place=path,
            name=str(filler),
            choices=FILLERS,
        )
    role = meta.get("role")
    if role not in (None, *ROLES) and get_close_matches(str(role), ROLES, n=1, cutoff=0.8):
        raise ProjectError(
            f"`role:` of {column['name']} cannot be {shown(role)}",
            place=path,
            name=str(role),
            choices=ROLES,
        )
    for key in ("min", "max"):
        value = meta.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST
        if value is not None and not is_number:
            raise ProjectError(
                f"`{key}:` of {column['name']} should be a number, not {shown(value)}", place=path
            )
    for key in ("required", "optional"):
        if not isinstance(meta.get(key) or False, bool):
            raise ProjectError(
                f"`{key}:` of {column['name']} should be true or false, not {shown(meta[key])}", place=path
            )
    if not isinstance(meta.get("aliases", []), list):
        raise ProjectError(f"`aliases:` of {column['name']} should be a list of headers", place=path)
    return meta
