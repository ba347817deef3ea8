"""The table of all songs, with what was predicted for them: what the pages Songs, Map and Explore show."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genredb.look.of_classifiers import PROTOCOL, evaluated_classifier, placed_songs
from genredb.look.site.frame import File, Site
from genredb.look.site.packed import packed
from genredb.warehouse.database import quote

if TYPE_CHECKING:
    from genredb.look.drawn import Rows

DATA = "data/songs.js"

NEEDED = {
    "main.songs": "song_key source id title artist artist_key recording_key duplicate_of".split(),
    "main.predictions": "song_key genre genre_group probability basis runner_ups".split(),
    "main.numeric_summary": "column_name median".split(),
    "main.genres": "genre song_count".split(),
    "features.train": ["song_key"],
    "ml.song_scores": ["song_key"],
}
# Out-of-sample answers for the labelled songs, those of ``predictions`` for the others.
_SQL = """
    with

    scores as (
        select
            song_key,
            any_value(predicted) filter (where label = 'genre' and repeat = 0) as predicted,
            any_value(probability) filter (where label = 'genre' and repeat = 0) as probability,
            any_value(predicted) filter (where label = 'genre_group' and repeat = 0) as predicted_group,
            avg(is_right::integer) filter (where label = 'genre') as right_share
        from ml.song_scores
        where classifier = $1 and protocol = $2
        group by song_key
    )

    select
        songs.song_key,
        songs.source,
        songs.id,
        songs.title,
        songs.artist,
        songs.genre,
        songs.genre_group,
        coalesce(scores.predicted, predictions.genre) as answer,
        coalesce(scores.predicted_group, predictions.genre_group) as answer_group,
        round(coalesce(scores.probability, predictions.probability), 6) as probability,
        case
            when songs.genre is null then 'to predict'
            when scores.predicted is null then 'not tested'
            when scores.predicted = songs.genre then 'right'
            else 'wrong'
        end as outcome,
        round(scores.right_share, 6) as right_share,
        predictions.basis,
        songs.duplicate_of,
        -- Only which ones are equal matters; a number takes less room than a text.
        if(
            songs.artist_key is null, null, dense_rank() over (order by songs.artist_key)
        ) as artist_number,
        if(
            count(*) over (partition by songs.recording_key) > 1,
            dense_rank() over (order by songs.recording_key),
            null
        ) as recording_number,
        {numbers}
    from songs
    left join predictions on songs.song_key = predictions.song_key
    left join scores on songs.song_key = scores.song_key
    order by songs.split desc, songs.source, songs.id
"""


@dataclass(frozen=True)
class SongTable:
    """All songs, one row each, labelled ones first; ``numbers`` are the names of the audio columns."""

    rows: "Rows"
    numbers: tuple[str, ...]
    classifier: str | None


def read_song_table(site: Site) -> SongTable:
    """Read the table, with the songs' places on the map."""
    names = tuple(row["column_name"] for row in site.rows("select column_name from numeric_summary"))
    numbers = ",\n        ".join(f"songs.{quote(name)}" for name in names)
    classifier = evaluated_classifier(site.catalog)
    rows = site.rows(_SQL.format(numbers=numbers), classifier, PROTOCOL)
    places = {row["song"]: row for row in placed_songs(site.catalog)}
    for row in rows:
        place = places[row["song_key"]]
        row |= {"x": place["x"], "y": place["y"]}
    return SongTable(rows, names, classifier)


def columns_of(rows: "Rows") -> dict[str, list[Any]]:
    """Return rows by column."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def data_file(table: SongTable) -> File:
    """Return the data script of the table."""
    return Site.script(DATA, "load", "songs", packed(columns_of(table.rows)))
