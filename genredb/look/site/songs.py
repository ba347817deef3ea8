"""The table of all songs, and the view of each."""

from collections.abc import Iterator
from typing import Any

from genredb.look.site import addresses, dag
from genredb.look.site.frame import File, Site
from genredb.look.site.packed import packed
from genredb.look.site.song_details import DATA as DETAILS
from genredb.look.site.song_details import MOST_WEIGHED, read_details
from genredb.look.site.song_table import DATA, SongTable, data_file, read_song_table
from genredb.warehouse.database import quote

MOST_STATIC = 1_000  # rows of the table that is there without JavaScript
_TITLES = {
    "title": "Title",
    "artist": "Artist",
    "genre": "Genre",
    "genre_group": "Group",
    "answer": "Predicted",
    "probability": "Probability",
    "outcome": "Outcome",
    "source": "Source",
    "id": "Id",
}


def write(site: Site) -> Iterator[File]:
    """Yield the page and its data."""
    table = site.once(read_song_table)
    yield site.page(
        "songs.html",
        "songs.html",
        data=DATA,
        count=len(table.rows),
        rows=table.rows[:MOST_STATIC],
        columns=_columns(table),
        filters=[
            ("group", "Group", site.groups),
            ("genre", "Genre", sorted({row["genre"] for row in table.rows} - {None})),
            ("source", "Source", _values(table, "source")),
            ("outcome", "Outcome", _values(table, "outcome")),
        ],
        settings=_settings(site, table),
    )
    yield data_file(table)
    yield Site.script(DETAILS, "load", "details", packed(read_details(site, table)))


def _columns(table: SongTable) -> list[dict[str, str]]:
    """Return the columns of the page's table: those that have values, then the numbers."""
    known = [name for name in _TITLES if any(row[name] is not None for row in table.rows)]
    titles = {name: _TITLES[name] for name in known} | {name: name for name in table.numbers}
    return [{"name": name, "title": title} for name, title in titles.items()]


def _values(table: SongTable, column: str) -> list[str]:
    return list(dict.fromkeys(row[column] for row in table.rows))


def _settings(site: Site, table: SongTable) -> dict[str, Any]:
    """Return what the scripts of the page have to know."""
    medians = site.rows("select column_name as name, median from numeric_summary")
    return {
        "columns": _columns(table),
        "numbers": medians,
        "features": _features(site, table),
        "genres": site.once(addresses.genres),
        "groups": site.once(addresses.groups),
        "classifier": table.classifier,
        "mostWeighed": MOST_WEIGHED if _are_too_many(site) else None,
        "lineage": _lineage(site),
    }


def _lineage(site: Site) -> str | None:
    """Return the page of the model that makes the table of songs."""
    found = site.once(dag.addresses)
    return next((found[one] for one in found if one.startswith("model.") and one.endswith(".songs")), None)


def _are_too_many(site: Site) -> bool:
    """Return True if the columns of some songs that the audio decided are not weighed."""
    [row] = site.rows("select count(*) as songs from predictions where basis = 'audio'")
    return bool(row["songs"] > MOST_WEIGHED)


def _features(site: Site, table: SongTable) -> list[dict[str, Any]]:
    """Return the columns that classifiers read, with their spread and median over the labelled songs."""
    names = [name for name in site.catalog.features if name in table.numbers]
    measures = ", ".join(f"stddev_pop({quote(name)}), median({quote(name)})" for name in names)
    if not names:
        return []
    [found] = site.catalog.connection.rows(f"select {measures} from features.train")
    return [
        {"name": name, "spread": found[2 * place], "typical": found[2 * place + 1]}
        for place, name in enumerate(names)
    ]
