"""Reading the project's text and yml files, with errors that name file and line."""

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from genredb.errors import ProjectError, UsageError

# What yml may grow to: values, and levels of nesting.
_LARGEST, _DEEPEST = 200_000, 100
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def refuse_special(path: Path) -> None:
    """Raise ProjectError for a pipe or device, whose reading might never end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ProjectError(f"{path} is no regular file.")


def resolved(path: Path) -> Path:
    """Return where a path leads, links followed; UsageError for links that lead to each other."""
    try:
        return path.resolve()
    except (RuntimeError, OSError):  # which of both depends on the Python
        raise UsageError(f"{path} is a link that leads back to itself.") from None


def is_utf_8(path: Path) -> bool:
    """Whether a path can be written down; in artifacts, SQL and the database it must be."""
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
        raise ProjectError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from None


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes; ProjectError if it cannot be read."""
    refuse_special(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from None


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Parse a yml file whose top level is a mapping (an empty file is an empty mapping)."""
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, path: str) -> Mapping[str, Any]:
    """Parse the text of a yml file; ``path`` is what errors call it."""
    content = load_yaml(text, path)
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise ProjectError(f"{path} should hold `key: value` pairs at its top level.")
    return content


def load_yaml(text: str, path: str) -> Any:
    """Return what a text of yml says; ProjectError where it is not valid, or grows by its own anchors."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_growth(node, path)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise ProjectError(f"{place} is not valid yml: {error.problem}.") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date, or a number too long to read
        reason = " ".join(str(error).split()).partition("; use sys.")[0].rstrip(".")
        raise ProjectError(f"{path} is not valid yml: {reason}.") from None
    finally:
        if loader is not None:
            loader.dispose()


def _refuse_growth(node: Any, path: str) -> None:
    """Refuse yml that is too deep, or too large, when every alias is replaced by what it stands for."""
    sizes: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def measure(node: Any, depth: int) -> tuple[int, int]:
        if id(node) in sizes:
            return sizes[id(node)]
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        if id(node) in open_nodes or depth > _DEEPEST:
            how = "nests without end" if id(node) in open_nodes else f"nests deeper than {_DEEPEST} levels"
            raise ProjectError(f"{path}:{node.start_mark.line + 1}: the yml {how}.")
        open_nodes.add(id(node))
        inside = node.value
        if isinstance(node, yaml.MappingNode):
            inside = [one for pair in node.value for one in pair]
        found = [measure(one, depth + 1) for one in inside]
        size, height = 1 + sum(size for size, _ in found), 1 + max((h for _, h in found), default=0)
        if size > _LARGEST or height > _DEEPEST:
            raise ProjectError(
                f"{path}:{node.start_mark.line + 1}: the yml grows beyond {_LARGEST:,} values or"
                f" {_DEEPEST} levels by its anchors."
            )
        open_nodes.remove(id(node))
        sizes[id(node)] = size, height
        return size, height

    measure(node, 0)


def yaml_line(text: str, keys: Sequence[str | int]) -> int | None:
    """Return the line on which the value stands that ``keys`` lead to, or None where they lead nowhere."""
    found = _yaml_nodes(text, keys)
    return found[1].start_mark.line + 1 if found else None


def key_line(text: str, keys: Sequence[str | int]) -> int | None:
    """Return the line of the last key itself, or None where the keys lead nowhere."""
    found = _yaml_nodes(text, keys)
    return found[0].start_mark.line + 1 if found else None


def _yaml_nodes(text: str, keys: Sequence[str | int]) -> tuple[Any, Any] | None:
    """Return the nodes of the last key, or of the item, and of the value that ``keys`` lead to."""
    try:
        found = node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError:  # jinja renders it into yml
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
    """Return the mapping below a key (empty where there is none); ProjectError if it is something else."""
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ProjectError(f"{path}: `{key}:` should hold `name: value` pairs.")
    return value


def delimiter(value: Any, path: str) -> str:
    """Return what a CSV's columns are separated by, a comma unless stated; ProjectError where none can be."""
    if value is None:
        return ","
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in '"\r\n ':
        raise ProjectError(f"{path}: `delimiter:` should be one character such as ';', not {shown(value)}.")
    return value


def text_of(content: Mapping[str, Any], key: str, path: str) -> str | None:
    """Return the text below a key (None where there is none); ProjectError if it is something else."""
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise ProjectError(f"{path}: `{key}:` should be a text, not {shown(value)}.")
    return value


def shown(value: Any) -> str:
    """Return a value of a yml file as an error shows it: cut where it is long."""
    return reprlib.repr(value)


def text_list(value: Any, key: str, path: str) -> tuple[str, ...]:
    """Return a text, or a list of texts, as texts; ProjectError if it is something else."""
    values = [value] if isinstance(value, str) else (value or [])
    if not isinstance(values, list | tuple) or not all(isinstance(item, str) for item in values):
        raise ProjectError(f"{path}: `{key}:` should be a text or a list of texts.")
    return tuple(values)
