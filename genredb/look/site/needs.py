"""What pages need of the database, which a project may lack, since it can change the shipped models."""

from collections.abc import Mapping, Sequence

from genredb.errors import UsageError
from genredb.look.of_classifiers import evaluated_classifier
from genredb.look.site.frame import Site
from genredb.warehouse.database import column_types, relation_exists

# What the notebook that genredb grew from scored on the competition's songs, whose genres are not known here.
NOTEBOOK_ACCURACY = 0.321
COMPETITION_FILE = "CS98XClassificationTest.csv"


def lacking(site: Site, needed: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the needed columns, by relation (``schema.name``), that the database lacks."""
    connection, found = site.catalog.connection, []
    for relation, columns in needed.items():
        schema, table = relation.split(".")
        is_there = relation_exists(connection, schema, table)
        there = column_types(connection, schema, table) if is_there else {}
        name = relation.removeprefix("main.")
        found += [f"{name}.{column}" for column in columns if column not in there]
    return found


def judged_classifier(site: Site) -> str | None:
    """Return the evaluated classifier to speak of; None if there is none, or the project has no features."""
    try:
        return evaluated_classifier(site.catalog)
    except UsageError:
        return None


def notebook_accuracy(site: Site) -> float | None:
    """Return what the notebook scored; None if the songs are not the competition's."""
    is_comparable = any(load.file == COMPETITION_FILE for load in site.catalog.loads)
    return NOTEBOOK_ACCURACY if is_comparable and not site.built_with.is_sample else None
