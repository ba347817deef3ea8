"""Reads the checks and unit tests stated in a properties file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import mapping, read_text
from genredb.runner.project.find import find
from genredb.runner.project.keys import CONFIG
from genredb.runner.project.specs import CheckSpec, Fixture, UnitTestSpec

Keys = tuple[str | int, ...]
FIXTURE_FORMATS = ("dict", "csv", "sql")


def read_checks(
    entry: Mapping[str, Any],
    columns: Iterable[tuple[Mapping[str, Any], Keys]],
    attached_to: str,
    path: str,
    keys: Keys,
) -> Iterator[CheckSpec]:
    """Yield the checks of an entry and its columns; ``keys`` is its path in its file, as each column has."""
    yield from _checks(entry, attached_to, None, path, keys)
    for column, place in columns:
        name = '"' + column["name"].replace('"', '""') + '"' if column.get("quote") else column["name"]
        yield from _checks(column, attached_to, name, path, place)


def _checks(
    entry: Mapping[str, Any], attached_to: str, column: str | None, path: str, keys: Keys
) -> Iterator[CheckSpec]:
    for key in ("data_tests", "tests"):
        stated = entry.get(key) or []
        if not isinstance(stated, list):
            raise ProjectError(f"`{key}:` of {entry['name']} should be a list of checks", place=path)
        for i, check in enumerate(stated):
            yield _check(check, attached_to, column, path, (*keys, key, i))


def _check(stated: Any, attached_to: str, column: str | None, path: str, keys: Keys) -> CheckSpec:
    if isinstance(stated, str):
        return CheckSpec(kind=stated, path=path, attached_to=attached_to, column=column, keys=keys)
    if isinstance(stated, Mapping) and "test_name" in stated:
        kind, body = str(stated["test_name"]), {k: v for k, v in stated.items() if k != "test_name"}
    elif isinstance(stated, Mapping) and len(stated) == 1:
        kind = str(next(iter(stated)))
        body = dict(mapping(stated, kind, path))
    else:
        raise ProjectError(
            f"a check of {attached_to} should be a name or `name: {{arguments: …}}`", place=path
        )
    config = dict(mapping(body, "config", path))
    arguments = dict(mapping(body, "arguments", path))
    name, description = body.pop("name", ""), body.pop("description", "")
    body = {key: value for key, value in body.items() if key not in ("config", "arguments")}
    for key in CONFIG["check"].known.keys() & body.keys():
        config.setdefault(key, body.pop(key))
    return CheckSpec(
        kind=kind,
        path=path,
        attached_to=attached_to,
        column=column,
        arguments=arguments | body,
        config=config,
        name=str(name or ""),
        description=str(description or ""),
        keys=keys,
    )


def read_unit_test(
    stated: Mapping[str, Any], path: str, keys: Keys, read_fixture: Callable[[str, str], str]
) -> UnitTestSpec:
    """Return a unit test; ``read_fixture`` returns the text of a fixture file by name and format."""
    name = stated["name"]
    if not isinstance(stated.get("model"), str):
        raise ProjectError(f"the unit test {name} needs a `model:`", place=path)
    given: dict[str, Fixture] = {}
    inputs = stated.get("given") or []
    if not isinstance(inputs, list):
        raise ProjectError(f"`given:` of {name} should be a list of inputs", place=path)
    for item in inputs:
        if not isinstance(item, Mapping) or not isinstance(item.get("input"), str):
            raise ProjectError(f"each entry of `given:` of {name} needs an `input:`", place=path)
        given[item["input"].strip()] = _fixture(item, name, path, read_fixture)
    overrides = mapping(stated, "overrides", path)
    versions = mapping(stated, "versions", path)
    if not all(isinstance(numbers or [], list) for numbers in versions.values()):
        raise ProjectError(f"`versions:` of {name} should have lists of versions", place=path)
    expect = stated.get("expect")
    if isinstance(expect, list):
        expect = {"rows": expect}
    if not isinstance(expect, Mapping):
        raise ProjectError(f"the unit test {name} needs `expect:` with its `rows:`", place=path)
    return UnitTestSpec(
        name=name,
        path=path,
        model=stated["model"],
        given=given,
        expect=_fixture(expect, name, path, read_fixture),
        config=mapping(stated, "config", path),
        overrides={key: mapping(overrides, key, path) for key in overrides},
        description=str(stated.get("description") or ""),
        keys=keys,
        versions={key: tuple(map(str, numbers or ())) for key, numbers in versions.items()},
    )


def fixture_reader(folders: Iterable[Path]) -> Callable[[str, str], str]:
    """Return what reads a fixture of these folders, by name and format."""

    def read(name: str, kind: str) -> str:
        files = {path.stem: path for path in find(folders, f".{kind}")}
        if name not in files:
            what = f"There is no fixture {name}.{kind} in the test folders"
            raise ProjectError(what, name=name, choices=files)
        return read_text(files[name])

    return read


def _fixture(
    stated: Mapping[str, Any], name: str, path: str, read_fixture: Callable[[str, str], str]
) -> Fixture:
    kind = stated.get("format", "dict")
    rows = stated.get("rows")
    if kind not in FIXTURE_FORMATS:
        raise ProjectError(
            f"`format:` of {name} cannot be {kind!r}", place=path, name=str(kind), choices=FIXTURE_FORMATS
        )
    if stated.get("fixture"):
        rows = read_fixture(str(stated["fixture"]), kind)
    if kind == "dict":
        rows = rows or []
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ProjectError(f"`rows:` of {name} should be a list of `{{column: value}}`", place=path)
        return Fixture(rows=tuple(rows))
    if not isinstance(rows or "", str):
        raise ProjectError(f"`rows:` of {name} should be {kind} text", place=path)
    return Fixture(rows=_csv_rows(rows or "", name, path)) if kind == "csv" else Fixture(sql=rows or "")


def _csv_rows(text: str, name: str, path: str) -> tuple[Mapping[str, Any], ...]:
    """Parse rows of CSV; an empty field is NULL, as in dbt."""
    import csv  # noqa: PLC0415 - few projects have unit tests

    lines = [line.strip() for line in text.strip().splitlines()]
    reader = csv.reader(lines, skipinitialspace=True)
    header = [column.strip() for column in next(reader, [])]
    rows = []
    for row in reader:
        if len(row) != len(header):
            raise ProjectError(
                f"a CSV row of {name} has {len(row)} fields, its header {len(header)}", place=path
            )
        rows.append({key: value.strip() or None for key, value in zip(header, row, strict=True)})
    return tuple(rows)
