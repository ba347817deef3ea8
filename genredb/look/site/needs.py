"""What pages need of the database, which a project may lack, since it can change the shipped models."""

from collections.abc import Mapping, Sequence

from genredb.errors import UsageError
from genredb.look.of_classifiers import evaluated_classifier
from genredb.look.site.frame import Site
from genredb.warehouse.database import column_types


def lacking(site: Site, needed: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the needed columns, by relation (``schema.name``), that the database lacks."""
    found = []
    for relation, columns in needed.items():
        there = column_types(site.catalog.connection, *relation.split("."))
        name = relation.removeprefix("main.")
        found += [f"{name}.{column}" for column in columns if column not in there]
    return found


def judged_classifier(site: Site) -> str | None:
    """Return the evaluated classifier to speak of; None if there is none, or the project has no features."""
    try:
        return evaluated_classifier(site.catalog)
    except UsageError:
        return None
