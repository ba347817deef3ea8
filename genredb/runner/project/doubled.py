"""Finds names that several files of a package share."""

from collections.abc import Iterable, Iterator

from genredb.errors import ProjectError
from genredb.runner.project.specs import DatasetSpec


def doubled(name: str, one: str, other: str) -> ProjectError:
    """Return the error that two files share a name."""
    return ProjectError(f"{one} and {other} share the name '{name}'", cure="rename one")


def doubled_names(specs: Iterable[DatasetSpec]) -> Iterator[ProjectError]:
    """Yield an error for each name that two nodes share, unless they are versions of one model."""
    found: dict[str, DatasetSpec] = {}
    for spec in specs:
        other = found.setdefault(spec.name, spec)
        if spec is not other and None in (spec.version, other.version):
            yield doubled(spec.name, other.path, spec.path)
