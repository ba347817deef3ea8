"""Names without a value, as dbt has them: which are errors, and which are empty.

A name that nothing sets is an error as soon as it is used. A name that a template sets in a branch that was
not taken, and an argument that a call left out, are empty text, as packages expect. A key that a mapping
lacks is false in a condition, as in ``{% if node.version %}``, and an error where it is written. While a
template is only parsed it is empty, since the answers of queries are, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from jinja2 import ChainableUndefined, StrictUndefined, Undefined, nodes
from jinja2.utils import missing

UNSET = "unset"  # the filter that makes a name empty
_SCOPES = (nodes.Macro, nodes.CallBlock, nodes.For, nodes.With, nodes.AssignBlock, nodes.FilterBlock)


class MissingKey(Undefined):
    """A key that a mapping or none lacks: false in conditions, an error when it is written."""

    __slots__ = ()
    __str__ = __iter__ = __len__ = Undefined._fail_with_undefined_error


class UnknownName(StrictUndefined):
    """A name without a value, an error when it is used, unless it is an argument or the key of a mapping."""

    of_mapping: ClassVar[type[Undefined]] = MissingKey
    containers: ClassVar[tuple[type, ...]] = (Mapping,)

    def __new__(cls, hint: str | None = None, obj: Any = missing, *arguments: Any, **named: Any) -> Any:
        """Return an empty value instead for an argument that was left out, and the like for a key."""
        if hint is not None and hint.startswith("parameter "):
            return Undefined(hint, obj, *arguments, **named)
        if obj is None or isinstance(obj, cls.containers):
            return (MissingKey if obj is None else cls.of_mapping)(hint, obj, *arguments, **named)
        return super().__new__(cls)

    @property
    def _undefined_message(self) -> str:
        """What the error says: a name of dbt's own objects is not supported, rather than unknown."""
        owner = getattr(self._undefined_obj, "name_in_templates", None)
        if owner is not None:
            return f"'{owner}.{self._undefined_name}' is not supported"
        return super()._undefined_message


class UnknownWhileParsing(UnknownName):
    """The same while a template is only parsed."""

    of_mapping = ChainableUndefined
    containers = (Mapping, list, tuple)


def unset(name: str) -> Undefined:
    """Return the empty value of a name that is set in another branch."""
    return Undefined(name=name)


def empty_what_branches_set(scope: nodes.Node) -> None:
    """Give all names that only branches set the empty value before, wherever names are visible."""
    for inner in [scope, *scope.find_all(_SCOPES)]:
        body: list[nodes.Node] = inner.body  # type: ignore[attr-defined]
        names = dict.fromkeys(_set_in_branches(body))
        body[:0] = [_emptied(name, inner.lineno) for name in names]


def _set_in_branches(body: Sequence[nodes.Node]) -> Iterator[str]:
    for branch in (node for node in body if isinstance(node, nodes.If)):
        yield from _set_in((*branch.body, *branch.else_, *branch.elif_))


def _set_in(body: Iterable[nodes.Node]) -> Iterator[str]:
    for node in body:
        if isinstance(node, nodes.Assign | nodes.AssignBlock):
            targets = [node.target, *node.target.find_all(nodes.Name)]
            yield from (target.name for target in targets if isinstance(target, nodes.Name))
        elif isinstance(node, nodes.If):
            yield from _set_in((*node.body, *node.else_, *node.elif_))


def _emptied(name: str, line: int) -> nodes.Node:
    """Return ``{% set name = name if name is defined else empty %}``."""
    own = nodes.Name(name, "load")
    value = nodes.CondExpr(
        nodes.Test(own, "defined", [], [], None, None),
        nodes.Name(name, "load"),
        nodes.Filter(nodes.Const(name), UNSET, [], [], None, None),
    )
    return nodes.Assign(nodes.Name(name, "store"), value).set_lineno(line)
