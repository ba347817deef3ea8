"""Small projects for tests: a folder of files, and what genredb makes of it."""

from pathlib import Path

from genredb.runner.graph.compiler import Compilation, compile_project
from genredb.runner.graph.nodes import Model
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.project.discover import read_project

BASE = {
    "dbt_project.yml": "name: small\nversion: '1'\nprofile: small\n",
    "profiles.yml": "small:\n  outputs:\n    dev: {type: duckdb, path: small.duckdb}\n",
}


def write_project(folder: Path, files: dict[str, str]) -> Config:
    """Write a project of these files (over a minimal one) and settle its configuration."""
    for name, text in (BASE | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_config(Settings(project_dir=folder))


def model_of(compilation: Compilation, name: str) -> Model:
    """Return a model by its name."""
    return next(model for model in compilation.of_type(Model) if model.name == name)


def compiled(folder: Path, files: dict[str, str]) -> Compilation:
    """Write and compile a project."""
    return compile_project(read_project(write_project(folder, files)))
