"""Renders jinja in the values of yml files: ``"{{ env_var('SCHEMA', 'main') }}"``.

If the whole value is one expression, its result keeps its type, as in dbt; anything else becomes a string.
"""

import os
from collections.abc import Mapping
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import shown

# These are rendered later, when relations have names, or are not yml jinja.
_LATER = frozenset(
    "tests data_tests unit_tests description pre-hook post-hook pre_hook post_hook where formatter"
    " loaded_at_query".split()
) | frozenset(("on-run-start", "on-run-end"))
_MISSING = object()


class YmlRenderer:
    """Renders yml values; only ``env_var``, ``var`` and ``target`` are available.

    ``environment_names`` collects the environment variables that are used.
    """

    def __init__(self, variables: Mapping[str, Any], target: Mapping[str, Any]) -> None:
        self._variables = variables
        self._target = target
        self._environment: Any = None
        self.environment_names: set[str] = set()

    def render(self, value: Any, path: str) -> Any:
        """Return ``value`` with every string in it rendered; errors name ``path``."""
        if isinstance(value, str):
            return self._text(value, path) if "{{" in value or "{%" in value else value
        if isinstance(value, Mapping):
            return {
                key: item if str(key).removeprefix("+") in _LATER else self.render(item, path)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.render(item, path) for item in value]
        return value

    def _text(self, text: str, path: str) -> Any:
        from genredb.runner.project.template_limits import limited  # noqa: PLC0415 - few yml files hold jinja

        environment = self._environment = self._environment or self._make_environment()
        stripped = text.strip()
        is_expression = stripped.startswith("{{") and stripped.endswith("}}") and stripped.count("{{") == 1
        try:
            with limited():
                if not is_expression:
                    return environment.from_string(text).render()
                value = environment.compile_expression(stripped[2:-2], undefined_to_none=False)()
                return str(value) if isinstance(value, environment.undefined) else value  # str() raises
        except ProjectError as error:
            raise error.at(path) from None
        except Exception as error:  # noqa: BLE001 - whatever an expression may raise: 1/0, 'a' + 1
            reason = str(error).rstrip(".") or type(error).__name__
            raise ProjectError(f"{reason} in {shown(text)}", place=path) from None

    def _make_environment(self) -> Any:
        from jinja2 import StrictUndefined  # noqa: PLC0415

        from genredb.runner.project.template_limits import YmlEnvironment  # noqa: PLC0415

        environment = YmlEnvironment(undefined=StrictUndefined)
        environment.filters.update(
            as_bool=lambda value: str(value).strip().lower() == "true",
            as_number=lambda value: float(value) if "." in str(value) else int(value),
            as_native=lambda value: value,
            as_text=str,
        )
        environment.globals.update(env_var=self._env_var, var=self._var, target=self._target)
        return environment

    def _env_var(self, name: str, default: str | None = None) -> str:
        self.environment_names.add(name)
        return env_var(name, default)

    def _var(self, name: str, default: Any = _MISSING) -> Any:
        value = self._variables.get(name, default)
        if value is _MISSING:
            raise ProjectError(
                f"The variable '{name}' is not set and has no default", name=name, choices=self._variables
            )
        return value


def env_var(name: str, default: str | None = None) -> str:
    """Return an environment variable; ProjectError if it is not set and has no default."""
    value = os.environ.get(name, default)
    if value is None:
        raise ProjectError(f"The environment variable {name} is not set and has no default")
    return str(value)
