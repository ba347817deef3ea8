"""What the documents say is so: commands, options, folders, and that nothing names an address it should not."""

import os
import re
import tomllib
from pathlib import Path

from genredb.cli.app import COMMANDS
from tests.cli_reference import commands, page
from tests.conftest import ROOT, rows

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = re.findall(r"```sh\n(.*?)\n```", README.split("\n## ")[1], re.DOTALL)
    assert len(commands) == 2
    assert all(
        command.startswith("python3 -m venv .venv && .venv/bin/pip install -e ") for command in commands
    )
    assert commands[0].endswith(
        "genredb build && .venv/bin/genredb predict && .venv/bin/genredb export -o submission.csv"
    )
    assert commands[1].endswith("python -m pytest")


def test_the_readme_names_every_command_and_no_other() -> None:
    table = README.split("## Commands")[1].split("## What it promises")[0]
    named = {
        word
        for cell in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
        for word in re.findall(r"`(\w+)", cell)
    }
    assert named == set(COMMANDS)


def test_the_cli_reference_is_that_of_the_commands() -> None:
    path = ROOT / "docs" / "cli.md"
    if os.environ.get("GENREDB_UPDATE_GOLDEN"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page()


def test_options_of_the_readme_exist_and_its_relations_can_be_read(sample_folder: Path) -> None:
    known = {name for command in commands().values() for one in command.params for name in one.opts}
    assert set(re.findall(r"`(--[a-z-]+)", README)) <= known
    relations = set(
        re.findall(r"`((?:raw|ml|meta|features)\.\w+|songs|genres|artists|predictions|submission)`", README)
    )
    assert len(relations) > 5
    for relation in relations:
        rows(sample_folder / "genre.duckdb", f"from {relation} limit 1")


def test_links_lead_somewhere() -> None:
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").rglob("*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path}: {target}"


def test_the_lock_names_no_address_and_covers_the_dependencies() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|--index|--find-links|--trusted", lock)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in stated:
        name = re.split(r"[><=\[]", requirement)[0].lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==[\w.]+ \\$", lock, re.MULTILINE), name


def test_the_extras_that_the_documents_name_bring_what_they_say() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
    )
    assert set(re.findall(r"(?:genredb|\.)\[(\w+)\]", text)) <= set(extras)
    assert "jupyter lab docs/notebook.ipynb" in text
    assert any(one.startswith("jupyterlab") for one in extras["notebook"])
