"""The first page: what the warehouse holds, how good the predictions are, and what to look at."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from genredb.look.of_classifiers import PROTOCOL
from genredb.look.site import bars
from genredb.look.site.frame import File, Site
from genredb.look.site.needs import judged_classifier, lacking, notebook_accuracy
from genredb.look.site.surprises import find_surprises
from genredb.runner.artifacts.history import CheckCounts, Run
from genredb.runner.results import Status
from genredb.songs.staleness import chosen

BUILDS = ("build", "retry")
# What each page is for, by its path.
LINES = {
    "map.html": "every song, near those that sound like it",
    "songs.html": "all songs to search, filter and sort; each with its prediction and the evidence",
    "genres.html": "how each genre and group sounds, typical songs, what it is mistaken for",
    "explore.html": "the plots, with columns to choose",
    "lineage.html": "the models from the files to the results: SQL, columns, checks, rows",
    "truth.html": "how good the classifiers are, where they err, and that no label leaks",
    "questions.html": "questions in SQL with their answers, to copy and change",
    "runs.html": "rows that could not be loaded; builds, checks and accuracy over time",
}


@dataclass(frozen=True)
class Card:
    """A number, what it counts, and where more is said of it."""

    value: int
    name: str
    href: str


@dataclass(frozen=True)
class Score:
    """A share of songs that are right, drawn as a bar; ``error`` is a standard error."""

    name: str
    value: float
    kind: str
    note: str = ""
    error: float | None = None

    @property
    def bar(self) -> Markup:
        """Its picture."""
        return bars.share(self.value, kind=self.kind, error=self.error)


@dataclass(frozen=True)
class LastBuild:
    """What the last build did; ``left`` nodes did not have to run, or were not selected."""

    run: Run
    built: int
    failed: int
    left: int
    checks: CheckCounts
    files: int
    quarantined: int


def write(site: Site) -> Iterator[File]:
    """Yield the page."""
    yield site.page(
        "index.html",
        "overview.html",
        cards=_song_cards(site) if site.has_songs else _project_cards(site),
        scores=_scores(site) if site.has_songs else [],
        predicted=_predicted(site) if site.has_songs else None,
        build=_last_build(site),
        surprises=find_surprises(site) if site.has_songs else (),
        pages=[(link, LINES.get(link.path, "")) for link in site.links if link.path != "index.html"],
    )


def _song_cards(site: Site) -> list[Card]:
    if lacking(site, {"main.songs": ["genre", "genre_group", "artist_key"]}):
        return _project_cards(site)
    [found] = site.rows("""
        select
            count(*) as songs,
            count(distinct genre) as genres,
            count(distinct genre_group) as groups,
            count(distinct artist_key) as artists,
            count(genre) as labelled,
            count(*) - count(genre) as asked
        from songs
    """)
    return [
        Card(found["songs"], "songs", "songs.html"),
        Card(found["genres"], "genres", "genres.html"),
        Card(found["groups"], "groups of genres", "genres.html"),
        Card(found["artists"], "artists", "songs.html#sort=artist"),
        Card(found["labelled"], "songs with a genre", "songs.html#sort=genre"),
        Card(found["asked"], "songs to predict", "songs.html#outcome=to+predict"),
    ]


def _project_cards(site: Site) -> list[Card]:
    catalog = site.catalog
    return [
        Card(len(catalog.relations), "tables and views", "lineage.html"),
        Card(_built_nodes(site), "models and seeds", "lineage.html"),
        Card(len(catalog.checks), "checks", "lineage.html"),
    ]


def _built_nodes(site: Site) -> int:
    """Return the number of the project's models and seeds that become relations."""
    return sum(node.is_built for node in site.catalog.compilation.nodes.values())


def _scores(site: Site) -> list[Score]:
    """Return the accuracy of the classifier in use between what is possible and what is easy."""
    name = judged_classifier(site)
    if name is None:
        return []
    found = {one.classifier: one for one in site.catalog.evaluations(PROTOCOL)}
    own = found[name]
    scores = [
        Score("highest possible", own.ceiling, "possible", "songs whose genre other songs show"),
        Score(
            own.classifier,
            own.accuracy,
            "bar",
            _note_on(site, name),
            own.accuracy_error,
        ),
    ]
    if own.unseen_accuracy is not None:
        note = "songs of artists without other labelled songs"
        scores.append(Score("… artists unseen", own.unseen_accuracy, "bar", note, own.unseen_error))
    if notebook := notebook_accuracy(site):
        note = "its score on the competition's test songs, whose genres are not known here"
        scores.append(Score("the notebook", notebook, "other", note))
    if "majority" in found and name != "majority":
        easy = found["majority"]
        scores.append(
            Score("majority", easy.accuracy, "other", "the most frequent genre, always", easy.accuracy_error)
        )
    return scores


def _note_on(site: Site, name: str) -> str:
    """Return the note on the accuracy of the classifier that is spoken of."""
    used = chosen(site.catalog.connection).name
    note = "in cross-validation, ± one standard error"
    return note if used == name else f"{note}; {used}, which is in use, has not been evaluated on these songs"


def _predicted(site: Site) -> int | None:
    """Return the number of predicted songs; None if the project cannot have any."""
    if lacking(site, {"ml.predictions": ["song_key"]}):
        return None
    [(count,)] = site.catalog.connection.rows("select count(*) from ml.predictions")
    return int(count)


def _last_build(site: Site) -> LastBuild | None:
    catalog = site.catalog
    run = next((one for one in catalog.runs if one.command in BUILDS), None)
    if run is None:
        return None
    ran = [one for one in catalog.node_runs if one.run_id == run.run_id]
    built = sum(one.status == Status.SUCCESS for one in ran)
    checks = next((one for one in catalog.check_counts if one.run_id == run.run_id), None)
    return LastBuild(
        run,
        built,
        failed=len(ran) - built,
        left=max(0, _built_nodes(site) - len(ran)),
        checks=checks or CheckCounts(run.run_id, 0, 0, 0, 0),
        files=len(catalog.loads),
        quarantined=sum(catalog.quarantined.values()),
    )
