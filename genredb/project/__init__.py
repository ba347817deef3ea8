"""Reads a project's files into frozen values; knows no database and renders no model."""

from genredb.project.config import Config, Settings, read_config
from genredb.project.discover import Project, read_project
from genredb.project.files import read_text, yaml_line
from genredb.project.find import project_digest
from genredb.project.merge import config_key, merged, notices
from genredb.project.nodes import (
    CheckSpec,
    Column,
    Fixture,
    MacroFile,
    Model,
    Seed,
    Source,
    UnitTestSpec,
    ValueRange,
)
from genredb.project.yml_jinja import env_var

__all__ = [
    "CheckSpec",
    "Column",
    "Config",
    "Fixture",
    "MacroFile",
    "Model",
    "Project",
    "Seed",
    "Settings",
    "Source",
    "UnitTestSpec",
    "ValueRange",
    "config_key",
    "env_var",
    "merged",
    "notices",
    "project_digest",
    "read_config",
    "read_project",
    "read_text",
    "yaml_line",
]
