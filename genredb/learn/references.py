"""What an evaluation can be compared with by name: git revisions, and earlier runs of ``evaluate``.

Imports nothing heavy, for completion asks it at each Tab.
"""

import contextlib

from genredb.errors import GenredbError
from genredb.learn.revisions import known_revisions
from genredb.project.config import Config
from genredb.warehouse.database import Connection, fetch_all, open_reader, relation_exists


def known_references(config: Config) -> list[str]:
    """Return the revisions, and the runs of ``evaluate``, the last first."""
    runs: dict[str, tuple[str, str]] = {}
    with contextlib.suppress(GenredbError), open_reader(config.database) as connection:
        runs = past_runs(connection)
    return [*known_revisions(config.root), *runs]


def past_runs(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return the runs whose song scores are kept, the last first: the classifier and the protocol of each."""
    if not relation_exists(connection, "ml", "past_song_scores"):
        return {}
    sql = "select distinct run_id, classifier, protocol from ml.past_song_scores order by run_id desc"
    return {run_id: (classifier, protocol) for run_id, classifier, protocol in fetch_all(connection, sql)}
