"""Every place of the yml files and config() that has keys: the keys, and a project that holds an entry there."""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from genredb.runner.project.keys import CONFIG, META, OUTPUT, PACKAGES, PROFILE, PROJECT, PROPERTIES, Keys
from tests.project_files import BASE

MODEL = "select 1 as x"


def below(keys: Keys, *names: str) -> Keys:
    """The keys of a place, by the keys that lead there from another."""
    for name in names:
        found = keys.known[name]
        assert found is not None
        keys = found.names or found
    return keys


def properties(*path: str) -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """Give the files of a project whose properties hold an entry at a path."""

    def files(entry: Mapping[str, Any]) -> dict[str, str]:
        names = {
            "models": "m",
            "seeds": "s",
            "snapshots": "h",
            "columns": "x",
            "sources": "raw",
            "tables": "t",
            "unit_tests": "u",
            "exposures": "e",
            "groups": "g",
        }
        needed: dict[str, dict[str, Any]] = {
            "unit_tests": {"model": "m", "given": [], "expect": {"rows": [{"x": 1}]}},
            "given": {"input": "this"},
            "arguments": {"name": "a"},
            "versions": {"v": 1},
            "exposures": {"type": "ml", "owner": {"name": "o"}},
            "groups": {"owner": {"name": "o"}},
            "constraints": {"type": "not_null"},
        }
        content: Any = {**entry}
        for i, key in reversed(list(enumerate(path))):
            if key in names or key in needed:
                content = [
                    {**needed.get(key, {}), **({"name": names[key]} if key in names else {}), **content}
                ]
            elif key in ("data_tests", "macros", "packages"):
                is_check = path[:i]
                content = [{"unique": content}] if is_check else [{"name": "n", **content}]
            content = {key: content}
        return {"models/p.yml": yaml.safe_dump(content)}

    return files


def project(entry: Mapping[str, Any]) -> dict[str, str]:
    return {"dbt_project.yml": BASE["dbt_project.yml"] + yaml.safe_dump(dict(entry))}


def profile(entry: Mapping[str, Any]) -> dict[str, str]:
    output = {"type": "duckdb", "path": "small.duckdb"}
    return {"profiles.yml": yaml.safe_dump({"small": {"outputs": {"dev": output}, **entry}})}


def output(entry: Mapping[str, Any]) -> dict[str, str]:
    return {"profiles.yml": yaml.safe_dump({"small": {"outputs": {"dev": {"type": "duckdb", **entry}}}})}


def folder(entry: Mapping[str, Any]) -> dict[str, str]:
    return project({"models": {"small": {f"+{key}": value for key, value in entry.items()}}})


def template(entry: Mapping[str, Any]) -> dict[str, str]:
    stated = ", ".join(f"{key.replace('-', '_')}={value!r}" for key, value in entry.items())
    return {"models/m.sql": f"{{{{ config({stated}) }}}} {MODEL}"}


def snapshot(entry: Mapping[str, Any]) -> dict[str, str]:
    needed = "{{ config(strategy='check', unique_key='x', check_cols='all') }}"
    text = template(entry)["models/m.sql"]
    return {"snapshots/h.sql": f"{{% snapshot h %}}{needed}{text}{{% endsnapshot %}}"}


def singular(entry: Mapping[str, Any]) -> dict[str, str]:
    return {"tests/t.sql": template(entry)["models/m.sql"]}


def packages(entry: Mapping[str, Any]) -> dict[str, str]:
    return {"packages.yml": yaml.safe_dump({"packages": [{"package": "a/b", **entry}]})}


def at(*path: str) -> tuple[Keys, Callable[[Mapping[str, Any]], dict[str, str]]]:
    return below(PROPERTIES, *path), properties(*path)


PLACES = {
    "dbt_project.yml": (PROJECT, project),
    "a folder in dbt_project.yml": (CONFIG["model"], folder),
    "a profile": (PROFILE, profile),
    "an output": (OUTPUT, output),
    "an entry of attach": (
        below(OUTPUT, "attach"),
        lambda entry: output({"attach": [{"path": "other.duckdb", **entry}]}),
    ),
    "packages.yml": (below(PACKAGES, "packages"), packages),
    "config() of a model": (CONFIG["model"], template),
    "config() of a check": (CONFIG["check"], singular),
    "a properties file": (PROPERTIES, properties()),
    "a model": at("models"),
    "a model's config": at("models", "config"),
    "a column": at("models", "columns"),
    "a column's config": at("models", "columns", "config"),
    "a column's meta": (META, properties("models", "columns", "config", "meta")),
    "a version": at("models", "versions"),
    "a constraint": at("models", "columns", "constraints"),
    "a contract": at("models", "config", "contract"),
    "a check": at("models", "columns", "data_tests"),
    "a check's config": at("models", "columns", "data_tests", "config"),
    "a snapshot": at("snapshots"),
    "a snapshot's config": at("snapshots", "config"),
    "config() of a snapshot": (CONFIG["snapshot"], snapshot),
    "a seed": at("seeds"),
    "a seed's config": at("seeds", "config"),
    "a source": at("sources"),
    "a source's table": at("sources", "tables"),
    "a source's config": at("sources", "tables", "config"),
    "a singular check": at("data_tests"),
    "a unit test": at("unit_tests"),
    "an entry of given": at("unit_tests", "given"),
    "overrides": at("unit_tests", "overrides"),
    "an exposure": at("exposures"),
    "a group": at("groups"),
    "a macro": at("macros"),
    "a macro's argument": at("macros", "arguments"),
}

# What every entry may refer to.
FILES = {"models/m.sql": MODEL, "seeds/s.csv": "x\n1\n", "macros/n.sql": "{% macro n(a) %}{% endmacro %}"}
