"""What the documents say is so: commands, options, folders, and that nothing names an address it should not."""

import ast
import json
import os
import re
import tomllib
from pathlib import Path

from genredb.cli.app import COMMANDS
from tests.cli_reference import commands, page
from tests.conftest import ROOT, Cli, rows
from tests.printed_pages import check_sessions, run_in

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


def test_the_readme_shows_what_commands_print(cli: Cli, sample_folder: Path, tmp_path: Path) -> None:
    """A build, a query and an explanation print what the README's first screen shows of them."""
    project = tmp_path / "songs"
    assert cli("init", project, cwd=tmp_path).code == 0

    def run(line: str) -> str:
        return run_in(cli, project if line == "genredb build" else sample_folder, line)

    assert check_sessions(ROOT / "README.md", run) == 3


def test_the_readme_names_every_command_and_no_other() -> None:
    table = README.split("## Commands")[1].split("## What it promises")[0]
    named = {
        word
        for cell in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
        for word in re.findall(r"`([\w-]+)", cell)
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
    """Each link within the documents leads to a file, and to a heading of it where it names one."""
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").rglob("*.md")):
        for link in re.findall(r"\]\((?!http)([^)]+)\)", path.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            file = path.parent / target if target else path
            assert file.exists(), f"{path}: {link}"
            assert not anchor or anchor in anchors(file), f"{path}: {link}"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_of_the_documentation_names_every_page() -> None:
    """docs/README.md links to each page of docs/, so that none is out of sight."""
    linked = set(re.findall(r"\]\(([\w.-]+)\)", (ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert linked == {path.name for path in (ROOT / "docs").iterdir() if path.is_file()} - {"README.md"}


def test_each_recipe_that_is_followed_is_one_of_contributing() -> None:
    """``test_a_check_is_…`` follows the line "a check: …", which names every file that it changes."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^- (.+?): ((?:.+\n)(?:  .+\n)*)", contributing, re.MULTILINE))
    tree = ast.parse((ROOT / "tests/test_recipes.py").read_text(encoding="utf-8"))
    followed = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")]
    for test in followed:
        recipe = recipes[test.name.removeprefix("test_").partition("_is_")[0].replace("_", " ")]
        files = [one.value for one in ast.walk(test) if isinstance(one, ast.Constant)]
        changed = [one for one in files if re.fullmatch(r"genredb/[\w/]+(\.py)?", str(one))]
        assert changed, test.name
        assert [one for one in changed if str(one) not in recipe] == [], test.name


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


def test_no_correlation_of_the_description_is_minus_zero(cli: Cli, sample_folder: Path) -> None:
    described = json.loads(cli("describe", "--json", cwd=sample_folder).out)
    assert len(described["genres"]) == len(described["genre_means"]) == 65, "no table's limit cuts them"
    texts = [str(value) for row in described["correlations"] for value in row.values()]
    assert "0.0" in texts
    assert "-0.0" not in texts
