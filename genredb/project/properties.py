"""Reads properties files: sources, and what yml says of models and seeds (description, columns, checks)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genredb.errors import ProjectError
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
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ProjectError(f"{path}: `{key}:` should be a list of entries that begin with `- name:`.")
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise ProjectError(f"{path}: each entry of `{key}:` needs a `name:`.")
        yield entry


def _meta(entry: Mapping[str, Any]) -> dict[str, Any]:
    config = entry.get("config") or {}
    return dict(entry.get("meta") or {}) | dict(config.get("meta") or {})


def _columns(entry: Mapping[str, Any], path: str) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=column["name"],
            description=str(column.get("description") or "").strip(),
            data_type=str(column.get("data_type") or ""),
            meta=_meta(column),
        )
        for column in _entries(entry, "columns", path)
    )


def _source(entry: Mapping[str, Any], table: Mapping[str, Any], path: str) -> Source:
    meta = _meta(table)
    return Source(
        source_name=entry["name"],
        name=table["name"],
        schema=str(entry.get("schema", entry["name"])),
        description=str(table.get("description") or "").strip(),
        columns=_columns(table, path),
        path=path,
        file=meta.get("file"),
        key=meta.get("key"),
    )


def _properties(entry: Mapping[str, Any], path: str) -> Properties:
    name = entry["name"]
    config = dict(entry.get("config") or {})
    if meta := _meta(entry):
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
    for stated in _stated_checks(entry):
        yield _check(stated, attached_to, None, path)
    for column in _entries(entry, "columns", path):
        for stated in _stated_checks(column):
            yield _check(stated, attached_to, column["name"], path)


def _stated_checks(entry: Mapping[str, Any]) -> list[Any]:
    return [*(entry.get("data_tests") or []), *(entry.get("tests") or [])]


_CONFIG_KEYS = ("severity", "where", "limit", "enabled", "tags")


def _check(stated: Any, attached_to: str, column: str | None, path: str) -> CheckSpec:
    if isinstance(stated, str):
        return CheckSpec(kind=stated, path=path, attached_to=attached_to, column=column)
    if not isinstance(stated, Mapping) or len(stated) != 1:
        raise ProjectError(f"{path}: a check of {attached_to} should be a name or `name: {{arguments: …}}`.")
    kind, body = next(iter(stated.items()))
    body = dict(body or {})
    config = dict(body.pop("config", None) or {})
    name = str(body.pop("name", ""))
    description = str(body.pop("description", "") or "")
    arguments = dict(body.pop("arguments", None) or {})
    for key in _CONFIG_KEYS:
        if key in body:
            config.setdefault(key, body.pop(key))
    return CheckSpec(
        kind=str(kind),
        path=path,
        attached_to=attached_to,
        column=column,
        arguments=arguments | body,
        config=config,
        name=name,
        description=description,
    )
