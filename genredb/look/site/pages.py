"""The pages of the report, one entry each, in the order of the navigation.

To add a page, write a module with a function that yields its files, a template, and an entry in ``PAGES``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from genredb.look.site import (
    explore,
    genres,
    lineage,
    overview,
    questions,
    runs,
    song_map,
    song_table,
    songs,
    truth,
)
from genredb.look.site.frame import File, Site


@dataclass(frozen=True)
class Page:
    """A page, or several with one entry in the navigation; ``write`` yields their files.

    ``needs`` are the columns, by relation, without which the page only says which ones are missing.
    """

    title: str
    write: Callable[[Site], Iterator[File]]
    needs_songs: bool = False
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)


PAGES = {
    "index": Page("Overview", overview.write),
    "map": Page("Map", song_map.write, needs_songs=True, needs=song_table.NEEDED),
    "songs": Page("Songs", songs.write, needs_songs=True, needs=song_table.NEEDED),
    "genres": Page("Genres", genres.write, needs_songs=True),
    "explore": Page("Explore", explore.write, needs_songs=True, needs=song_table.NEEDED),
    "lineage": Page("Lineage", lineage.write),
    "truth": Page("Truth", truth.write, needs_songs=True),
    "questions": Page("Questions", questions.write),
    "runs": Page("Runs", runs.write),
}
