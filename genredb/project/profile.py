"""Reads profiles.yml: which database file, which schema, which settings of DuckDB."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError, UsageError, did_you_mean
from genredb.project.files import mapping, parse_yaml, read_text
from genredb.project.yml_jinja import YmlRenderer

FILE = "profiles.yml"
_DEFAULT_PATH = "genre.duckdb"
_KNOWN = frozenset("type path schema threads settings database".split())


@dataclass(frozen=True)
class Profile:
    """One output of a profile; ``file`` is None where there is no profiles.yml at all.

    ``settings`` are DuckDB's, set before anything runs. ``notices`` name what has no effect here.
    """

    name: str
    target: str = "dev"
    path: str = _DEFAULT_PATH
    schema: str = "main"
    threads: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    notices: tuple[str, ...] = ()


def read_profile(root: Path, name: str, profiles_dir: Path | None, target: str | None) -> Profile:
    """Read the profile ``name`` of profiles.yml: from ``profiles_dir``, else the root, else ~/.dbt.

    Raises UsageError for a folder or target that does not exist, ProjectError for a file that is wrong.
    """
    folders = [profiles_dir] if profiles_dir else [root, Path.home() / ".dbt"]
    file = next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)
    if file is None:
        if profiles_dir:
            raise UsageError(f"{profiles_dir} has no profiles.yml.")
        if target:
            raise UsageError(f"There is no profiles.yml that could hold the target '{target}'.")
        return Profile(name)
    return _parse(file, name, target)


def _parse(file: Path, name: str, chosen: str | None) -> Profile:
    renderer = YmlRenderer({}, {})
    place = str(file)
    profiles = _read_rendered(file, renderer)
    if name not in profiles:
        raise ProjectError(f"{file} has no profile '{name}'.{did_you_mean(name, profiles)}")
    profile = mapping(profiles, name, place)
    outputs = mapping(profile, "outputs", place)
    target = chosen or str(renderer.render(profile.get("target", next(iter(outputs), "")), place))
    if target not in outputs:
        error = UsageError if chosen else ProjectError
        raise error(f"{file}: profile '{name}' has no output '{target}'.{did_you_mean(target, outputs)}")
    output = renderer.render(mapping(outputs, target, place), place)
    if output.get("type", "duckdb") != "duckdb":
        raise ProjectError(
            f"{file}: output '{target}' is of type '{output['type']}'; genredb runs on duckdb."
        )
    ignored = [key for key in output if key not in _KNOWN]
    return Profile(
        name=name,
        target=target,
        path=str(output.get("path", _DEFAULT_PATH)),
        schema=str(output.get("schema", "main")),
        threads=int(output.get("threads", 1)),
        settings=mapping(output, "settings", place),
        file=file,
        notices=tuple(f"{FILE}: genredb ignores `{key}` of output '{target}'." for key in ignored),
    )


def _read_rendered(file: Path, renderer: YmlRenderer) -> Mapping[str, Any]:
    """Parse the file; where jinja keeps it from being yml, render its text first."""
    text = read_text(file)
    try:
        return parse_yaml(text, str(file))
    except ProjectError:
        if "{{" not in text and "{%" not in text:
            raise
        return parse_yaml(str(renderer.render(text, str(file))), str(file))
