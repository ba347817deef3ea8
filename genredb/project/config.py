"""Settles where things are: the project, the database file, the raw CSVs, the variables.

dbt_project.yml and profiles.yml are read as dbt reads them; the command line and the environment
(:class:`Settings`) come before both. A relative database path is relative to the project's root.
Without a dbt_project.yml in the working directory or above, the project that genredb ships is used,
and the database and ``data/raw`` are those of the working directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError, UsageError, did_you_mean
from genredb.project.files import read_text, read_yaml, render_env

PROJECT_FILE = "dbt_project.yml"


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
    if not isinstance(name, str):
        raise ProjectError(f"{root / PROJECT_FILE} has no `name:`; give the project one.")
    profile, profile_file = _read_profile(root, str(project.get("profile", name)), settings.profiles_dir)
    raw_dir, is_sample = _find_raw(root, home, settings.raw_dir)
    database = (settings.database or home / str(profile.get("path", "genre.duckdb"))).absolute()
    if not database.parent.is_dir():
        raise UsageError(f"The folder of the database, {database.parent}, does not exist; create it first.")

    def paths(key: str, default: str) -> tuple[Path, ...]:
        return tuple(root / str(path) for path in project.get(key, [default]))

    return Config(
        root=root,
        home=home.resolve(),
        name=name,
        database=database,
        schema=str(profile.get("schema", "main")),
        raw_dir=raw_dir,
        is_sample=is_sample,
        is_shipped=is_shipped,
        clean_targets=tuple(home / str(path) for path in project.get("clean-targets", [])),
        model_paths=paths("model-paths", "models"),
        seed_paths=paths("seed-paths", "seeds"),
        macro_paths=paths("macro-paths", "macros"),
        test_paths=paths("test-paths", "tests"),
        vars=_scoped_vars(project.get("vars") or {}, name) | dict(settings.vars),
        models=project.get("models") or {},
        seeds=project.get("seeds") or {},
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
    outputs = profiles[name].get("outputs") or {}
    target = profiles[name].get("target", next(iter(outputs), ""))
    if target not in outputs:
        raise ProjectError(
            f"{file}: profile '{name}' has no output '{target}'.{did_you_mean(target, outputs)}"
        )
    output: Mapping[str, Any] = outputs[target]
    if output.get("type", "duckdb") != "duckdb":
        raise ProjectError(
            f"{file}: output '{target}' is of type '{output['type']}'; genredb runs on duckdb."
        )
    return output, file


def _find_raw(root: Path, home: Path, raw_dir: Path | None) -> tuple[Path, bool]:
    """Return the folder of the raw CSVs and whether it is the shipped synthetic sample."""
    if raw_dir is not None:
        if not raw_dir.is_dir():
            raise UsageError(f"The raw folder {raw_dir} does not exist.")
        return raw_dir.absolute(), False
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
