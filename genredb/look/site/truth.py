"""The page Truth: how good the classifiers are, for whom, where they err, and that no label leaks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genredb.errors import UsageError
from genredb.look.of_classifiers import PROTOCOL, evaluated_classifier
from genredb.look.site import truth_rows
from genredb.look.site.frame import File, Site
from genredb.look.site.needs import notebook_accuracy
from genredb.look.site.pictures import picture
from genredb.runner.flow.features import columns_of_role, feature_views, row_filter
from genredb.runner.planning.state import read_proof
from genredb.runner.results import Proof, ProvedView
from genredb.songs.learn.reports import report_by, report_by_probability
from genredb.songs.staleness import chosen

if TYPE_CHECKING:
    from genredb.songs.learn.leaderboard import Evaluation

PROTOCOLS = ("cv", "unseen", "seed")
LABELS = {"genre": "genre", "genre_group": "group of genres"}


@dataclass(frozen=True)
class Board:
    """The leaderboard under a protocol and a label."""

    protocol: str
    label: str
    label_name: str
    evaluations: "tuple[Evaluation, ...]"


def write(site: Site) -> Iterator[File]:
    """Yield the page."""
    boards = _boards(site)
    name = evaluated_classifier(site.catalog) if boards else None
    judged = _judged(site, boards, name) if name else None
    yield site.page("truth.html", "truth.html", boards=boards, judged=judged, proof=_proof(site))


def _boards(site: Site) -> list[Board]:
    """Return the leaderboards that have entries."""
    try:
        found = [
            Board(protocol, label, name, tuple(site.catalog.evaluations(protocol, label)))
            for protocol in PROTOCOLS
            for label, name in LABELS.items()
        ]
    except UsageError:  # the project has songs, but not the views that classifiers read
        return []
    return [one for one in found if one.evaluations]


def _judged(site: Site, boards: list[Board], name: str) -> dict[str, Any]:
    """Return what the page says of the classifier in use, or of the default one."""
    connection = site.catalog.connection
    found = {
        (one.label, one.classifier): one
        for board in boards
        if board.protocol == PROTOCOL
        for one in board.evaluations
    }
    genre = found["genre", name]
    has_probabilities = genre.log_loss is not None
    return {
        "name": name,
        "in_use": chosen(connection).name,
        "genre": genre,
        "group": found["genre_group", name],
        "notebook": notebook_accuracy(site),
        "majority": found.get(("genre", "majority")),
        "genres": site.rows("select count(distinct genre) as genres from songs")[0]["genres"],
        "leaderboard": picture(site, "leaderboard"),
        "calibration": picture(site, "calibration") if has_probabilities else None,
        "bins": report_by_probability(connection, name, PROTOCOL, "genre") if has_probabilities else None,
        "importance": picture(site, "importance"),
        "matrix": truth_rows.matrix(site, name),
        "pairs": truth_rows.confused_genres(site, name),
        "repeats": truth_rows.repeats(site, name),
        "mistakes": truth_rows.mistakes(site, name),
        "asked": truth_rows.asked(site, genre),
        "share_known": truth_rows.share_known(site, name),
        "by_group": report_by(connection, name, PROTOCOL, "genre_group", "group"),
        "by_genre": report_by(connection, name, PROTOCOL, "genre", "genre"),
        "sets": truth_rows.sets(site, name),
    }


def _proof(site: Site) -> dict[str, Any]:
    """Return what the leak guard proved of the database, or what it would prove, and when it was proved."""
    found = read_proof(site.catalog.connection)
    started_at = {run.run_id: run.started_at for run in site.catalog.runs}
    if found:
        return {"found": found, "proved_at": started_at.get(found.run_id), "is_recorded": True}
    views = feature_views(site.catalog.compilation)
    of_files = Proof(
        tuple(
            ProvedView(
                f"{view.relation.schema}.{view.relation.identifier}",
                tuple(columns_of_role(view, "feature")),
                0,
                row_filter(view),
            )
            for view in views
        ),
        (),
    )
    return {"found": of_files if views else None, "proved_at": None, "is_recorded": False}
