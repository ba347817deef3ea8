"""Where each command's work is: in a file of its name, few steps from the command line.

``python -m tests.test_commands`` prints the table.
"""

import ast
from collections import deque

import pytest

from genredb.cli.app import COMMANDS
from tests.test_structure import MODULES, TREES

HOUSES = ("genredb.runner", "genredb.songs", "genredb.ask", "genredb.look", "genredb")
# The module in which what a command is for is done in the end.
WORK = {
    "build": "runner.execution.materialize",
    "plan": "runner.planning.why",
    "retry": "runner.execution.materialize",
    "load": "warehouse.load",
    "test": "runner.execution.checks",
    "freshness": "runner.artifacts.sources",
    "run-operation": "runner.graph.deferred",
    "ls": "runner.graph.select",
    "show": "ask.show",
    "compile": "runner.graph.deferred",
    "lineage": "runner.flow.lineage",
    "train": "songs.learn.fitted",
    "evaluate": "songs.learn.fold_answers",
    "predict": "songs.learn.fitted",
    "explain": "songs.learn.fitted",
    "classifiers": "songs.learn.manifest",
    "export": "ask.output",
    "pull": "spark.local",
    "query": "warehouse.user_sql",
    "shell": "warehouse.user_sql",
    "describe": "ask.describe",
    "plot": "look.draw",
    "site": "look.site.frame",
    "diff": "ask.diff_rows",
    "mcp": "ask.query",
    "sample": "songs.sample.write",
    "init": "warehouse.infer",
    "deps": "deps.fetch",
    "doctor": "warehouse.database",
    "clean": "drafts",
}
# The prompt is the command line's own; it asks as `query` does.
OWN = {"shell": "genredb.cli.shell"}
MOST_HOPS = 4


def verb(command: str) -> str:
    """Return the module, or the folder, that is named after a command; empty where there is none."""
    named = (f"{house}.{command.replace('-', '_')}" for house in HOUSES)
    return OWN.get(command) or next((one for one in named if one in MODULES), "")


def called(module: str) -> set[str]:
    """Return the modules that a module imports to call them, wherever it does; not for types alone."""
    waiting: list[ast.AST] = [TREES[module]]
    found: set[str] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & MODULES.keys()) or {node.module}
        waiting += ast.iter_child_nodes(node)
    return found & MODULES.keys()


def path_to_work(command: str) -> list[str]:
    """Return the shortest way from a command's file over its verb to what does the work."""
    start, work = f"genredb.cli.{command.replace('-', '_')}", f"genredb.{WORK[command]}"
    named = verb(command)
    first = [one for one in called(start) if f"{one}.".startswith(f"{named}.")] if named != start else [start]
    came_from = dict.fromkeys(first, start)
    waiting = deque(first)
    while waiting:
        module = waiting.popleft()
        if module == work:
            way = [module]
            while way[0] != start:
                way.insert(0, came_from[way[0]])
            return way
        for one in called(module) - came_from.keys():
            came_from[one] = module
            waiting.append(one)
    return []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_work_of_a_command_is_in_a_file_of_its_name(command: str) -> None:
    assert verb(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_reaches_its_work_in_few_hops(command: str) -> None:
    assert 1 < len(path_to_work(command)) <= MOST_HOPS + 1


if __name__ == "__main__":
    for name in COMMANDS:
        hops = path_to_work(name)
        print(f"{name:<12} {verb(name):<32} {len(hops) - 1} hops: {' → '.join(hops)}")
