"""docs/architecture.md: its layers are those that the import contracts check, and each command's file does its work."""

import re
import tomllib

from genredb.cli.app import COMMANDS
from tests.conftest import ROOT
from tests.test_structure import MODULES, imported

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
    "contracts"
]


def first_column(after: str) -> list[set[str]]:
    """The names in the first cells of the first table that follows a text."""
    table = re.search(r"(?:^\|.*\n)+", PAGE.split(after)[1], re.MULTILINE)
    assert table
    return [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in table[0].splitlines()[2:]]


def test_its_layers_are_those_of_the_import_contracts() -> None:
    """The layers of the page, top to bottom, are what lint-imports enforces, as a whole and within the runner."""
    whole, runner = (
        [{name.removeprefix("genredb.") for name in layer.split(" | ")} for layer in contract["layers"]]
        for contract in CONTRACTS[:2]
    )
    assert first_column("## Layers") == whole
    assert first_column("Within the runner") == runner


def test_each_command_calls_the_file_that_it_names() -> None:
    """The page gives each command one file, and the command's own file imports it."""
    rows = re.findall(r"^\| `([\w-]+)` \| `([\w/]+)\.py` \|$", PAGE, re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(COMMANDS)
    for name, file in rows:
        module = f"genredb.{file.replace('/', '.')}"
        assert module in MODULES, f"{name}: {file}"
        assert module in set(imported(f"genredb.cli.{name.replace('-', '_')}")), f"{name}: {file}"
