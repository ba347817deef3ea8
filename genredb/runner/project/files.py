"""Reads the project's text and yml files; errors name the file and line."""

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from genredb.errors import Place, ProjectError, UsageError

# Limits on yml after aliases are expanded: number of values, and nesting depth.
_LARGEST, _DEEPEST = 200_000, 100
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def refuse_special(path: Path) -> None:
    """Raise ProjectError for a pipe or device: reading it could block forever."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ProjectError(f"{path} is not a regular file")


def resolved(path: Path) -> Path:
    """Return the path with links resolved; UsageError for circular links."""
    try:
        return path.resolve()
    except (RuntimeError, OSError):  # which of the two depends on the Python version
        raise UsageError(f"{path} is a link that leads back to itself") from None


def is_utf_8(path: Path) -> bool:
    """Return True if the path can be encoded as UTF-8, as artifacts, SQL and the database require."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def read_text(path: Path) -> str:
    """Return the file's text; ProjectError if it cannot be read or is not UTF-8."""
    refuse_special(path)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path} is not UTF-8 (byte {error.start})", cure="save it as UTF-8") from None
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}") from None


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes; ProjectError if it cannot be read."""
    refuse_special(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}") from None


def parse_yaml(text: str, path: str) -> Mapping[str, Any]:
    """Parse a yml file's text, a mapping or nothing; errors call it ``path``."""
    content = load_yaml(text, path)
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise ProjectError("the top level should hold `key: value` pairs", place=path)
    return content


def load_yaml(text: str, path: str) -> Any:
    """Return the parsed yml; ProjectError if it is invalid or its aliases expand too far."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_odd_nodes(node, path)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        raise ProjectError(f"invalid YAML: {error.problem}", place=place) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an invalid date, or too many digits
        reason = " ".join(str(error).split()).partition("; use sys.")[0].rstrip(".")
        raise ProjectError(f"invalid YAML: {reason}", place=path) from None
    finally:
        if loader is not None:
            loader.dispose()


def _refuse_odd_nodes(node: Any, path: str) -> None:
    """Raise ProjectError for a duplicate key, or yml too deep or too large with all aliases expanded."""
    sizes: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def measure(node: Any, depth: int) -> tuple[int, int]:
        if id(node) in sizes:
            return sizes[id(node)]
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        if id(node) in open_nodes or depth > _DEEPEST:
            how = "nests endlessly" if id(node) in open_nodes else f"nests deeper than {_DEEPEST} levels"
            raise ProjectError(f"the yml {how}", place=Place(path, node.start_mark.line + 1))
        open_nodes.add(id(node))
        inside = node.value
        if isinstance(node, yaml.MappingNode):
            _refuse_doubled(node, path)
            inside = [one for pair in node.value for one in pair]
        found = [measure(one, depth + 1) for one in inside]
        size, height = 1 + sum(size for size, _ in found), 1 + max((h for _, h in found), default=0)
        if size > _LARGEST or height > _DEEPEST:
            raise ProjectError(
                f"the YAML expands beyond {_LARGEST:,} values or {_DEEPEST} levels by its anchors",
                place=Place(path, node.start_mark.line + 1),
            )
        open_nodes.remove(id(node))
        sizes[id(node)] = size, height
        return size, height

    measure(node, 0)


def _refuse_doubled(node: Any, path: str) -> None:
    """Raise ProjectError if a mapping has a key twice: YAML would drop the first value."""
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line = key.start_mark.line + 1
        if key.value in lines:
            raise ProjectError(
                f"the key `{key.value}:` is also on line {lines[key.value]}",
                place=Place(path, line),
                cure="merge the two",
            )
        lines[key.value] = line


def yaml_line(text: str, keys: Sequence[str | int]) -> int | None:
    """Return the line of the value at ``keys``, or None if there is none."""
    found = _yaml_nodes(text, keys)
    return found[1].start_mark.line + 1 if found else None


def key_line(text: str, keys: Sequence[str | int]) -> int | None:
    """Return the line of the last key itself, or None if it does not exist."""
    found = _yaml_nodes(text, keys)
    return found[0].start_mark.line + 1 if found else None


def _yaml_nodes(text: str, keys: Sequence[str | int]) -> tuple[Any, Any] | None:
    """Return the nodes of the last key (or item) and of the value at ``keys``."""
    try:
        found = node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError:  # not yml until jinja has rendered it
        return None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pairs = ((name, value) for name, value in node.value if name.value == str(key))
            found, node = next(pairs, (None, None))
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            found = node = node.value[key]
        else:
            return None
    return (found, node) if node is not None else None


def mapping(content: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any]:
    """Return the mapping under a key (empty if absent); ProjectError if it is not a mapping."""
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ProjectError(f"`{key}:` should hold `name: value` pairs", place=path)
    return value


def delimiter(value: Any, path: str) -> str:
    """Return the delimiter of a CSV, a comma by default; ProjectError if it is invalid."""
    if value is None:
        return ","
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in '"\r\n ':
        raise ProjectError(
            f"`delimiter:` should be one character such as ';', not {shown(value)}", place=path
        )
    return value


def text_of(content: Mapping[str, Any], key: str, path: str) -> str | None:
    """Return the string under a key (None if absent); ProjectError if it is not a string."""
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise ProjectError(f"`{key}:` should be a string, not {shown(value)}", place=path)
    return value


def shown(value: Any) -> str:
    """Return a yml value as errors show it, truncated if long."""
    return reprlib.repr(value)


def text_list(value: Any, key: str, path: str) -> tuple[str, ...]:
    """Return a string or list of strings as a tuple; ProjectError if it is neither."""
    values = [value] if isinstance(value, str) else (value or [])
    if not isinstance(values, list | tuple) or not all(isinstance(item, str) for item in values):
        raise ProjectError(f"`{key}:` should be a string or a list of strings", place=path)
    return tuple(values)
