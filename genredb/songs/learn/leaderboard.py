"""Reads evaluations back and tells which differences between classifiers could be chance.

Imports no scikit-learn, so reading is fast.
"""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace

import numpy as np

from genredb.errors import UsageError
from genredb.songs.learn.dataset import SPLIT_BY, evaluation_digest
from genredb.songs.learn.noise import are_noise
from genredb.songs.learn.scores import standard_error
from genredb.songs.staleness import DEFAULT
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import relation_exists
from genredb.warehouse.tables import has_current_layout

LABELS = ("genre", "genre_group")


@dataclass(frozen=True)
class Evaluation:
    """A classifier under a protocol and a label, over all folds; errors are standard errors over songs.

    ``ceiling`` is the share of songs whose label was known to the fold. ``difference`` is the accuracy minus
    that of the default classifier on the same songs, with its own error; ``is_noise`` means that it could be
    chance, given how many classifiers are compared.
    """

    classifier: str
    protocol: str
    label: str
    songs: int
    accuracy: float
    accuracy_error: float
    seen_accuracy: float | None
    unseen_accuracy: float | None
    unseen_error: float | None
    top_3: float
    macro_f1: float
    log_loss: float | None
    calibration_error: float | None
    ceiling: float
    fit_seconds: float
    predict_seconds: float
    difference: float | None = None
    difference_error: float | None = None
    is_noise: bool | None = None


@dataclass(frozen=True)
class PastAccuracy:
    """A classifier's accuracy in a run; ``data`` is equal for equal songs and folds."""

    run_id: str
    classifier: str
    songs: int
    accuracy: float
    data: str


def read_leaderboard(
    connection: Connection, protocol: str, label: str, names: Sequence[str] | None = None
) -> list[Evaluation]:
    """Return evaluations under a protocol and a label, most accurate first: of ``names``, or all current.

    Current are those of the songs and settings as they are now. Each is compared with the default classifier
    on the same songs. UsageError with the choices for an unknown protocol or label.
    """
    for what, asked, known in (("protocol", protocol, SPLIT_BY), ("label", label, LABELS)):
        if asked not in known:
            raise UsageError(f"There is no {what} '{asked}'", name=asked, choices=known)
    if names is None:
        names = _current(connection, protocol, label)
    if not names:  # the database may not even have the table
        return []
    found = with_verdicts([*_compared(connection, _read(connection, names, protocol, label))])
    return sorted(found, key=lambda one: -one.accuracy)


def _current(connection: Connection, protocol: str, label: str) -> list[str]:
    """Return the classifiers that were evaluated on the current songs."""
    if not (has_current_layout(connection) and relation_exists(connection, "ml", "evaluations")):
        return []
    sql = "select classifier, digest from ml.evaluations where protocol = ? and label = ? order by classifier"
    stored = connection.rows(sql, [protocol, label])
    now = evaluation_digest(connection, protocol) if stored else ""
    return [name for name, digest in stored if digest.startswith(f"{now}-")]


def _read(connection: Connection, names: Sequence[str], protocol: str, label: str) -> list[Evaluation]:
    columns = [f.name for f in fields(Evaluation) if f.default is MISSING]
    rows = connection.rows(
        f"select {', '.join(columns)} from ml.evaluations where protocol = ? and label = ?", [protocol, label]
    )
    found = {row[0]: Evaluation(*row) for row in rows}
    return [found[name] for name in names]


def _compared(connection: Connection, found: Sequence[Evaluation]) -> Iterator[Evaluation]:
    """Yield the evaluations, each compared with the default classifier's on the same songs."""
    others = [one.classifier for one in found if one.classifier != DEFAULT]
    pairs = _differences(connection, others, found[0].protocol, found[0].label) if others else {}
    for one in found:
        if one.classifier not in pairs:  # the default itself, or it was not evaluated, or on other songs
            yield one
            continue
        differences, artists = (np.array(column) for column in zip(*pairs[one.classifier], strict=True))
        error = standard_error(differences, artists)
        yield replace(one, difference=float(differences.mean()), difference_error=error)


def _differences(
    connection: Connection, names: Sequence[str], protocol: str, label: str
) -> dict[str, list[tuple[float, str]]]:
    """Return by classifier the accuracy on each song minus the default's, and the song's artist."""
    rows = connection.rows(
        """
        with

        scores as (
            select classifier, song_key, artist_key, avg(is_right::integer) as accuracy
            from ml.song_scores
            where protocol = ? and label = ?
            group by classifier, song_key, artist_key
        )

        select
            own.classifier,
            own.accuracy - other.accuracy,
            coalesce(nullif(own.artist_key, ''), own.song_key)
        from scores as own
        inner join scores as other on own.song_key = other.song_key
        where list_contains(?, own.classifier) and other.classifier = ?
        order by own.classifier, own.song_key
        """,
        [protocol, label, names, DEFAULT],
    )
    pairs: dict[str, list[tuple[float, str]]] = {}
    for name, difference, artist in rows:
        pairs.setdefault(name, []).append((difference, artist))
    return pairs


def read_past_accuracies(connection: Connection, protocol: str, label: str) -> tuple[PastAccuracy, ...]:
    """Return the accuracies under a protocol and a label, newest run first; none if nothing was evaluated."""
    if not (has_current_layout(connection) and relation_exists(connection, "ml", "past_song_scores")):
        return ()
    sql = """
        select
            run_id,
            classifier,
            count(*),
            avg(accuracy),
            array_to_string(string_split(any_value(digest), '-')[:2], '-')
        from ml.past_song_scores
        where protocol = ? and label = ?
        group by run_id, classifier
        order by run_id desc, classifier
    """
    return tuple(PastAccuracy(*row) for row in connection.rows(sql, [protocol, label]))


def with_verdicts(found: Sequence[Evaluation]) -> list[Evaluation]:
    """Mark each difference that could be noise, given how many are compared."""
    verdicts = are_noise(
        {
            one.classifier: (one.difference, one.difference_error or 0.0)
            for one in found
            if one.difference is not None
        }
    )
    return [replace(one, is_noise=verdicts.get(one.classifier)) for one in found]
