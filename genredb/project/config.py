"""Settles where things are: the project, the database file, the raw CSVs, the variables.

dbt_project.yml and profiles.yml are read as dbt reads them; the command line and the environment
(:class:`Settings`) come before both. A relative database path is relative to the project's root.
Without a dbt_project.yml in the working directory or above, the project that genredb ships is used,
and the database and ``data/raw`` are those of the working directory.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredb.errors import ProjectError, UsageError
from genredb.project.files import is_utf_8, mapping, parse_yaml, read_text, resolved, text_list
from genredb.project.keys import PACKAGES, check_keys, check_project_keys
from genredb.project.profile import Profile, read_profile
from genredb.project.yml_jinja import YmlRenderer

PROJECT_FILE = "dbt_project.yml"
# A database of such a name would be confused with DuckDB's own or with a schema of genredb's.
RESERVED_NAMES = frozenset("main temp system pg_catalog information_schema raw meta ml".split())


@dataclass(frozen=True)
class Settings:
    """What the command line and the environment say; None and empty mean: as the project says.

    ``uses_sample`` asks for the synthetic sample, whatever else there is.
    """

    project_dir: Path | None = None
    profiles_dir: Path | None = None
    target: str | None = None
    database: Path | None = None
    raw_dir: Path | None = None
    uses_sample: bool = False
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """The settled configuration of one project; all paths are absolute.

    ``home`` is where a build writes: the root, or the working directory for the shipped project.
    ``settings`` are what the command line stated.
    ``declared_vars`` are the names that dbt_project.yml gives values. ``models``, ``seeds``, ``sources`` and
    ``checks`` are its trees of configuration.
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
    notices: tuple[str, ...]
    settings: Settings

    @property
    def log_file(self) -> Path:
        """Where the runs of this project are logged; it and the one before it, ``genredb.log.1``."""
        return self.target_dir / "genredb.log"

    @property
    def failed_build(self) -> Path:
        """Where the database of a failed build is kept for ``retry``, until a build succeeds."""
        return self.target_dir / "failed.duckdb"

    @property
    def schema(self) -> str:
        """The schema of relations that state none, ``target.schema`` in templates."""
        return self.profile.schema

    @property
    def database_name(self) -> str:
        """The catalog name DuckDB gives the file: its name up to the first dot."""
        return self.database.name.split(".")[0]

    @property
    def target(self) -> Mapping[str, Any]:
        """What templates see as ``target``."""
        return _target(self.profile, self.database)

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
    home = Path.cwd().resolve() if is_shipped else root
    text = read_text(root / PROJECT_FILE)
    stated = parse_yaml(text, str(root / PROJECT_FILE))
    ignored = check_project_keys(stated, PROJECT_FILE, text)
    name = stated.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise ProjectError(f"{root / PROJECT_FILE} needs a `name:` of letters, digits and underscores.")
    profile = read_profile(root, str(stated.get("profile", name)), settings.profiles_dir, settings.target)
    database = _settle_database(settings.database or home / profile.path)
    declared = _scoped_vars(mapping(stated, "vars", PROJECT_FILE), name)
    variables = declared | dict(settings.vars)
    renderer = YmlRenderer(variables, _target(profile, database))
    # Variables are as they stand, as in dbt.
    project = renderer.render({key: stated[key] for key in stated if key != "vars"}, PROJECT_FILE)
    raw_dir, is_sample = _find_raw(root, home, settings)
    for path in (home, database, raw_dir):
        if not is_utf_8(path):
            raise UsageError(f"The name of {path} is not UTF-8; rename it.")
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


def _notices(root: Path) -> Iterator[str]:
    """Name the files that dbt would heed and genredb does not."""
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
                yield f"{name}: genredb supports no packages and ignores {', '.join(named)}."
    if (root / "selectors.yml").is_file():
        yield "selectors.yml: genredb ignores it; name what to select by --select."


def _find_root(project_dir: Path | None) -> tuple[Path, bool]:
    if project_dir is not None:
        if not (project_dir / PROJECT_FILE).is_file():
            raise UsageError(f"{project_dir} has no {PROJECT_FILE}; name the folder that holds it.")
        return project_dir.resolve(), False
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder.resolve(), False
    return shipped_root(), True


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
    path = resolved(path)
    if not path.parent.is_dir():
        raise UsageError(f"The folder of the database, {path.parent}, does not exist; create it first.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file for the database.")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no regular file; name another one for the database.")
    name = path.name.split(".")[0]
    if not re.fullmatch(r"[\w -]+", name) or name.lower() in RESERVED_NAMES or "?" in str(path):
        raise UsageError(
            f"A database cannot be called '{path.name}'; choose another name, such as genre.duckdb."
        )
    return path


def _find_raw(root: Path, home: Path, settings: Settings) -> tuple[Path, bool]:
    """Return the folder of the raw CSVs and whether it is the shipped synthetic sample."""
    sample, raw_dir = root / "data" / "sample", settings.raw_dir
    if settings.uses_sample:
        if raw_dir is not None:
            raise UsageError("--sample and --raw-dir exclude each other; give one of them.")
        if not sample.is_dir():
            raise UsageError(f"The project has no sample: there is no folder {sample}.")
        return sample, True
    if raw_dir is not None:
        if not raw_dir.is_dir():
            raise UsageError(f"The raw folder {raw_dir} does not exist.")
        # A link stays one, for it may lead elsewhere tomorrow.
        folder = resolved(raw_dir) if ".." in raw_dir.parts else raw_dir.absolute()
        return folder, raw_dir.resolve() == sample.resolve()
    own = home / "data" / "raw"
    if own.is_dir() and any(path.suffix.lower() == ".csv" for path in own.iterdir()):
        return own, False
    return (sample, True) if sample.is_dir() else (own, False)


def _scoped_vars(stated: Mapping[str, Any], project_name: str) -> dict[str, Any]:
    """Return the variables; those under the project's own name win over the global ones, as in dbt."""
    scoped = stated.get(project_name)
    if not isinstance(scoped, Mapping):
        return dict(stated)
    return {key: value for key, value in stated.items() if key != project_name} | dict(scoped)
