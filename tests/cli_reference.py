"""The command line as data, and as the page docs/cli.md."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from genredb.cli.app import COMMANDS, EXIT_CODES, add_commands, app
from genredb.cli.options import COMMON, LIMITS

HEAD = """# The command line

Generated from the commands; to regenerate it: `GENREDB_UPDATE_GOLDEN=1 python -m pytest tests/test_docs.py`.
Results go to stdout, messages to stderr.

{exit_codes}

`genredb --install-completion` sets up Tab completion of commands, options, relations and models in your shell.

## Options of every command

{common}

## Options of commands that may need much memory

{limits}
"""

SHARED = (*COMMON, *LIMITS, "as_json")


def commands() -> dict[str, Any]:
    """Every command by its full name, those of groups too, in the order of the help."""
    add_commands([])
    root: Any = typer.main.get_command(app)
    found = dict(_commands(root, ""))
    groups = [name for name in COMMANDS if name not in found]  # the help lists them last
    order = [*(name for name in COMMANDS if name in found), *groups]  # other tests may have added some first
    return dict(sorted(found.items(), key=lambda one: order.index(one[0].partition(" ")[0])))


def _commands(group: Any, before: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def own_options(command: Any) -> list[Any]:
    """The options that a command has beside those of every command."""
    return [
        one for one in command.params if one.param_type_name == "option" and one.name not in (*SHARED, "help")
    ]


def examples(command: Any) -> list[str]:
    """The lines of shell that a command's help gives as examples."""
    return re.findall(r"Example: (.*(?:\n.+)*)", command.help or "")


def page() -> str:
    """The text of docs/cli.md."""
    found = commands()
    shared = [one for one in found["build"].params if one.name in (*COMMON, "as_json")]
    limits = [one for one in found["build"].params if one.name in LIMITS]
    tables = {name: "\n".join(_table(params)) for name, params in (("common", shared), ("limits", limits))}
    parts = [HEAD.format(exit_codes=" ".join(EXIT_CODES.split()), **tables)]
    for name, command in found.items():
        text = re.split(r"\n*Example: ", command.help)[0]
        parts.append(f"## genredb {name}\n\n{' '.join(text.split())}\n")
        parts.append("```sh\n" + "\n".join(examples(command)) + "\n```\n")
        own = [*_arguments(command), *own_options(command)]
        if own:
            parts.append("\n".join(_table(own)) + "\n")
        if "as_json" not in [one.name for one in command.params if not getattr(one, "hidden", False)]:
            parts.append("It takes no `--json`.\n")
        if LIMITS.keys() <= {one.name for one in command.params}:
            parts.append("It takes `--memory-limit` and `--threads`.\n")
    return "\n".join(parts)


def _arguments(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "argument"]


def _table(params: list[Any]) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    for one in params:
        names = ", ".join(f"`{name}`" for name in one.opts)
        if one.param_type_name == "argument":
            names = f"`{one.metavar or one.name.upper()}`"
        elif not one.is_flag:
            names += f" `{one.metavar or one.type.name.upper().replace('STR', 'TEXT')}`"
        choices = getattr(one.type, "choices", ())
        meaning = f"{one.help or ''}{' One of ' + ', '.join(choices) + '.' if choices else ''}"
        variable = f" Variable: `{one.envvar}`." if one.envvar else ""
        default = (
            ""
            if one.default in (None, False, "", ()) or one.required
            else f" Default: {_shown(one.default)}."
        )
        yield f"| {names} | {meaning}{default}{variable} |"


def _shown(value: Any) -> str:
    return str(getattr(value, "value", value))
