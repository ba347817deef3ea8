"""What the view of a song shows beyond its row of the table: where it comes from and why it was predicted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genredb.look.of_classifiers import PROTOCOL
from genredb.look.site.frame import Site
from genredb.look.site.song_table import SongTable
from genredb.warehouse.database import column_types, quote, relation_exists
from genredb.warehouse.declared import SourceSpec
from genredb.warehouse.record_lines import record_lines

DATA = "data/details.js"
MOST_WEIGHED = 2_000  # songs whose columns are weighed, which asks the classifier once per song and column
_RUNNERS_UP = 3

Details = dict[str, list[Any]]


@dataclass(frozen=True)
class Origin:
    """Where a row of a raw table comes from; the line is None if the file is gone or has changed."""

    file: str
    line: int | None
    title: str | None
    artist: str | None


def read_details(site: Site, table: SongTable) -> Details:
    """Return the details by column, a value per row of the table."""
    keys = [row["song_key"] for row in table.rows]
    origins = dict(_origins(site))
    details: Details = {
        "file": [origins[key].file if key in origins else None for key in keys],
        "line": [origins[key].line if key in origins else None for key in keys],
    }
    for name in ("title", "artist"):
        raw = {key: getattr(one, name) for key, one in origins.items()}
        details[f"raw_{name}"] = [
            raw[row["song_key"]] if raw.get(row["song_key"]) not in (None, row[name]) else None
            for row in table.rows
        ]
    return (
        details
        | _answers(site, table, keys)
        | _runners_up(site, keys)
        | _submission(site, table)
        | _weights(site, keys)
    )


def _origins(site: Site) -> Iterator[tuple[str, Origin]]:
    """Yield the origin of each row of the raw tables of songs, by the song's key."""
    for source in site.catalog.project.loaded_sources:
        columns = column_types(site.catalog.connection, source.schema, source.table)
        number = next((name for name in ("id", "row_number") if name in columns), None)
        if number is None or "title" not in columns:
            continue
        stem = "file_stem" if "file_stem" in columns else f"'{source.table.removeprefix('songs_')}'"
        artist = next((name for name in ("artist", "artists") if name in columns), "null")
        rows = site.rows(
            f"""
            select {stem} || ':' || {number} as song_key, title, {artist} as artist
            from {quote(source.schema)}.{quote(source.table)}
            order by rowid
            """
        )
        for row, (file, line) in zip(rows, _places(site, source), strict=False):
            yield row["song_key"], Origin(file, line, row["title"], row["artist"])


def _places(site: Site, source: SourceSpec) -> Iterator[tuple[str, int | None]]:
    """Yield the file and line of each row of a raw table, in its order, which is that of the files."""
    connection, raw_dir = site.catalog.connection, site.catalog.config.raw_dir
    skipped = site.rows("select file, line from raw.quarantine where source = $1", source.qualified_name)
    for load in site.catalog.loads:
        if load.source == source.qualified_name:
            own = {row["line"] for row in skipped if row["file"] == load.file}
            separator = source.files.delimiter if source.files else ","
            lines = record_lines(connection, raw_dir / load.file, separator, load.sha256, own)
            is_known = lines is not None and len(lines) == load.loaded
            yield from ((load.file, line) for line in (lines if is_known else [None] * load.loaded) or ())


def _answers(site: Site, table: SongTable, keys: list[str]) -> Details:
    """Return what was predicted for each labelled song over the repetitions, most often first."""
    rows = site.rows(
        """
        with

        counted as (
            select
                song_key,
                predicted,
                count(*) as times
            from ml.song_scores
            where classifier = $1 and protocol = $2 and label = 'genre'
            group by song_key, predicted
        )

        select
            song_key,
            string_agg(predicted || ' ×' || times, ', ' order by times desc, predicted) as answers
        from counted
        group by song_key
        """,
        table.classifier,
        PROTOCOL,
    )
    found = {row["song_key"]: row["answers"] for row in rows}
    return {"answers": [found.get(key) for key in keys]} if found else {}


def _runners_up(site: Site, keys: list[str]) -> Details:
    """Return the next most likely genres of the predicted songs."""
    rows = site.rows("select song_key, runner_ups from predictions where runner_ups is not null")
    found = {row["song_key"]: row["runner_ups"] for row in rows}
    details: Details = {}
    for place in range(_RUNNERS_UP if found else 0):
        own = [found.get(key, ())[place : place + 1] for key in keys]
        details[f"runner_up_{place + 1}"] = [one[0]["genre"] if one else None for one in own]
        details[f"runner_up_{place + 1}_probability"] = [
            one[0]["probability"] if one else None for one in own
        ]
    return details


def _submission(site: Site, table: SongTable) -> Details:
    """Return the row of each song of the test file in the submission, and its line there."""
    if not relation_exists(site.catalog.connection, "main", "submission"):
        return {}
    rows = site.rows('select "Id" as id, "top genre" as genre from submission order by "Id"')
    lines = {row["id"]: (line, row["genre"]) for line, row in enumerate(rows, start=2)}
    own = [
        lines.get(row["id"], (None, None)) if row["source"] == "test" else (None, None) for row in table.rows
    ]
    return {"submission_line": [line for line, _ in own], "submitted": [genre for _, genre in own]}


def _weights(site: Site, keys: list[str]) -> Details:
    """Return how much each column weighed in the predictions that the audio decided."""
    weighed = site.catalog.weights(MOST_WEIGHED)
    names = sorted({weight.column for found in weighed.values() for weight in found})
    by_name = {key: {weight.column: weight.change for weight in found} for key, found in weighed.items()}
    return {f"weight_{name}": [by_name.get(key, {}).get(name) for key in keys] for name in names}
