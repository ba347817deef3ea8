"""What hooks may change before a node runs: without running them, their texts alone tell."""

import re
from dataclasses import dataclass
from functools import cached_property

from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.hooks import hook_text
from genredb.runner.graph.nodes import Model, Node
from genredb.runner.project.package import HOOK_KEYS

_CHANGES = re.compile(
    r"\b(create|alter|drop|attach|load|import|copy|export|use|set|pragma|call)\b|\{[{%]", re.IGNORECASE
)
# A variable changes what `getvariable` gives, any other setting how SQL is read.
_SETS = re.compile(r"(?:^|[;}])\s*(set|reset|pragma|use)\b(?!\s+variable\b)", re.IGNORECASE | re.MULTILINE)
_JINJA = re.compile(r"\{[{%]")


@dataclass(frozen=True)
class HookEffects:
    """What the hooks of a project and its nodes may change."""

    compilation: Compilation

    def of(self, node: Node) -> bool:
        """Return True if the hooks of a node may change what its SQL reads, or its columns."""
        return any(map(_CHANGES.search, _hooks(node)))

    @property
    def any(self) -> bool:
        """Return True if any hook may change something."""
        return bool(self._changing)

    @cached_property
    def sets(self) -> bool:
        """Return True if a hook changes a setting, and perhaps what DuckDB accepts, itself or by a macro."""
        calls = any(map(_JINJA.search, self._changing))
        macros = [file.text for file in self.compilation.project.macros] if calls else []
        return any(map(_SETS.search, (*self._changing, *macros)))

    def on(self, identifier: str, *, is_built: bool) -> bool:
        """Return True if a hook may change the columns of a relation, which a node builds or none does."""
        if not self._changing:
            return False
        name = re.compile(rf"\b{re.escape(identifier)}\b", re.IGNORECASE)
        return any(name.search(text) or (not is_built and _JINJA.search(text)) for text in self._changing)

    @cached_property
    def _changing(self) -> tuple[str, ...]:
        config = self.compilation.project.config
        texts = [hook.text for key in HOOK_KEYS for hook in config.hooks(key)]
        texts += [text for node in self.compilation.nodes.values() for text in _hooks(node)]
        return tuple(text for text in texts if _CHANGES.search(text))


def _hooks(node: Node) -> list[str]:
    """Return the hooks of a node, as far as they are known."""
    if isinstance(node, Model):
        return list(node.hooks)
    return [hook_text(hook) for key in ("pre-hook", "post-hook") for hook in node.config.get(key) or ()]
