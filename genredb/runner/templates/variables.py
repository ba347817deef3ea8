"""The template names ``var`` and ``env_var``."""

import functools
from collections.abc import Mapping
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.yml_jinja import env_var
from genredb.runner.templates.located import TemplateError
from genredb.runner.templates.rendering import Current

_MISSING = object()


class VarCall:
    """``var('name', default)``, and ``var.has_var('name')``."""

    def __init__(self, config: Config, current: Current) -> None:
        self._of_package = functools.cache(config.vars_of)
        self._project = config.name
        self._current = current

    def __call__(self, name: str, default: Any = _MISSING) -> Any:
        """Return a variable, or the default; TemplateError if there is neither."""
        known = self._known()
        value = known.get(name, default)
        if value is _MISSING:
            raise TemplateError(
                f"The variable '{name}' is not set and has no default", name, name=name, choices=known
            )
        return value

    def has_var(self, name: str) -> bool:
        """Return True if the variable is set."""
        return name in self._known()

    def _known(self) -> Mapping[str, Any]:
        given = self._current.rendering.given
        return {**self._of_package(given.package or self._project), **given.overrides.get("vars", {})}


class EnvVarCall:
    """``env_var('NAME', default)`` records the name of the variable."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def __call__(self, name: str, default: str | None = None) -> str:
        """Return an environment variable, or the default; TemplateError if there is neither."""
        rendering = self._current.rendering
        overrides = rendering.given.overrides.get("env_vars", {})
        if name in overrides:
            return str(overrides[name])
        rendering.environment.add(name)
        try:
            return env_var(name, default)
        except ProjectError as error:
            raise TemplateError(error.what, name) from None
