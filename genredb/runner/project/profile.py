"""Reads profiles.yml: the database file, the schema and the DuckDB settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import Notice, Place, ProjectError, UsageError
from genredb.runner.project.attached import further_set_up
from genredb.runner.project.files import key_line, mapping, parse_yaml, read_text, shown, text_of
from genredb.runner.project.key_faults import check_keys
from genredb.runner.project.keys import OUTPUT, PROFILE, SPARK
from genredb.runner.project.yml_jinja import YmlRenderer
from genredb.warehouse.settings import MOST_THREADS, Setting, SetUp

FILE = "profiles.yml"


@dataclass(frozen=True)
class Profile:
    """One output of a profile; ``file`` is None if there is no profiles.yml, ``path`` empty if it has none.

    ``threads`` (None if not set) and ``settings`` are DuckDB's; ``engine_settings`` holds both, and what else
    connections are given. ``spark_master`` and ``spark_settings`` are for builds on Spark. ``notices`` name
    settings without effect.
    """

    name: str
    target: str = "dev"
    path: str = ""
    schema: str = "main"
    threads: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    engine_settings: tuple[SetUp, ...] = ()
    spark_master: str = ""
    spark_settings: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    notices: tuple[Notice, ...] = ()

    def as_target(self, database: Path) -> dict[str, Any]:
        """Return the value of ``target`` in templates, for a database."""
        return {
            "name": self.target,
            "target_name": self.target,
            "profile_name": self.name,
            "type": "duckdb",
            "schema": self.schema,
            "database": database.name.split(".")[0],
            "path": self.path,
            "threads": self.threads or 1,
        }


def read_profile(root: Path, name: str, profiles_dir: Path | None, target: str | None) -> Profile:
    """Read the profile ``name`` from profiles.yml.

    It is looked for in ``profiles_dir`` or DBT_PROFILES_DIR alone if given, else in the working directory,
    the root and ~/.dbt. Raises UsageError for a folder or target that does not exist, ProjectError for an
    invalid file.
    """
    variable = os.environ.get("DBT_PROFILES_DIR")
    stated = profiles_dir or (Path(variable) if variable else None)
    folders = [stated] if stated else [Path.cwd(), root, Path.home() / ".dbt"]
    others: dict[Path, Mapping[str, Any]] = {}
    for file in dict.fromkeys(folder / FILE for folder in folders):
        if not file.is_file():
            continue
        text = read_text(file)
        profiles = _parse_rendered(text, str(file), YmlRenderer({}, {}))
        if name in profiles:
            return _parse(file, text, profiles, name, target)
        if stated or file.parent != Path.cwd() or file.parent == root:  # else it is of other projects
            others[file] = profiles
    if others:
        file, profiles = next(iter(others.items()))
        raise ProjectError(f"{file} has no profile '{name}'", name=name, choices=profiles)
    if stated:
        raise UsageError(f"{stated} has no profiles.yml")
    if target:
        raise UsageError(f"There is no profiles.yml with the target '{target}'")
    return Profile(name)


def _parse(file: Path, text: str, profiles: Mapping[str, Any], name: str, chosen: str | None) -> Profile:
    renderer = YmlRenderer({}, {})
    place = str(file)
    profile = mapping(profiles, name, place)
    ignored = check_keys(profile, PROFILE, place, text, (name,))
    outputs = mapping(profile, "outputs", place)
    usual = "default" if "default" in outputs else next(iter(outputs), "")  # dbt takes only the former
    target = chosen or str(renderer.render(profile.get("target", usual), place))
    if target not in outputs:
        error = UsageError if chosen else ProjectError
        raise error(f"profile '{name}' has no output '{target}'", place=file, name=target, choices=outputs)
    output = renderer.render(mapping(outputs, target, place), place)
    if output.get("type", "duckdb") != "duckdb":
        raise ProjectError(
            f"output '{target}' is of type '{output['type']}'; genredb runs on duckdb", place=file
        )
    ignored += check_keys(output, OUTPUT, place, text, (name, "outputs", target))
    spark = mapping(output, "spark", place)
    ignored += check_keys(spark, SPARK, place, text, (name, "outputs", target, "spark"))
    threads, settings = _threads(output, place), mapping(output, "settings", place)
    stated: dict[tuple[str, ...], Any] = {("threads",): threads} if threads else {}
    stated |= {("settings", key): value for key, value in settings.items()}
    above = (name, "outputs", target)
    return Profile(
        name=name,
        target=target,
        path=text_of(output, "path", place) or "",
        schema=text_of(output, "schema", place) or "main",
        threads=threads,
        settings=settings,
        engine_settings=(
            *(
                Setting(str(keys[-1]), value, Place(place, key_line(text, (*above, *keys))))
                for keys, value in stated.items()
            ),
            *further_set_up(output, place, text, above),
        ),
        spark_master=text_of(spark, "master", place) or "",
        spark_settings=mapping(spark, "settings", place),
        file=file,
        notices=tuple(ignored),
    )


def _threads(output: Mapping[str, Any], path: str) -> int | None:
    stated = output.get("threads")
    if stated is None:
        return None
    if not isinstance(stated, int) or isinstance(stated, bool) or not 1 <= stated <= MOST_THREADS:
        raise ProjectError(
            f"`threads:` should be a number from 1 to {MOST_THREADS}, not {shown(stated)}", place=path
        )
    return stated


def _parse_rendered(text: str, path: str, renderer: YmlRenderer) -> Mapping[str, Any]:
    """Parse the text; if jinja makes it invalid yml, render it first."""
    try:
        return parse_yaml(text, path)
    except ProjectError:
        if "{{" not in text and "{%" not in text:
            raise
        return parse_yaml(str(renderer.render(text, path)), path)
