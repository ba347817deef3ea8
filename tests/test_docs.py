"""What the documents say is so: commands, options, folders, and that nothing names an address it should not."""

import re
import tomllib
from pathlib import Path

from genredb.cli.app import COMMANDS
from tests.conftest import ROOT, Cli

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


def test_options_and_queries_of_the_readme_work(cli: Cli, tmp_path: Path) -> None:
    assert cli("build", "-q", cwd=tmp_path).code == 0
    assert cli("predict", "-q", cwd=tmp_path).code == 0
    queries = re.findall(r'^genredb query "(.*?)"$', README, re.MULTILINE)
    assert len(queries) == 2
    for query in queries:
        assert cli("query", query, cwd=tmp_path).code == 0, query
    known = "".join(cli(command, "--help", cwd=tmp_path).out for command in COMMANDS)
    for option in set(re.findall(r"`(--[a-z-]+)", README)):
        assert option in known, option
    relations = re.findall(
        r"`((?:raw|ml|meta|features)\.\w+|songs|genres|artists|predictions|submission)`", README
    )
    for relation in set(relations):
        assert cli("query", f"from {relation} limit 1", cwd=tmp_path).code == 0, relation


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
