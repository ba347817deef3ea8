"""Removes what builds leave behind; never the database, nor anything the project is made of."""

import shutil
from pathlib import Path

from genredb.errors import ProjectError
from genredb.project.config import Config
from genredb.warehouse.publish import leftovers, publication


def clean(config: Config) -> list[Path]:
    """Remove the clean targets and the copies of writers that died; return what was removed.

    ProjectError for a clean target outside the project or around its sources.
    """
    for folder in config.clean_targets:
        _refuse_dangerous(config, folder)
    removed = [folder for folder in config.clean_targets if folder.is_dir()]
    for folder in removed:
        shutil.rmtree(folder)
    found = leftovers(config.database)
    if found:
        with publication(config.database):  # takes the writer's turn, and so sweeps
            removed += [path for path in found if not path.exists()]
    return removed


def _refuse_dangerous(config: Config, folder: Path) -> None:
    target = folder.resolve()
    kept = (config.root, config.raw_dir, *config.model_paths, *config.seed_paths, *config.macro_paths)
    if any(path.resolve().is_relative_to(target) for path in (*kept, config.database)):
        raise ProjectError(
            f"clean-targets names {folder}, which holds the project's own files; remove it there."
        )
    if not target.is_relative_to(config.home):
        raise ProjectError(f"clean-targets names {folder}, which lies outside the project; remove it there.")
