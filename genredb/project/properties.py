"""Reads properties files: sources, and what yml says of models and seeds (description, columns, checks)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genredb.errors import ProjectError
from genredb.project.files import mapping
from genredb.project.nodes import CheckSpec, Column, Source


@dataclass(frozen=True)
class Properties:
    """What one entry below ``models:`` or ``seeds:`` says."""

    name: str
    path: str
    description: str
    config: Mapping[str, Any]
    columns: tuple[Column, ...]
    checks: tuple[CheckSpec, ...]


@dataclass(frozen=True)
class PropertiesFile:
    """One properties file, taken apart."""

    sources: tuple[Source, ...]
    source_checks: tuple[CheckSpec, ...]
    models: tuple[Properties, ...]
    seeds: tuple[Properties, ...]


def parse_properties(content: Mapping[str, Any], path: str) -> PropertiesFile:
    """Take a properties file's mapping apart; ``path`` is what errors call it."""
    sources: list[Source] = []
    checks: list[CheckSpec] = []
    for entry in _entries(content, "sources", path):
        for table in _entries(entry, "tables", path):
            source = _source(entry, table, path)
            sources.append(source)
            checks += _checks(table, f"source('{source.source_name}', '{source.name}')", path)
    return PropertiesFile(
        tuple(sources),
        tuple(checks),
        tuple(_properties(entry, path) for entry in _entries(content, "models", path)),
        tuple(_properties(entry, path) for entry in _entries(content, "seeds", path)),
    )


def _entries(content: Mapping[str, Any], key: str, path: str) -> Iterator[Mapping[str, Any]]:
    entries = content.get(key) or []
    if not isinstance(entries, list):
        raise ProjectError(f"{path}: `{key}:` should be a list of entries that begin with `- name:`.")
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise ProjectError(f"{path}: each entry of `{key}:` needs a `name:`.")
        yield entry


def _meta(entry: Mapping[str, Any], path: str) -> dict[str, Any]:
    config = mapping(entry, "config", path)
    return dict(mapping(entry, "meta", path)) | dict(mapping(config, "meta", path))


def _columns(entry: Mapping[str, Any], path: str) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=column["name"],
            description=str(column.get("description") or "").strip(),
            data_type=str(column.get("data_type") or ""),
            meta=_column_meta(column, path),
        )
        for column in _entries(entry, "columns", path)
    )


def _source(entry: Mapping[str, Any], table: Mapping[str, Any], path: str) -> Source:
    meta = _meta(table, path)
    return Source(
        source_name=entry["name"],
        name=table["name"],
        schema=str(entry.get("schema", entry["name"])),
        description=str(table.get("description") or "").strip(),
        columns=_columns(table, path),
        path=path,
        file=_text(meta, "file", path),
        key=_text(meta, "key", path),
    )


def _text(meta: Mapping[str, Any], key: str, path: str) -> str | None:
    value = meta.get(key)
    if value is not None and not isinstance(value, str):
        raise ProjectError(f"{path}: `{key}:` should be a text, not {value!r}.")
    return value


def _column_meta(column: Mapping[str, Any], path: str) -> dict[str, Any]:
    meta = _meta(column, path)
    for key in ("min", "max"):
        if not isinstance(meta.get(key, 0), int | float):
            raise ProjectError(f"{path}: `{key}:` of {column['name']} should be a number, not {meta[key]!r}.")
    if not isinstance(meta.get("aliases", []), list):
        raise ProjectError(f"{path}: `aliases:` of {column['name']} should be a list of headers.")
    return meta


def _properties(entry: Mapping[str, Any], path: str) -> Properties:
    name = entry["name"]
    config = dict(mapping(entry, "config", path))
    if meta := _meta(entry, path):
        config["meta"] = meta
    return Properties(
        name=name,
        path=path,
        description=str(entry.get("description") or "").strip(),
        config=config,
        columns=_columns(entry, path),
        checks=tuple(_checks(entry, f"ref('{name}')", path)),
    )


def _checks(entry: Mapping[str, Any], attached_to: str, path: str) -> Iterator[CheckSpec]:
    for stated in _stated_checks(entry, path):
        yield _check(stated, attached_to, None, path)
    for column in _entries(entry, "columns", path):
        for stated in _stated_checks(column, path):
            yield _check(stated, attached_to, column["name"], path)


def _stated_checks(entry: Mapping[str, Any], path: str) -> list[Any]:
    stated: list[Any] = []
    for key in ("data_tests", "tests"):
        checks = entry.get(key) or []
        if not isinstance(checks, list):
            raise ProjectError(f"{path}: `{key}:` of {entry['name']} should be a list of checks.")
        stated += checks
    return stated


_CONFIG_KEYS = ("severity", "where", "enabled", "tags", "meta")
# What dbt knows and genredb does not: refused by name rather than passed over.
_UNSUPPORTED_KEYS = ("limit", "error_if", "warn_if", "fail_calc", "store_failures", "store_failures_as")


def _check(stated: Any, attached_to: str, column: str | None, path: str) -> CheckSpec:
    if isinstance(stated, str):
        return CheckSpec(kind=stated, path=path, attached_to=attached_to, column=column)
    if not isinstance(stated, Mapping) or len(stated) != 1:
        raise ProjectError(f"{path}: a check of {attached_to} should be a name or `name: {{arguments: …}}`.")
    kind = str(next(iter(stated)))
    body = dict(mapping(stated, kind, path))
    config = dict(mapping(body, "config", path))
    arguments = dict(mapping(body, "arguments", path))
    stated_name, description = body.pop("name", ""), body.pop("description", "")
    body = {key: value for key, value in body.items() if key not in ("config", "arguments")}
    for key in (*_CONFIG_KEYS, *_UNSUPPORTED_KEYS):
        if key in body:
            config.setdefault(key, body.pop(key))
    for key in config:
        if key not in _CONFIG_KEYS:
            raise ProjectError(
                f"{path}: genredb does not support `{key}:` of the check {kind} of {attached_to}."
            )
    return CheckSpec(
        kind=kind,
        path=path,
        attached_to=attached_to,
        column=column,
        arguments=arguments | body,
        config=config,
        name=str(stated_name or ""),
        description=str(description or ""),
    )
