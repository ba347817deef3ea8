"""What the plots of classifiers and predictions show, read from the evaluations and the predictions."""

from typing import TYPE_CHECKING

from genredb.errors import UsageError
from genredb.look.drawn import Drawn, Rows, rows_of
from genredb.songs.staleness import DEFAULT, chosen
from genredb.warehouse.database import quote

if TYPE_CHECKING:
    from genredb.catalog import Catalog

PROTOCOL = "cv"  # of five folds, repeated: the estimate that the leaderboard ranks by
GROUP = "genre_group"


def sound_map(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Place every song by its sound; a song without a genre has the group predicted for it, if any."""
    return Drawn.most(placed_songs(catalog))


def placed_songs(catalog: "Catalog") -> Rows:
    """Read every song with its place on the map, in an order that has nothing to do with what is shown."""
    import numpy as np  # noqa: PLC0415 - other plots do without

    from genredb.songs.learn.sound_map import place_by_sound  # noqa: PLC0415 - brings scikit-learn

    names = [name for (name,) in catalog.connection.rows("select column_name from numeric_summary")]
    numbers = ", ".join(f"songs.{quote(name)}::double as {quote(f'number {name}')}" for name in names)
    rows = rows_of(
        catalog,
        f"""
        select
            songs.song_key as song,
            songs.title,
            songs.artist,
            coalesce(songs.genre, predictions.genre) as genre,
            coalesce(songs.genre_group, predictions.genre_group) as "group",
            if(songs.genre is null, 'predicted', 'labelled') as state,
            {numbers}
        from songs
        left join predictions on songs.song_key = predictions.song_key
        order by md5(songs.song_key)
        """,
    )
    sounds = np.array([[row.pop(f"number {name}") for name in names] for row in rows], dtype=float)
    for row, (x, y) in zip(rows, place_by_sound(sounds).round(3).tolist(), strict=True):
        row |= {"x": x, "y": y}
    return rows


def leaderboard(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Read the accuracy of each classifier, with its standard error."""
    found = catalog.evaluations(PROTOCOL)
    if not found:
        raise _not_evaluated()
    rows = [
        {
            "classifier": one.classifier,
            "accuracy": one.accuracy,
            "low": one.accuracy - one.accuracy_error,
            "high": one.accuracy + one.accuracy_error,
            "verdict": "default" if one.difference is None else "noise" if one.is_noise else "differs",
        }
        for one in found
    ]
    return Drawn(rows, f"{found[0].songs:,} labelled songs, cross-validated; bars: ± one standard error")


def confusion(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Read which groups are predicted for the songs of each group."""
    name = _evaluated(catalog, GROUP)
    sql = """
        select
            actual,
            predicted,
            songs,
            songs / sum(songs) over (partition by actual) as share
        from ml.confusion
        where classifier = $1 and protocol = $2 and label = $3
        order by actual, predicted
    """
    return Drawn(rows_of(catalog, sql, name, PROTOCOL, GROUP), f"{name}, cross-validated")


def calibration(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Read how often predictions of about the same probability are right."""
    from genredb.songs.learn.reports import report_by_probability  # noqa: PLC0415 - brings NumPy

    name = _evaluated(catalog, "genre")
    found = report_by_probability(catalog.connection, name, PROTOCOL, "genre")
    rows = [
        {
            "artist": "with labelled songs" if one.is_artist_known else "without",
            "probability": one.mean_probability,
            "right": one.right,
            "songs": one.songs,
        }
        for one in found.probabilities
    ]
    error = f"calibration error {found.calibration.error:.3f}, {found.calibration.perfect:.3f} if perfect"
    return Drawn(rows, f"{name}, cross-validated; {error}")


def importance(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:
    """Read how much accuracy each column is worth to the classifier."""
    name = _evaluated(catalog, "genre")
    sql = """
        select
            column_name as "column",
            importance,
            importance - deviation as low,
            importance + deviation as high
        from ml.importances
        where classifier = $1 and protocol = $2
        order by importance desc, column_name
    """
    rows = rows_of(catalog, sql, name, PROTOCOL)
    return Drawn(rows, f"{name}; bars: ± one standard deviation over folds and permutations")


def evaluated_classifier(catalog: "Catalog", label: str = "genre") -> str | None:
    """Return the classifier in use, or the default one if that was not evaluated; None if none was."""
    names = [one.classifier for one in catalog.evaluations(PROTOCOL, label)]
    return next((name for name in (chosen(catalog.connection).name, DEFAULT, *names) if name in names), None)


def _evaluated(catalog: "Catalog", label: str) -> str:
    if name := evaluated_classifier(catalog, label):
        return name
    raise _not_evaluated()


def _not_evaluated() -> UsageError:
    return UsageError("The classifiers have not been evaluated on these songs", cure="run `genredb evaluate`")
