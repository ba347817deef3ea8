"""Resolves the configuration: the project, the database file, the raw files and the variables.

dbt_project.yml and profiles.yml are read as dbt reads them; the command line and the environment
(:class:`Settings`) take precedence over both. A relative database path is relative to the project root. If
there is no dbt_project.yml in the working directory or above it, the shipped project is used, with the
database and ``data/raw`` of the working directory.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import Notice, Place, ProjectError, UsageError
from genredb.runner.project.files import is_utf_8, mapping, parse_yaml, read_text, resolved, text_list
from genredb.runner.project.key_faults import check_keys, check_project_keys
from genredb.runner.project.keys import PACKAGES
from genredb.runner.project.profile import Profile, read_profile
from genredb.runner.project.reserved import DUCKDB_SCHEMAS, OWN_SCHEMAS
from genredb.runner.project.yml_jinja import YmlRenderer
from genredb.warehouse.readers.formats import suffix_of
from genredb.warehouse.settings import Setting

PROJECT_FILE = "dbt_project.yml"
# These names would be ambiguous: DuckDB and genredb use them for catalogs and schemas.
RESERVED_NAMES = OWN_SCHEMAS | DUCKDB_SCHEMAS | {"main", "temp", "system", "raw"}


@dataclass(frozen=True)
class Settings:
    """Settings from the command line and the environment; None or empty means the project decides.

    ``uses_sample`` asks for the synthetic sample even if other raw files exist. ``memory_limit`` and
    ``threads`` are passed to DuckDB. ``engine`` is ``duckdb`` or ``spark``, whose master's URL is ``master``.
    """

    project_dir: Path | None = None
    profiles_dir: Path | None = None
    target: str | None = None
    database: Path | None = None
    raw_dir: Path | None = None
    uses_sample: bool = False
    vars: Mapping[str, Any] = field(default_factory=dict)
    memory_limit: str | None = None
    threads: int | None = None
    engine: str = "duckdb"
    master: str | None = None


@dataclass(frozen=True)
class Config:
    """The resolved configuration of one project; all paths are absolute.

    ``home`` is where builds write: the root, or the working directory for the shipped project. ``settings``
    are those of the command line and the environment. ``declared_vars`` are the names of the variables in
    dbt_project.yml. ``models``, ``seeds``, ``sources`` and ``checks`` are its configuration trees.
    """

    root: Path
    home: Path
    name: str
    profile: Profile
    database: Path
    raw_dir: Path
    is_sample: bool
    is_shipped: bool
    target_dir: Path
    clean_targets: tuple[Path, ...]
    model_paths: tuple[Path, ...]
    seed_paths: tuple[Path, ...]
    macro_paths: tuple[Path, ...]
    test_paths: tuple[Path, ...]
    snapshot_paths: tuple[Path, ...]
    vars: Mapping[str, Any]
    declared_vars: frozenset[str]
    models: Mapping[str, Any]
    seeds: Mapping[str, Any]
    sources: Mapping[str, Any]
    checks: Mapping[str, Any]
    on_run_start: tuple[str, ...]
    on_run_end: tuple[str, ...]
    files: tuple[Path, ...]
    environment: tuple[str, ...]
    notices: tuple[Notice, ...]
    settings: Settings

    @property
    def log_file(self) -> Path:
        """The log file of this project; the previous one is ``genredb.log.1``."""
        return self.target_dir / "genredb.log"

    @property
    def failed_build(self) -> Path:
        """Where the database of a failed build is kept for ``retry`` until a build succeeds."""
        return self.target_dir / "failed.duckdb"

    @property
    def engine(self) -> tuple[Setting, ...]:
        """DuckDB settings for every connection: those of the profile, then those of the command line."""
        stated = {"threads": self.settings.threads, "memory_limit": self.settings.memory_limit}
        last = (Setting(name, value) for name, value in stated.items() if value is not None)
        return (*self.profile.engine_settings, *last)

    @property
    def schema(self) -> str:
        """The default schema, ``target.schema`` in templates."""
        return self.profile.schema

    @property
    def database_name(self) -> str:
        """The catalog name that DuckDB gives the file: its name up to the first dot."""
        return self.database.name.split(".")[0]

    @property
    def target(self) -> Mapping[str, Any]:
        """The value of ``target`` in templates."""
        return _target(self.profile, self.database)

    def show_path(self, path: Path) -> str:
        """Return the path as messages show it: relative to the root if it is inside it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def shipped_root() -> Path:
    """Return the root of the shipped project: inside the package in a wheel, next to it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent


def read_config(settings: Settings) -> Config:
    """Read dbt_project.yml and profiles.yml and resolve all paths.

    Raises ProjectError if a file is missing or invalid, UsageError if a folder does not exist.
    """
    root, is_shipped = _find_root(settings.project_dir)
    home = Path.cwd().resolve() if is_shipped else root
    text = read_text(root / PROJECT_FILE)
    stated = parse_yaml(text, str(root / PROJECT_FILE))
    ignored = check_project_keys(stated, PROJECT_FILE, text)
    name = stated.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise ProjectError(f"{root / PROJECT_FILE} needs a `name:` of letters, digits and underscores")
    profile = read_profile(root, str(stated.get("profile", name)), settings.profiles_dir, settings.target)
    database = _settle_database(settings.database or home / profile.path)
    declared = _scoped_vars(mapping(stated, "vars", PROJECT_FILE), name)
    variables = declared | dict(settings.vars)
    renderer = YmlRenderer(variables, _target(profile, database))
    # Variables are not rendered, as in dbt.
    project = renderer.render({key: stated[key] for key in stated if key != "vars"}, PROJECT_FILE)
    raw_dir, is_sample = _find_raw(root, home, settings)
    for path in (home, database, raw_dir):
        if not is_utf_8(path):
            raise UsageError(f"The name of {path} is not UTF-8", cure="rename it")
    paths = functools.partial(_paths, project, root)
    tree = functools.partial(mapping, project, path=PROJECT_FILE)

    return Config(
        root=root,
        home=home,
        name=name,
        profile=profile,
        database=database,
        raw_dir=raw_dir,
        is_sample=is_sample,
        is_shipped=is_shipped,
        target_dir=home / str(project.get("target-path") or "target"),
        clean_targets=_paths(project, home, "clean-targets", None),
        model_paths=paths("model-paths", "models"),
        seed_paths=paths("seed-paths", "seeds"),
        macro_paths=paths("macro-paths", "macros"),
        test_paths=paths("test-paths", "tests"),
        snapshot_paths=paths("snapshot-paths", "snapshots"),
        vars=variables,
        declared_vars=frozenset(declared),
        models=tree(key="models"),
        seeds=tree(key="seeds"),
        sources=tree(key="sources"),
        checks={**tree(key="tests"), **tree(key="data_tests")},
        on_run_start=text_list(project.get("on-run-start"), "on-run-start", PROJECT_FILE),
        on_run_end=text_list(project.get("on-run-end"), "on-run-end", PROJECT_FILE),
        files=(root / PROJECT_FILE, *((profile.file,) if profile.file else ())),
        environment=tuple(sorted(renderer.environment_names)),
        notices=(*profile.notices, *ignored, *_notices(root)),
        settings=settings,
    )


def _target(profile: Profile, database: Path) -> Mapping[str, Any]:
    return {
        "name": profile.target,
        "target_name": profile.target,
        "profile_name": profile.name,
        "type": "duckdb",
        "schema": profile.schema,
        "database": database.name.split(".")[0],
        "path": profile.path,
        "threads": profile.threads or 1,
    }


def _notices(root: Path) -> Iterator[Notice]:
    """Yield a notice for each file that dbt would use and genredb does not."""
    for name in ("packages.yml", "dependencies.yml"):
        if (root / name).is_file():
            text = read_text(root / name)
            content = parse_yaml(text, name)
            yield from check_keys(content, PACKAGES, name, text)
            stated = content.get("packages")
            entries = stated if isinstance(stated, list) else []
            named = [
                str(next(iter(entry.values()))) for entry in entries if isinstance(entry, Mapping) and entry
            ]
            if named:
                what = f"genredb does not support packages and ignores {', '.join(named)}"
                yield Notice(what, Place(name))
    if (root / "selectors.yml").is_file():
        cure = "use --select"
        yield Notice("genredb ignores this file", Place("selectors.yml"), cure)


def _find_root(project_dir: Path | None) -> tuple[Path, bool]:
    if project_dir is not None:
        if not (project_dir / PROJECT_FILE).is_file():
            raise UsageError(f"{project_dir} has no {PROJECT_FILE}", cure="name the folder that holds it")
        return project_dir.resolve(), False
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder.resolve(), False
    return shipped_root(), True


def _paths(project: Mapping[str, Any], folder: Path, key: str, default: str | None) -> tuple[Path, ...]:
    """Return the folders listed under a key of dbt_project.yml; except for targets, they must exist."""
    stated = project.get(key)
    if stated is None:
        return (folder / default,) if default else ()
    if not isinstance(stated, list) or not all(isinstance(path, str) for path in stated):
        raise ProjectError(
            f"`{key}:` should be a list of folders, such as [{default or 'target'}]", place=PROJECT_FILE
        )
    missing = [path for path in stated if default and not (folder / path).is_dir()]
    if missing and key == "model-paths":
        raise ProjectError(
            f"`{key}:` names the folder {missing[0]}, which does not exist", place=PROJECT_FILE
        )
    return tuple(folder / path for path in stated)


def _settle_database(path: Path) -> Path:
    """Return the database's path with links resolved; raise an error if it cannot be a database."""
    path = resolved(path)
    if not path.parent.is_dir():
        raise UsageError(f"The folder of the database, {path.parent}, does not exist", cure="create it first")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", cure="name a file for the database")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a regular file", cure="name another one for the database")
    name = path.name.split(".")[0]
    if not re.fullmatch(r"[\w -]+", name) or name.lower() in RESERVED_NAMES or "?" in str(path):
        raise UsageError(
            f"A database cannot be called '{path.name}'", cure="choose another name, such as genre.duckdb"
        )
    return path


def _find_raw(root: Path, home: Path, settings: Settings) -> tuple[Path, bool]:
    """Return the folder of the raw files, and True if it is the shipped synthetic sample."""
    sample, raw_dir = root / "data" / "sample", settings.raw_dir
    if settings.uses_sample:
        if raw_dir is not None:
            raise UsageError("--sample and --raw-dir cannot be combined", cure="give one of them")
        if not sample.is_dir():
            raise UsageError(f"The project has no sample: there is no folder {sample}")
        return sample, True
    if raw_dir is not None:
        if not raw_dir.is_dir():
            raise UsageError(f"The raw folder {raw_dir} does not exist")
        # Links are not resolved, since their target may change.
        folder = resolved(raw_dir) if ".." in raw_dir.parts else raw_dir.absolute()
        return folder, raw_dir.resolve() == sample.resolve()
    own = home / "data" / "raw"
    if own.is_dir() and any(suffix_of(path.name) for path in own.iterdir()):
        return own, False
    return (sample, True) if sample.is_dir() else (own, False)


def _scoped_vars(stated: Mapping[str, Any], project_name: str) -> dict[str, Any]:
    """Return the variables; those scoped to the project override the global ones, as in dbt."""
    scoped = stated.get(project_name)
    if not isinstance(scoped, Mapping):
        return dict(stated)
    return {key: value for key, value in stated.items() if key != project_name} | dict(scoped)
