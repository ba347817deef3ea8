"""Settles where things are: the project, the database file, the raw CSVs, the variables.

dbt_project.yml and profiles.yml are read as dbt reads them; the command line and the environment
(:class:`Settings`) come before both. A relative database path is relative to the project's root.
Without a dbt_project.yml in the working directory or above, the project that genredb ships is used,
and the database and ``data/raw`` are those of the working directory.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError, UsageError, did_you_mean
from genredb.project.files import mapping, read_text, read_yaml, render_env

PROJECT_FILE = "dbt_project.yml"
# A database of such a name would be confused with DuckDB's own or with a schema of genredb's.
_RESERVED = frozenset("main temp system pg_catalog information_schema raw meta ml".split())


@dataclass(frozen=True)
class Settings:
    """What the command line and the environment say; None and empty mean: as the project says."""

    project_dir: Path | None = None
    profiles_dir: Path | None = None
    database: Path | None = None
    raw_dir: Path | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """The settled configuration of one project; all paths are absolute.

    ``home`` is where a build writes: the root, or the working directory for the shipped project.
    """

    root: Path
    home: Path
    name: str
    database: Path
    schema: str
    raw_dir: Path
    is_sample: bool
    is_shipped: bool
    clean_targets: tuple[Path, ...]
    model_paths: tuple[Path, ...]
    seed_paths: tuple[Path, ...]
    macro_paths: tuple[Path, ...]
    test_paths: tuple[Path, ...]
    vars: Mapping[str, Any]
    models: Mapping[str, Any]
    seeds: Mapping[str, Any]
    files: tuple[Path, ...]

    @property
    def database_name(self) -> str:
        """The catalog name DuckDB gives the file: its name up to the first dot."""
        return self.database.name.split(".")[0]

    def show_path(self, path: Path) -> str:
        """Return the path as a message should show it: relative to the root where it lies below it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def shipped_root() -> Path:
    """Return the project that genredb ships: in the wheel below the package, in a checkout beside it."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent


def read_config(settings: Settings) -> Config:
    """Read dbt_project.yml and profiles.yml, and settle every path.

    Raises ProjectError where a file is missing or wrong, UsageError for a folder that does not exist.
    """
    root, is_shipped = _find_root(settings.project_dir)
    home = Path.cwd() if is_shipped else root
    project = read_yaml(root / PROJECT_FILE)
    name = project.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise ProjectError(f"{root / PROJECT_FILE} needs a `name:` of letters, digits and underscores.")
    profile, profile_file = _read_profile(root, str(project.get("profile", name)), settings.profiles_dir)
    raw_dir, is_sample = _find_raw(root, home, settings.raw_dir)
    database = settings.database or home / str(profile.get("path", "genre.duckdb"))
    paths = functools.partial(_paths, project, root)

    return Config(
        root=root,
        home=home.resolve(),
        name=name,
        database=_settle_database(database),
        schema=str(profile.get("schema", "main")),
        raw_dir=raw_dir,
        is_sample=is_sample,
        is_shipped=is_shipped,
        clean_targets=_paths(project, home, "clean-targets", None),
        model_paths=paths("model-paths", "models"),
        seed_paths=paths("seed-paths", "seeds"),
        macro_paths=paths("macro-paths", "macros"),
        test_paths=paths("test-paths", "tests"),
        vars=_scoped_vars(mapping(project, "vars", PROJECT_FILE), name) | dict(settings.vars),
        models=mapping(project, "models", PROJECT_FILE),
        seeds=mapping(project, "seeds", PROJECT_FILE),
        files=(root / PROJECT_FILE, *((profile_file,) if profile_file else ())),
    )


def _find_root(project_dir: Path | None) -> tuple[Path, bool]:
    if project_dir is not None:
        if not (project_dir / PROJECT_FILE).is_file():
            raise UsageError(f"{project_dir} has no {PROJECT_FILE}; name the folder that holds it.")
        return project_dir.resolve(), False
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder, False
    return shipped_root(), True


def _read_profile(root: Path, name: str, profiles_dir: Path | None) -> tuple[Mapping[str, Any], Path | None]:
    folders = [profiles_dir] if profiles_dir else [root, Path.home() / ".dbt"]
    file = next((folder / "profiles.yml" for folder in folders if (folder / "profiles.yml").is_file()), None)
    if file is None:
        if profiles_dir:
            raise UsageError(f"{profiles_dir} has no profiles.yml.")
        return {}, None
    profiles = read_yaml(file, render_env(read_text(file)))
    if name not in profiles:
        raise ProjectError(f"{file} has no profile '{name}'.{did_you_mean(name, profiles)}")
    profile = mapping(profiles, name, str(file))
    outputs = mapping(profile, "outputs", str(file))
    target = str(profile.get("target", next(iter(outputs), "")))
    if target not in outputs:
        raise ProjectError(
            f"{file}: profile '{name}' has no output '{target}'.{did_you_mean(target, outputs)}"
        )
    output = mapping(outputs, target, str(file))
    if output.get("type", "duckdb") != "duckdb":
        raise ProjectError(
            f"{file}: output '{target}' is of type '{output['type']}'; genredb runs on duckdb."
        )
    return output, file


def _paths(project: Mapping[str, Any], folder: Path, key: str, default: str | None) -> tuple[Path, ...]:
    """Return the folders that a key of dbt_project.yml lists; those it states must exist, but for targets."""
    stated = project.get(key)
    if stated is None:
        return (folder / default,) if default else ()
    if not isinstance(stated, list) or not all(isinstance(path, str) for path in stated):
        raise ProjectError(
            f"{PROJECT_FILE}: `{key}:` should be a list of folders, such as [{default or 'target'}]."
        )
    missing = [path for path in stated if default and not (folder / path).is_dir()]
    if missing and key == "model-paths":
        raise ProjectError(f"{PROJECT_FILE}: `{key}:` names the folder {missing[0]}, which does not exist.")
    return tuple(folder / path for path in stated)


def _settle_database(path: Path) -> Path:
    """Return the database's real path (a link's target), if it can be one."""
    path = path.resolve()
    if not path.parent.is_dir():
        raise UsageError(f"The folder of the database, {path.parent}, does not exist; create it first.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file for the database.")
    name = path.name.split(".")[0]
    if not re.fullmatch(r"[\w -]+", name) or name.lower() in _RESERVED or "?" in str(path):
        raise UsageError(
            f"A database cannot be called '{path.name}'; choose another name, such as genre.duckdb."
        )
    return path


def _find_raw(root: Path, home: Path, raw_dir: Path | None) -> tuple[Path, bool]:
    """Return the folder of the raw CSVs and whether it is the shipped synthetic sample."""
    if raw_dir is not None:
        if not raw_dir.is_dir():
            raise UsageError(f"The raw folder {raw_dir} does not exist.")
        return raw_dir.absolute(), raw_dir.resolve() == (root / "data" / "sample").resolve()
    own = home / "data" / "raw"
    if own.is_dir() and any(path.suffix.lower() == ".csv" for path in own.iterdir()):
        return own, False
    sample = root / "data" / "sample"
    return (sample, True) if sample.is_dir() else (own, False)


def _scoped_vars(stated: Mapping[str, Any], project_name: str) -> dict[str, Any]:
    """Return the variables; those under the project's own name win over the global ones, as in dbt."""
    scoped = stated.get(project_name)
    if not isinstance(scoped, Mapping):
        return dict(stated)
    return {key: value for key, value in stated.items() if key != project_name} | dict(scoped)
