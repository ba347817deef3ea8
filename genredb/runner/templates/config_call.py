"""The template name ``config``."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Undefined

from genredb.errors import Place
from genredb.runner.project.key_faults import fault_of
from genredb.runner.project.keys import CONFIG
from genredb.runner.project.merge import config_key, merged
from genredb.runner.templates.located import TemplateError
from genredb.runner.templates.rendering import Current


class ConfigCall:
    """``config(…)`` in a template records its arguments; ``config.get(…)`` reads them."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def __call__(self, *stated: Mapping[str, Any], **values: Any) -> str:
        """Record the configuration; TemplateError if a value is undefined."""
        rendering = self._current.rendering
        for mapping in stated:
            values = {**mapping, **values}
        for name, value in values.items():
            if isinstance(value, Undefined):
                raise TemplateError(f"config({name}=…) uses an undefined name; is a quote missing?", name)
            fault = fault_of(config_key(name), value, CONFIG[rendering.given.kind])
            if fault is not None and fault.is_error:
                raise TemplateError(fault.what, name, name=fault.key, choices=fault.choices)
            if fault is not None:
                rendering.notices.append(fault.notice(Place(rendering.given.path)))
        rendering.config = merged(
            rendering.config, {config_key(name): value for name, value in values.items()}
        )
        return ""

    def get(self, name: str, default: Any = None, **_options: Any) -> Any:
        """Return a configuration value, or the default."""
        rendering = self._current.rendering
        value = rendering.config.get(config_key(name))
        if value is None and name == "materialized" and rendering.given.kind == "model":
            value = "view"  # what a model is if nothing is stated
        return default if value is None else value

    def require(self, name: str, **_options: Any) -> Any:
        """Return a configuration value; TemplateError if it is not set."""
        value = self.get(name)
        if value is None:
            raise TemplateError(f"The configuration '{name}' is required and not set", name)
        return value

    def set(self, name: str, value: Any) -> str:
        """Record one configuration value."""
        return self(**{name: value})
