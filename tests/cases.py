"""Cases kept as files: one file is one small project, so that a new case needs no Python.

A file holds parts. Each begins with a line ``--- NAME``, where NAME is a path in the project, or a word that the test
that reads the case knows, as ``message``.
"""

import re
from collections.abc import Iterator
from pathlib import Path

CASES = Path(__file__).parent


def case_names(folder: str) -> list[str]:
    """The names of the cases in a folder, sorted; never none."""
    names = sorted(path.stem for path in (CASES / folder).iterdir())
    assert names, f"no case in {folder}"
    return names


def read_case(folder: str, name: str) -> dict[str, str]:
    """The parts of a case by their names, each without its last line break."""
    (path,) = (CASES / folder).glob(f"{name}.*")
    return dict(_parts(path))


def _parts(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        before, *parts = re.split(r"^--- (.+)\n", file.read(), flags=re.MULTILINE)
    assert parts, f"{path} has no part"
    assert not before, f"{path} begins with no part"
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        yield name, text.removesuffix("\n")
