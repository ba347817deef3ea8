"""The macros of a project and its packages, and the order in which dbt looks for one."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from genredb.errors import ProjectError, UsageError
from genredb.runner.project.config import Config
from genredb.runner.templates.tags import TEST_PREFIX, Namespace

Macro = Callable[..., Any]
_NONE = object()


class Macros:
    """Macros by package; ``names`` are the names that templates see, which this keeps up to date.

    A template sees the macros of its own package, then those of the project, then dbt's; those of other
    packages by the package's name.
    """

    def __init__(self, config: Config, names: MutableMapping[str, Any]) -> None:
        self._project = config.package
        self.names = names
        self._hidden: dict[str, Any] = {}  # what other macros took the names of
        self._by_package: dict[str, dict[str, Macro]] = {}
        self._shown = config.name
        for package in config.packages:
            self._by_package[package.name] = {}
            names[package.name] = Namespace()

    def add(self, package: str, name: str, macro: Macro, path: str) -> None:
        """Add a macro; ProjectError if its package has one of that name in another file."""
        if name in self._by_package[package]:
            raise ProjectError(f"the macro '{name}' is defined in another file already", place=path)
        self._by_package[package][name] = macro
        setattr(self.names[package], name, macro)
        if package == self._project.name:
            self.names[name] = macro
        elif package == self._shown:
            self._cover(name, macro)

    def show(self, package: str) -> None:
        """Let templates see what those of this package see; an empty name is that of the project."""
        package = package or self._project.name
        if package == self._shown:
            return
        for name in self._own(self._shown):
            if name in self._hidden:
                self.names[name] = self._hidden.pop(name)
            else:
                del self.names[name]
        self._shown = package
        for name, macro in self._own(package).items():
            self._cover(name, macro)

    @contextlib.contextmanager
    def replaced(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Let macros return these values inside the block; ``package.name`` is one called by its package."""
        kept: list[tuple[MutableMapping[str, Any], str, Any]] = []
        for name, value in values.items():
            package, _, own = name.rpartition(".")
            names = getattr(self.names.get(package), "__dict__", {}) if package else self.names
            kept.append((names, own, names.get(own, _NONE)))
            names[own] = lambda *_a, _v=value, **_k: _v
        try:
            yield
        finally:
            for names, own, before in reversed(kept):
                del names[own]
                names.update({} if before is _NONE else {own: before})

    def _cover(self, name: str, macro: Macro) -> None:
        if name in self.names:
            self._hidden[name] = self.names[name]
        self.names[name] = macro

    def _own(self, package: str) -> Mapping[str, Macro]:
        """Return the macros of a package that others do not see; those of the project are always seen."""
        return {} if package == self._project.name else self._by_package[package]

    def seen_by(self, package: str, name: str) -> Macro | None:
        """Return the macro that a template of a package sees under a name, or None."""
        own, project = (self._by_package[one] for one in (package or self._project.name, self._project.name))
        return own.get(name) or project.get(name)

    def callable_as(self, name: str) -> str:
        """Return what a template of the project calls a macro; UsageError if there is none of that name.

        Without ``package.`` in front it is one of the project, else of any package.
        """
        stated, _, own = name.rpartition(".")
        packages = (stated,) if stated else tuple(self._by_package)
        for package in packages:
            if own in self._by_package.get(package, {}):
                return own if package == self._project.name else f"{package}.{own}"
        known = self._by_package.get(stated or self._project.name, {})
        raise UsageError(f"There is no macro '{name}'", name=name, choices=known)

    def test(self, package: str, kind: str) -> str | None:
        """Return what a template calls for a generic check, such as ``dbt_utils.test_recency``, or None."""
        namespace, dot, name = kind.rpartition(".")
        macro = f"{TEST_PREFIX}{name}"
        if not dot:
            return macro if self.seen_by(package, macro) else None
        return f"{namespace}.{macro}" if macro in self._by_package.get(namespace, {}) else None

    def tests(self, package: str) -> list[str]:
        """Return the names of the generic checks that a properties file of a package may state."""
        found = [
            (owner, name.removeprefix(TEST_PREFIX))
            for owner, macros in self._by_package.items()
            for name in macros
            if name.startswith(TEST_PREFIX)
        ]
        seen = (package or self._project.name, self._project.name)
        return [name if owner in seen else f"{owner}.{name}" for owner, name in found]

    def dispatched(self, names: list[str], namespace: str | None) -> Macro | None:
        """Return the macro that ``adapter.dispatch`` finds under one of these names, or None.

        It looks in the packages that ``dispatch:`` lists for the namespace, else in the project, then in the
        package of that name; without a namespace, or without such a package, in what the template sees. dbt's
        own are not looked for.
        """
        stated = self._project.search_order(namespace) if namespace else ()
        if namespace is None or (not stated and namespace not in (*self._by_package, "dbt")):
            found = (self.seen_by(self._shown, name) for name in names)
            return next((macro for macro in found if macro), None)
        for package in stated or (self._project.name, namespace):
            macros = self._by_package.get(package, {})
            if macro := next((macros[name] for name in names if name in macros), None):
                return macro
        return None
