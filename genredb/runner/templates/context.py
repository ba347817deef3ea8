"""The names available in every template, as in dbt, except the project's own macros."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from genredb.errors import ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.files import load_yaml
from genredb.runner.project.stated_values import is_on
from genredb.runner.templates.adapter import Adapter, make_relation
from genredb.runner.templates.columns import ColumnOf
from genredb.runner.templates.config_call import ConfigCall
from genredb.runner.templates.dbt_macros import MACROS, naming_macros
from genredb.runner.templates.macros import Macros
from genredb.runner.templates.python_modules import Modules
from genredb.runner.templates.queries import Queries
from genredb.runner.templates.references import RefCall, Resolve, SourceCall
from genredb.runner.templates.rendering import Current
from genredb.runner.templates.tags import return_value
from genredb.runner.templates.variables import EnvVarCall, VarCall
from genredb.version import DBT_VERSION


def add_context(
    config: Config,
    current: Current,
    macros: Macros,
    resolve: tuple[Resolve, Resolve],
    *,
    is_full_refresh: bool,
) -> None:
    """Add the names to what templates see; ``resolve`` holds the resolvers of ``ref`` and ``source``."""
    names = macros.names
    adapter = Adapter(current, config.database_name, macros, config.settings.engine)
    queries = Queries(current)
    is_empty = config.settings.is_empty
    ref = RefCall(resolve[0], current, is_empty=is_empty)
    source = SourceCall(resolve[1], current, is_empty=is_empty)
    config_call = ConfigCall(current)

    def is_incremental() -> bool:
        current.rendering.asks_incremental = True
        return current.rendering.given.is_incremental

    def print_message(message: Any) -> str:
        if current.rendering.given.execute:
            current.rendering.messages.append(str(message))
        return ""

    own_macros = {
        **naming_macros(config.target),
        "load_relation": adapter.load_relation,
        "should_full_refresh": lambda: is_full_refresh,
        "should_store_failures": lambda: is_on(current.rendering.config.get("store_failures")),
    }
    of_dbt = {name: adapter.dispatching(name) for name in MACROS}
    names.update(of_dbt)
    names.update(CONSTANT)
    names.update(own_macros)
    names.update(
        {
            "adapter": adapter,
            "builtins": {"ref": ref, "source": source, "config": config_call},
            "config": config_call,
            "database": config.database_name,
            "dbt": SimpleNamespace(**of_dbt, **own_macros, is_incremental=is_incremental),
            "env_var": EnvVarCall(current),
            "flags": SimpleNamespace(
                FULL_REFRESH=is_full_refresh, EMPTY=is_empty, WHICH="build", STORE_FAILURES=False
            ),
            "exceptions": SimpleNamespace(
                raise_compiler_error=raise_compiler_error,
                raise_not_implemented=raise_compiler_error,
                warn=print_message,
            ),
            "invocation_id": str(uuid4()),
            "is_incremental": is_incremental,
            "load_result": queries.load_result,
            "log": lambda message, info=False: print_message(message) if info else "",
            "modules": Modules(current),
            "print": print_message,
            "project_name": config.name,
            "ref": ref,
            "run_query": queries.run_query,
            "run_started_at": datetime.now(UTC),
            "source": source,
            "statement": queries.statement,
            "target": config.target,
            "var": VarCall(config, current),
        }
    )


def raise_compiler_error(message: str, _node: Any = None) -> None:
    """Raise an error with the template author's message."""
    raise ProjectError(str(message).rstrip("."))


def _to_json(value: Any, default: Any = None, *, sort_keys: bool = False) -> Any:
    try:
        return json.dumps(value, sort_keys=sort_keys)
    except (TypeError, ValueError):
        return default


def _from_json(text: str, default: Any = None) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return default


def _from_yaml(text: str, default: Any = None) -> Any:
    try:
        return load_yaml(str(text), "fromyaml")
    except ProjectError:
        return default


def _to_yaml(value: Any, default: Any = None, *, sort_keys: bool = False) -> Any:
    import yaml  # noqa: PLC0415

    try:
        return yaml.safe_dump(value, sort_keys=sort_keys)
    except yaml.YAMLError:
        return default


def _local_md5(text: Any) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.md5(str(text).encode(), usedforsecurity=False).hexdigest()


def _hook(*, is_inside: bool) -> Callable[[str], dict[str, Any]]:
    """Return a function that states whether a hook runs inside the transaction of its node."""
    return lambda sql: {"sql": sql, "transaction": is_inside}


# The same for every template.
CONSTANT: Mapping[str, Any] = {
    "api": SimpleNamespace(Relation=SimpleNamespace(create=make_relation), Column=ColumnOf),
    "after_commit": _hook(is_inside=False),
    "before_begin": _hook(is_inside=False),
    "dbt_version": DBT_VERSION,
    "dict": dict,
    "fromjson": _from_json,
    "fromyaml": _from_yaml,
    "in_transaction": _hook(is_inside=True),
    "local_md5": _local_md5,
    "return": return_value,
    "set": lambda values, default=None: set(values) if values is not None else default,
    "set_strict": set,
    "tojson": _to_json,
    "toyaml": _to_yaml,
    "zip": lambda *values: list(zip(*values, strict=False)),
    "zip_strict": lambda *values: list(zip(*values, strict=False)),
}
