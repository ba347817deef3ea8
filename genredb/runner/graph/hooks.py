"""The hooks of models and seeds: ``pre-hook`` and ``post-hook``."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genredb.runner.graph.described import given_of
from genredb.runner.graph.nodes import Model
from genredb.runner.graph.workbench import Workbench
from genredb.runner.templates.given import Rendered


def rendered_hooks(bench: Workbench, model: Model) -> list[Rendered[str]]:
    """Render the hooks of a model, as far as that is possible without a database."""
    given = replace(given_of(model, bench.project), path=f"{model.path} (hook)")
    stated = [hook for key in ("pre-hook", "post-hook") for hook in model.config.get(key) or ()]
    return [bench.templates.render(hook_text(hook), given) for hook in stated]


def hook_text(hook: Any) -> str:
    """Return the template of a hook stated in a configuration."""
    return str(hook["sql"] if isinstance(hook, Mapping) else hook)
