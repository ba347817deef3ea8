"""The kinds of plots, one entry each.

To add a kind, write ``specs/NAME.json``, a Vega-Lite specification without data, a function that reads its
rows, and an entry in ``KINDS``. In a specification, ``$x`` and ``$y`` stand for the columns that the user
named, ``$groups`` for the groups, largest first, so that each has the same colour in every plot, and
``$note`` for the note of the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genredb.look import of_classifiers, of_songs
from genredb.look.drawn import Drawn

if TYPE_CHECKING:
    from genredb.catalog import Catalog


@dataclass(frozen=True)
class Kind:
    """A kind of plot: what it shows, how its rows are read, and the defaults of the columns that it takes."""

    shows: str
    read: Callable[["Catalog", tuple[str, ...]], Drawn]
    columns: tuple[str, ...] = ()


KINDS = {
    "heatmap": Kind("Correlations of the audio columns.", of_songs.heatmap),
    "scatter": Kind("Two columns, a point per labelled song.", of_songs.scatter, ("nrgy", "db")),
    "histogram": Kind("How many songs have which value of a column.", of_songs.histogram, ("bpm",)),
    "distribution": Kind("A column by group, a point per labelled song.", of_songs.distribution, ("acous",)),
    "genres": Kind("Songs per genre, and which genres are too rare.", of_songs.genres),
    "years": Kind("Songs per year, by group.", of_songs.years),
    "map": Kind("Every song, near those that sound like it.", of_classifiers.sound_map),
    "confusion": Kind("Which groups are mistaken for which.", of_classifiers.confusion),
    "calibration": Kind("How often predictions are right, by probability.", of_classifiers.calibration),
    "importance": Kind("The accuracy that each column is worth.", of_classifiers.importance),
    "leaderboard": Kind("The accuracy of the evaluated classifiers.", of_classifiers.leaderboard),
}
