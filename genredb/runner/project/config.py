"""Resolves the configuration: the project and its packages, the database file, the raw files, the variables.

dbt_project.yml and profiles.yml are read as dbt reads them; the command line and the environment
(:class:`Settings`) take precedence over both. A relative database path is relative to the project root. If
there is no dbt_project.yml in the working directory or above it, the shipped project is used, with the
database and ``data/raw`` of the working directory.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from genredb.errors import Notice, Place, UsageError
from genredb.runner.project.attached import placed
from genredb.runner.project.files import is_utf_8, resolved
from genredb.runner.project.installed import read_installed
from genredb.runner.project.package import (
    PROJECT_FILE,
    Package,
    RunHook,
    Stated,
    folders,
    package_of,
    read_stated,
)
from genredb.runner.project.profile import Profile, read_profile
from genredb.runner.project.reserved import DUCKDB_SCHEMAS, OWN_SCHEMAS
from genredb.warehouse.readers.formats import suffix_of
from genredb.warehouse.settings import Attachment, Setting, SetUp

# These names would be ambiguous: DuckDB and genredb use them for catalogs and schemas.
RESERVED_NAMES = OWN_SCHEMAS | DUCKDB_SCHEMAS | {"main", "temp", "system", "raw"}


@dataclass(frozen=True)
class Settings:
    """Settings from the command line and the environment; None or empty means the project decides.

    ``uses_sample`` asks for the synthetic sample even if other raw files exist. ``memory_limit`` and
    ``threads`` are passed to DuckDB. ``engine`` is ``duckdb`` or ``spark``, whose master's URL is ``master``.
    With ``is_empty``, ``ref`` and ``source`` give no rows.
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
    is_empty: bool = False


@dataclass(frozen=True)
class Config:
    """The resolved configuration of one project; all paths are absolute.

    ``package`` is the project itself, ``installed`` are the packages that it uses. ``home`` is where builds
    write: the root, or the working directory for the shipped project. ``settings`` are those of the command
    line and the environment.
    """

    package: Package
    installed: tuple[Package, ...]
    missing: tuple[str, ...]
    home: Path
    profile: Profile
    database: Path
    raw_dir: Path
    is_sample: bool
    is_shipped: bool
    target_dir: Path
    clean_targets: tuple[Path, ...]
    environment: tuple[str, ...]
    notices: tuple[Notice, ...]
    settings: Settings

    @property
    def root(self) -> Path:
        """The folder of dbt_project.yml."""
        return self.package.root

    @property
    def name(self) -> str:
        """The name of the project."""
        return self.package.name

    @property
    def packages(self) -> tuple[Package, ...]:
        """The project itself and the packages that it uses."""
        return (self.package, *self.installed)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were read for this configuration."""
        found = [path for package in self.packages for path in package.files]
        return (*found, *((self.profile.file,) if self.profile.file else ()))

    @property
    def vars(self) -> Mapping[str, Any]:
        """The variables of the project's own templates."""
        return self.vars_of(self.name)

    def vars_of(self, name: str) -> Mapping[str, Any]:
        """Return the variables of a package's templates: its own, then the project's, as in dbt."""
        own = next((one.vars_for(name) for one in self.installed if one.name == name), {})
        return {**own, **self.package.vars_for(name), **self.settings.vars}

    def hooks(self, key: str) -> tuple[RunHook, ...]:
        """Return the hooks of ``on-run-start`` or ``on-run-end``: those of packages, then the project's."""
        ordered = (*sorted(self.installed, key=lambda package: package.name), self.package)
        return tuple(hook for package in ordered for hook in package.hooks if hook.key == key)

    @property
    def log_file(self) -> Path:
        """The log file of this project; the previous one is ``genredb.log.1``."""
        return self.target_dir / "genredb.log"

    @property
    def failed_build(self) -> Path:
        """Where the database of a failed build is kept for ``retry`` until a build succeeds."""
        return self.target_dir / "failed.duckdb"

    @property
    def engine(self) -> tuple[SetUp, ...]:
        """What every connection is given: the settings of the profile and of the command line, and more."""
        stated = {"threads": self.settings.threads, "memory_limit": self.settings.memory_limit}
        last = (Setting(name, value) for name, value in stated.items() if value is not None)
        # Relative paths in SQL are relative to the project, as in dbt, which changes into its folder.
        first = () if "," in str(self.root) else (Setting("file_search_path", str(self.root)),)
        return (*first, *self.profile.engine_settings, *last)

    @property
    def attached(self) -> Mapping[str, Attachment]:
        """The further databases that are attached, by their names in lower case."""
        found = self.profile.engine_settings
        return {one.name.lower(): one for one in found if isinstance(one, Attachment)}

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
        return self.profile.as_target(self.database)

    def path_in_package(self, name: str, shown: str) -> str:
        """Return the path of a package's file below the package's root; ``shown`` is as messages show it."""
        file = self.root / shown
        root = next(package.root for package in self.packages if package.name == name)
        return file.relative_to(root).as_posix() if file.is_relative_to(root) else shown.lstrip("/")

    def show_path(self, path: Path) -> str:
        """Return the path as messages show it: relative to the root if it is inside it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def shipped_root() -> Path:
    """Return the root of the shipped project: inside the package in a wheel, next to it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent


def read_own_package(settings: Settings) -> tuple[Package, Mapping[str, Any]]:
    """Read dbt_project.yml alone, without the packages that the project uses; return it with ``target``."""
    root, is_shipped = _find_root(settings.project_dir)
    stated = read_stated(root, root)
    profile, database = _read_profile(stated, Path.cwd() if is_shipped else root, settings)
    target = profile.as_target(database)
    return package_of(stated, target, settings.vars), target


def read_config(settings: Settings) -> Config:
    """Read dbt_project.yml, profiles.yml and the project's packages, and resolve all paths.

    Raises ProjectError if a file is missing or invalid, UsageError if a folder does not exist.
    """
    root, is_shipped = _find_root(settings.project_dir)
    home = Path.cwd().resolve() if is_shipped else root
    stated = read_stated(root, root)
    profile, database = _read_profile(stated, home, settings)
    target = profile.as_target(database)
    package = package_of(stated, target, settings.vars)
    package.refuse_missing_folders()  # a package may do without: git keeps no empty folders
    installed = read_installed(package, target, settings.vars)
    raw_dir, is_sample = _find_raw(root, home, settings)
    for path in (home, database, raw_dir):
        if not is_utf_8(path):
            raise UsageError(f"The name of {path} is not UTF-8", cure="rename it")
    packages = (package, *installed.packages)
    return Config(
        package=package,
        installed=installed.packages,
        missing=installed.missing,
        home=home,
        profile=profile,
        database=database,
        raw_dir=raw_dir,
        is_sample=is_sample,
        is_shipped=is_shipped,
        target_dir=home / str(package.content.get("target-path") or "target"),
        clean_targets=folders(package.content, home, "clean-targets", None, package.path),
        environment=tuple(sorted({name for one in packages for name in one.environment})),
        notices=(*profile.notices, *package.notices, *installed.notices, *_notices(root)),
        settings=settings,
    )


def _read_profile(stated: Stated, home: Path, settings: Settings) -> tuple[Profile, Path]:
    """Return the profile and the path of the database."""
    name = str(stated.content.get("profile", stated.name))
    profile = read_profile(stated.root, name, settings.profiles_dir, settings.target)
    if not profile.path:
        named = Notice(f"No profile states a `path:`, so the database is {stated.name}.duckdb")
        notices = profile.notices if settings.database else (*profile.notices, named)
        profile = replace(profile, path=f"{stated.name}.duckdb", notices=notices)
    database = _settle_database(settings.database or home / profile.path)
    return replace(profile, engine_settings=tuple(placed(profile.engine_settings, home, database))), database


def _notices(root: Path) -> Iterator[Notice]:
    """Yield a notice for each file that dbt would use and genredb does not."""
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
