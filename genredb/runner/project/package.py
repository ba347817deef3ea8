"""Reads dbt_project.yml: where the files of a project, or of a package, are, and how they are configured."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.errors import Notice, ProjectError
from genredb.runner.project.files import mapping, parse_yaml, read_text, text_list
from genredb.runner.project.key_faults import check_project_keys
from genredb.runner.project.keys import PROJECT, TREES
from genredb.runner.project.reserved import PROJECT_NAMES
from genredb.runner.project.yml_jinja import YmlRenderer

PROJECT_FILE = "dbt_project.yml"
PACKAGE_FILES = ("packages.yml", "dependencies.yml")
HOOK_KEYS = ("on-run-start", "on-run-end")


@dataclass(frozen=True)
class RunHook:
    """One of a package's hooks: ``key`` is ``on-run-start`` or ``on-run-end``."""

    package: str
    key: str
    number: int
    text: str


@dataclass(frozen=True)
class Stated:
    """What a dbt_project.yml states, its jinja not rendered; messages call the file ``path``."""

    root: Path
    path: str
    name: str
    content: Mapping[str, Any]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class Package:
    """One of the projects that are compiled together: the project itself, or a package that it uses.

    All paths are absolute. ``content`` is the rendered dbt_project.yml, ``path`` what messages call it;
    ``environment`` are the environment variables that it uses.
    """

    root: Path
    path: str
    name: str
    content: Mapping[str, Any]
    model_paths: tuple[Path, ...]
    seed_paths: tuple[Path, ...]
    macro_paths: tuple[Path, ...]
    test_paths: tuple[Path, ...]
    snapshot_paths: tuple[Path, ...]
    docs_paths: tuple[Path, ...]
    hooks: tuple[RunHook, ...]
    environment: tuple[str, ...]
    notices: tuple[Notice, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files at its root that state how it is built."""
        found = [self.root / name for name in (PROJECT_FILE, *PACKAGE_FILES)]
        return tuple(path for path in found if path.is_file())

    @property
    def properties_paths(self) -> tuple[Path, ...]:
        """The folders that may contain properties files."""
        own = (*self.model_paths, *self.seed_paths, *self.snapshot_paths)
        return (*own, *self.test_paths, *self.macro_paths)

    def refuse_missing_folders(self) -> None:
        """Raise ProjectError if a folder that `model-paths:` names does not exist."""
        for folder in self.model_paths if "model-paths" in self.content else ():
            if not folder.is_dir():
                shown = (
                    folder.relative_to(self.root).as_posix() if folder.is_relative_to(self.root) else folder
                )
                what = f"`model-paths:` names the folder {shown}, which does not exist"
                raise ProjectError(what, place=self.path)

    def tree(self, kind: str) -> Mapping[str, Any]:
        """Return the configuration tree of ``model``, ``seed`` or other nodes: a kind in TREES."""
        trees = [mapping(self.content, key, self.path) for key, of in TREES.items() if of == kind]
        return {key: value for tree in reversed(trees) for key, value in tree.items()}

    def vars_for(self, name: str) -> Mapping[str, Any]:
        """Return the variables stated here for a package: those for all, then those for it alone."""
        return vars_for(self.content, name)

    def search_order(self, namespace: str) -> tuple[str, ...]:
        """Return the packages in which ``dispatch:`` says to look for a macro of a namespace."""
        entries = self.content.get("dispatch") or ()
        orders = (entry["search_order"] for entry in entries if entry["macro_namespace"] == namespace)
        return tuple(next(orders, ()))


def read_stated(root: Path, above: Path) -> Stated:
    """Read the dbt_project.yml of a folder; messages call it by its path below ``above``.

    Raises ProjectError if it is missing or invalid.
    """
    file = root / PROJECT_FILE
    path = file.relative_to(above).as_posix() if file.is_relative_to(above) else str(file)
    text = read_text(file)
    content = parse_yaml(text, path if root != above else str(file))
    notices = check_project_keys(content, path, text)
    name = content.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise ProjectError(f"{file} needs a `name:` of letters, digits and underscores")
    if name in PROJECT_NAMES:
        raise ProjectError(f"a project cannot be called '{name}', which means something else", place=path)
    mapping(content, "vars", path)
    return Stated(root, path, name, content, tuple(notices))


def package_of(stated: Stated, target: Mapping[str, Any], settings: Mapping[str, Any]) -> Package:
    """Render and check what a dbt_project.yml states.

    As in dbt its templates see ``settings``, the variables of the command line, and not its own.
    """
    root, path, name = stated.root, stated.path, stated.name
    renderer = YmlRenderer(settings, target)
    # Variables are not rendered, as in dbt, nor is what has no effect, whose templates may see other names.
    as_stated = {"vars", *PROJECT.ignored}
    rendered = renderer.render(
        {key: value for key, value in stated.content.items() if key not in as_stated}, path
    )
    content = {**rendered, "vars": stated.content.get("vars")}
    package = Package(
        root=root,
        path=path,
        name=name,
        content=content,
        model_paths=folders(content, root, "model-paths", "models", path),
        seed_paths=folders(content, root, "seed-paths", "seeds", path),
        macro_paths=folders(content, root, "macro-paths", "macros", path),
        test_paths=folders(content, root, "test-paths", "tests", path),
        snapshot_paths=folders(content, root, "snapshot-paths", "snapshots", path),
        docs_paths=folders(content, root, "docs-paths", None, path),
        hooks=tuple(_hooks(content, name, path)),
        environment=tuple(sorted(renderer.environment_names)),
        notices=stated.notices,
    )
    _check_dispatch(content, path)
    for kind in set(TREES.values()):
        package.tree(kind)  # raises an error if it is none
    return package


def vars_for(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the variables of a dbt_project.yml for a package: those for all, then those for it alone."""
    stated = content.get("vars") or {}
    scoped = stated.get(name)
    if not isinstance(scoped, Mapping):
        return dict(stated)
    return {key: value for key, value in stated.items() if key != name} | dict(scoped)


def folders(
    content: Mapping[str, Any], above: Path, key: str, default: str | None, path: str
) -> tuple[Path, ...]:
    """Return the folders listed under a key of a dbt_project.yml, which messages call ``path``."""
    stated = content.get(key)
    if stated is None:
        return (above / default,) if default else ()
    if not isinstance(stated, list) or not all(isinstance(folder, str) for folder in stated):
        raise ProjectError(
            f"`{key}:` should be a list of folders, such as [{default or 'target'}]", place=path
        )
    return tuple(above / folder for folder in stated)


def _check_dispatch(content: Mapping[str, Any], path: str) -> None:
    """Raise ProjectError unless each entry of `dispatch:` has a namespace and the packages to look in."""
    entries = content.get("dispatch") or []
    for entry in entries if isinstance(entries, list) else [entries]:
        stated = entry if isinstance(entry, Mapping) and isinstance(entries, list) else {}
        if "macro_namespace" not in stated or not isinstance(stated.get("search_order"), list):
            raise ProjectError(
                "`dispatch:` should be a list of entries with `macro_namespace:` and a list `search_order:`",
                place=path,
            )


def _hooks(content: Mapping[str, Any], name: str, path: str) -> Iterator[RunHook]:
    for key in HOOK_KEYS:
        for number, text in enumerate(text_list(content.get(key), key, path)):
            yield RunHook(name, key, number, text)
