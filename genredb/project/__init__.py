"""Reads a project's files into frozen values; knows no database and renders no model."""

from genredb.project.config import Config, Settings, read_config
from genredb.project.discover import Project, project_digest, read_project
from genredb.project.nodes import CheckSpec, Column, MacroFile, Model, Seed, Source, ValueRange

__all__ = [
    "CheckSpec",
    "Column",
    "Config",
    "MacroFile",
    "Model",
    "Project",
    "Seed",
    "Settings",
    "Source",
    "ValueRange",
    "project_digest",
    "read_config",
    "read_project",
]
