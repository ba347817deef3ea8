"""What an evaluation can be compared with by name: git revisions, and earlier runs of ``evaluate``.

Imports nothing heavy, since shell completion calls it on each Tab.
"""

import contextlib

from genredb.errors import GenredbError
from genredb.runner.project.config import Config
from genredb.songs.learn.revisions import known_revisions
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import open_reader, relation_exists


def known_references(config: Config) -> list[str]:
    """Return the revisions, then the runs of ``evaluate``, latest first."""
    runs: dict[str, tuple[str, str]] = {}
    with (
        contextlib.suppress(GenredbError),
        open_reader(config.database, config.engine) as connection,
    ):
        runs = past_runs(connection)
    return [*known_revisions(config.root), *runs]


def past_runs(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return the runs with stored song scores, latest first: the classifier and protocol of each."""
    if not relation_exists(connection, "ml", "past_song_scores"):
        return {}
    sql = "select distinct run_id, classifier, protocol from ml.past_song_scores order by run_id desc"
    return {run_id: (classifier, protocol) for run_id, classifier, protocol in connection.rows(sql)}
