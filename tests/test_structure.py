"""The shape of the code: no import circle, no module that does not fit a head, no class of too many fields."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "genredb").rglob("*.py"))
    if "shipped" not in path.parts
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
CLASSES = {
    f"{name}.{found.name}": (name, found)
    for name, tree in TREES.items()
    for found in ast.walk(tree)
    if isinstance(found, ast.ClassDef)
}
MOST_LINES, MOST_FIELDS = 300, 15
# Why some have more fields, each with one meaning.
MANY_FIELDS = {
    "genredb.runner.graph.nodes.Check": "a node with its SQL, and dbt's facts of a generic check in its manifest",
    "genredb.runner.graph.nodes.PythonModel": "a model, and what its code reads",
    "genredb.songs.classifiers.KeptFacts": "the id and the facts of the manifest, as `classifiers show` prints them",
    "genredb.songs.learn.leaderboard.Evaluation": "a row of ml.evaluations, beside that of the default classifier",
    "genredb.songs.learn.manifest.Facts": "the keys of the JSON in ml.classifiers.manifest that users may see",
    "genredb.songs.learn.manifest.Manifest": "all keys of that JSON, which is stored and read by them",
}


def imported(name: str) -> Iterator[str]:
    """The modules that a module imports anywhere: at its top, in a function, for types alone."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (one if one in MODULES else node.module for one in inner)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def fields_of(name: str) -> set[str]:
    """The names of the fields of a class, those that it inherits among them."""
    module, found = CLASSES[name]
    elsewhere = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    fields = {
        ast.unparse(part.target)
        for part in found.body
        if isinstance(part, ast.AnnAssign) and "ClassVar" not in ast.unparse(part.annotation)
    }
    for base in found.bases:
        text = ast.unparse(base).partition("[")[0]
        above = elsewhere.get(text, f"{module}.{text}")
        fields |= fields_of(above) if above in CLASSES else set()
    return fields


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even for types alone: of two that need each other's types, one should be two."""
    graph = {name: {one for one in imported(name) if one in MODULES and one != name} for name in MODULES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        raise AssertionError(" → ".join(reversed(error.args[1]))) from None


def test_no_module_is_long() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_class_has_many_fields_without_a_reason() -> None:
    assert {name for name in CLASSES if len(fields_of(name)) > MOST_FIELDS} == set(MANY_FIELDS)


def test_only_the_warehouse_names_duckdbs_connection() -> None:
    """Others ask genredb's own, so that what DuckDB's can do beyond it is used in one folder."""
    held = {"connection", "memory", "reader", "other", "current"}
    for name, tree in TREES.items():
        if name.startswith("genredb.warehouse"):
            continue
        for node in ast.walk(tree):
            named = (
                node.value
                if isinstance(node, ast.Constant)
                else getattr(node, "id", getattr(node, "attr", ""))
            )
            assert "DuckDBPyConnection" not in str(named), name
            if isinstance(node, ast.Attribute) and node.attr == "engine":
                owner = node.value
                assert getattr(owner, "id", getattr(owner, "attr", "")).lstrip("_") not in held, name
