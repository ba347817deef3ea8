"""Removes what builds leave behind, but never the database or the project's own files."""

import shutil
from pathlib import Path

from genredb.drafts import leftovers, sweep
from genredb.errors import ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.files import resolved
from genredb.warehouse.publish import leftovers_of, writers_lock


def clean(config: Config) -> list[Path]:
    """Remove the clean targets, the log and files of interrupted builds; return the removed paths.

    ProjectError for a clean target outside the project or one that contains its sources.
    """
    for folder in config.clean_targets:
        _refuse_dangerous(config, folder)
    removed = [folder for folder in config.clean_targets if folder.is_dir()]
    for folder in removed:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    removed += sweep(path for path in (config.log_file, Path(f"{config.log_file}.1")) if path.is_file())
    if leftovers_of(config.database):
        with writers_lock(config.database) as swept:
            removed += swept
    return removed + sweep(leftovers(config.home))


def _refuse_dangerous(config: Config, folder: Path) -> None:
    target = resolved(folder)
    sources = [path for one in config.packages for path in one.properties_paths]
    own = [config.home / name for name in (".git", "queries", "data/raw")]
    kept = [path.resolve() for path in (*sources, *own, config.raw_dir)]
    is_inside = any(target.is_relative_to(path) for path in kept)
    whole = (*kept, config.root.resolve(), config.database.resolve())
    if is_inside or any(path.is_relative_to(target) for path in whole):
        raise ProjectError(
            f"clean-targets contains {folder}, which has files of the project",
            cure="remove it from that list",
        )
    if not target.is_relative_to(config.home):
        raise ProjectError(
            f"clean-targets contains {folder}, which is outside the project", cure="remove it from that list"
        )
