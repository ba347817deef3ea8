"""The sessions within pages: blocks of ``console``, whose commands a test runs and whose output it compares.

``GENREDB_UPDATE_GOLDEN=1`` writes the output into the page instead.
"""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Cli

WIDTH = "100"  # columns of the terminal that the pages show
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
# What differs from run to run, from version to version of a library, or, for the notebook's logistic regression,
# which stops before it has converged, from processor to processor.
_VOLATILE = re.compile(
    r"\d+\.\d s\b|(?<=artist_vote-)[0-9a-f]{8}|(?<=^ seed_logistic) .*|(?<=\.\d{3}) +\d+\.\d$", re.MULTILINE
)


def check_sessions(page: Path, run: Callable[[str], str]) -> int:
    """Hold each command of a page against what it prints; return how many there are."""
    text, count = page.read_text(encoding="utf-8"), 0

    def again(block: re.Match[str]) -> str:
        nonlocal count
        commands = re.findall(r"^\$ (.*)$", block[0], re.MULTILINE)
        count += len(commands)
        shown = "\n\n".join(_shown(command, run(command)) for command in commands) + "\n"
        return block[0] if _stable(shown) == _stable(block[0]) else shown

    printed = _BLOCK.sub(again, text)
    if os.environ.get("GENREDB_UPDATE_GOLDEN"):
        page.write_text(printed, encoding="utf-8")
    assert printed == page.read_text(encoding="utf-8")
    return count


def run_in(cli: Cli, folder: Path, command: str) -> str:
    """Return what a command such as ``genredb build`` prints in a folder."""
    done = cli(*shlex.split(command.removeprefix("genredb ")), cwd=folder, env={"COLUMNS": WIDTH})
    assert done.code == 0, f"{command}: {done.err}"
    return done.err + done.out


def _shown(command: str, printed: str) -> str:
    kept = [line.rstrip() for line in printed.splitlines()]
    return f"$ {command}\n" + "\n".join(kept).strip("\n")


def _stable(text: str) -> str:
    return _VOLATILE.sub("…", text)
