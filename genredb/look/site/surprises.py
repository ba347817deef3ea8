"""What may surprise in the songs: facts found by SQL, each with a rule for when it is one.

A query returns a row if its fact is surprising, else none. Its columns fill the sentence that follows the
``subject``, which links to the page of ``song`` or ``genre``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from itertools import islice
from typing import Any
from urllib.parse import quote

from genredb.look.of_classifiers import PROTOCOL
from genredb.look.site import addresses, genre_rows, genres
from genredb.look.site.frame import Site
from genredb.look.site.needs import judged_classifier, lacking
from genredb.warehouse.database import quote as quoted

SHOWN = 3
_MOST_CHARACTERS = 80  # of a title or a name within a sentence


@dataclass(frozen=True)
class Surprise:
    """A fact: a link, and the rest of the sentence."""

    subject: str
    href: str
    rest: str


@dataclass(frozen=True)
class Candidate:
    """A fact that may be surprising: a query of ``surprises/NAME.sql``, and the columns that it needs.

    ``is_judged`` means that it needs an evaluation.
    """

    name: str
    sentence: str
    needs: Mapping[str, str] = field(default_factory=dict)
    is_judged: bool = False


_SONGS = {"main.songs": "song_key title artist genre"}
_PROFILES = {
    "main.genres": "genre genre_group is_common",
    "main.genre_profiles": "genre column_name value_count mean",
    "main.numeric_summary": "column_name mean standard_deviation",
}
CANDIDATES = (
    Candidate(
        "most_confident_mistake",
        "by {artist} is {actual}. In cross-validation {predicted} is predicted every time, with a mean "
        "probability of {probability:.2f}: the most confident mistake.",
        _SONGS,
        is_judged=True,
    ),
    Candidate(
        "recording_of_two_genres",
        "by {artist} occurs {songs} times, as {one} and as {other}.",
        {"main.songs": f"{_SONGS['main.songs']} recording_key"},
    ),
    Candidate(
        "artist_of_most_genres",
        "is the most frequent genre of {artist}, whose songs have {genres} genres. {several:,} of "
        "{labelled:,} labelled artists have more than one.",
        {"main.artists": "artist artist_key genre genre_count labelled_song_count"},
    ),
    Candidate(
        "song_unlike_its_genre",
        "by {artist} lies {distance:.1f} standard deviations from the mean of its genre, {of_genre}; half of "
        "the songs lie within {typical:.1f}.",
        _SONGS | _PROFILES,
    ),
    Candidate(
        "genre_unlike_its_group",
        "is a genre of {genre_group}, but lies {distance:.1f} standard deviations from the group's mean, "
        "more than any other common genre; most of all in {column_name} ({difference:+.1f}).",
        _PROFILES,
    ),
    Candidate(
        "genres_of_one_song",
        "is one of {single:,} genres, of {genres:,}, that have a single song: no classifier can learn such a "
        "genre and be tested on it.",
        {"main.genres": "genre song_count"},
    ),
    Candidate(
        "columns_that_go_together",
        "have two columns that go together: {one} and {other}, correlation {correlation:+.2f}.",
        {"main.correlations": "column_name other_column_name correlation"},
    ),
)


def find_surprises(site: Site) -> tuple[Surprise, ...]:
    """Return the first surprises that hold."""
    return tuple(islice(_found(site), SHOWN))


def _found(site: Site) -> Iterator[Surprise]:
    classifier = judged_classifier(site)
    for candidate in CANDIDATES:
        needs = {relation: columns.split() for relation, columns in candidate.needs.items()}
        if (candidate.is_judged and not classifier) or lacking(site, needs):
            continue
        given = (classifier, PROTOCOL) if candidate.is_judged else ()
        sql = _sql(site, candidate)
        rows = site.rows(sql, *given) if sql else []
        if rows:
            yield _surprise(site, candidate, rows[0])


def _sql(site: Site, candidate: Candidate) -> str | None:
    """Return a candidate's query, with the audio columns for ``audio_columns``; None where it lacks them."""
    file = resources.files("genredb.look.site").joinpath("surprises", f"{candidate.name}.sql")
    text = file.read_text(encoding="utf-8")
    if "audio_columns" not in text:
        return text
    names = [column.name for column in genre_rows.read_columns(site)]
    if not names:  # no song is labelled, or no labelled song has numbers
        return None
    return text.replace(
        "audio_columns", ", ".join(f"{quoted(name)}::double as {quoted(name)}" for name in names)
    )


def _surprise(site: Site, candidate: Candidate, row: Mapping[str, Any]) -> Surprise:
    shown = {key: _shortened(value) for key, value in row.items()}
    if "artist" in shown:
        shown["artist"] = shown["artist"] or "an unknown artist"
    if "song" in row:
        href = f"songs.html#song={quote(row['song'], safe='')}"
    elif lacking(site, genres.NEEDED):
        href = genres.PAGE
    else:
        href = site.once(addresses.genres).get(row["genre"], genres.PAGE)
    return Surprise(shown["subject"] or "A song without a title", href, candidate.sentence.format(**shown))


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
        return value[:_MOST_CHARACTERS] + "…"
    return value
