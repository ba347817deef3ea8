"""A contract: the columns, types and constraints that a model must have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genredb.errors import Place


@dataclass(frozen=True)
class Contract:
    """What a model must have: ``columns`` maps the names, as SQL writes them, to the stated types.

    ``definitions`` are those of its table: the columns with their constraints, then its own constraints.
    ``references`` are the unique ids of what its foreign keys refer to, ``place`` is where it is stated.
    """

    columns: Mapping[str, str]
    definitions: tuple[str, ...]
    references: tuple[str, ...]
    place: Place

    @property
    def empty_query(self) -> str:
        """A query without rows that has the stated columns."""
        return f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in self.columns.items())}"


@dataclass(frozen=True)
class Mismatch:
    """A column that is not as stated; a type is empty if the model, or the statement, lacks the column."""

    name: str
    found: str
    stated: str


def mismatches(stated: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Mismatch]:
    """Yield how columns differ from those stated, both by name with their types; their order is free."""
    for name in dict.fromkeys((*stated, *found)):
        if stated.get(name) != found.get(name):
            yield Mismatch(name, found.get(name, ""), stated.get(name, ""))
