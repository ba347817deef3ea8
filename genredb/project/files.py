"""Reading the project's text and yml files, with errors that name file and line."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from genredb.errors import ProjectError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_text(path: Path) -> str:
    """Return the file's text; ProjectError if it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from None


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes; ProjectError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from None


def read_yaml(path: Path, text: str | None = None) -> Mapping[str, Any]:
    """Parse a yml file whose top level is a mapping (an empty file is an empty mapping)."""
    try:
        content = yaml.load(read_text(path) if text is None else text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ProjectError(f"{path}:{line} is not valid yml: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise ProjectError(f"{path} is not valid yml: {' '.join(str(error).split())}.") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise ProjectError(f"{path} should hold `key: value` pairs at its top level.")
    return content


def mapping(content: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any]:
    """Return the mapping below a key (empty where there is none); ProjectError if it is something else."""
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ProjectError(f"{path}: `{key}:` should hold `name: value` pairs.")
    return value


def render_env(text: str) -> str:
    """Render the jinja of a profiles file, where ``env_var(name, default)`` is what there is."""
    if "{{" not in text:
        return text
    from jinja2 import StrictUndefined, TemplateError  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    def env_var(name: str, default: str | None = None) -> str:
        value = os.environ.get(name, default)
        if value is None:
            raise ProjectError(f"profiles.yml needs the environment variable {name}, which is not set.")
        return value

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    try:
        return environment.from_string(text).render(env_var=env_var)
    except TemplateError as error:
        raise ProjectError(f"profiles.yml: {error.message}.") from None
