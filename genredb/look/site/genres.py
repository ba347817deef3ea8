"""The pages of genres and groups: how each sounds, its typical songs, and what it is mistaken for."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from genredb.look.site import addresses, bars, genre_rows
from genredb.look.site.frame import File, Site
from genredb.look.site.genre_rows import AudioColumn, Key, Rows
from genredb.look.site.needs import judged_classifier, lacking

PAGE = "genres.html"
_MOST_SHARE = 0.2  # what the longest bar of a share stands for
NEEDED = {
    "main.songs": "song_key title artist artist_key year genre genre_group duplicate_of".split(),
    "main.genres": "genre genre_group song_count is_common".split(),
    "main.genre_profiles": "genre column_name value_count mean".split(),
    "main.numeric_summary": "column_name mean standard_deviation".split(),
}


@dataclass(frozen=True)
class Measure:
    """An audio column of a genre: its mean, that of all songs, and the difference in standard deviations."""

    column: str
    mean: float | None
    mean_of_all: float
    deviation: float | None
    bar: Markup


@dataclass(frozen=True)
class Pair:
    """Songs of one label for which another is predicted, averaged over repetitions, and some of them."""

    other: str
    songs: float
    examples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """How a label fares under cross-validation; ``right`` of its ``tested`` songs, of those ``predicted``."""

    right: float
    tested: float
    predicted: float
    mistaken_for: tuple[Pair, ...]
    mistaken_as: tuple[Pair, ...]

    @property
    def recall(self) -> float:
        """The share of its songs for which it is predicted."""
        return self.right / self.tested if self.tested else 0.0

    @property
    def precision(self) -> float | None:
        """The share of songs for which it is predicted that have it."""
        return self.right / self.predicted if self.predicted else None


@dataclass(frozen=True)
class Portrait:
    """A genre or a group: its numbers and how it sounds."""

    numbers: Mapping[str, Any]
    measures: tuple[Measure, ...]
    neighbours: tuple[tuple[str, float], ...]
    typical: Rows
    artists: Rows
    verdict: Verdict | None

    @property
    def strip(self) -> Markup:
        """Its profile in a line."""
        return bars.strip(one.deviation for one in self.measures)

    @property
    def share(self) -> Markup:
        """Its share of the labelled songs."""
        return bars.share(self.numbers["share"], _MOST_SHARE)


def write(site: Site) -> Iterator[File]:
    """Yield the table of all genres, and the page of each group and genre."""
    if missing := lacking(site, NEEDED):
        yield site.page(PAGE, "genres.html", missing=missing)
        return
    classifier = judged_classifier(site)
    columns = genre_rows.read_columns(site)
    portraits = _portraits(site, columns, classifier)
    shared: dict[str, Any] = {
        "genre_paths": site.once(addresses.genres),
        "group_paths": site.once(addresses.groups),
        "classifier": classifier,
        "columns": columns,
    }
    groups = {name: one for (label, name), one in portraits.items() if label == "genre_group"}
    genres = {name: one for (label, name), one in portraits.items() if label == "genre"}
    by_group = {
        group: {name: one for name, one in genres.items() if one.numbers["genre_group"] == group}
        for group in groups
    }
    labelled = sum(one.numbers["songs"] for one in groups.values())
    yield site.page(
        PAGE, "genres.html", missing=[], portraits=groups, by_group=by_group, labelled=labelled, **shared
    )
    for paths, kept in ((shared["group_paths"], groups), (shared["genre_paths"], genres)):
        for name, one in kept.items():
            inner = by_group[name] if kept is groups else {}
            page = {"name": name, "one": one, "genres": inner, "is_group": kept is groups}
            yield site.page(paths[name], "genre.html", section=PAGE, **page, **shared)


def _portraits(site: Site, columns: Sequence[AudioColumn], classifier: str | None) -> dict[Key, Portrait]:
    numbers = genre_rows.read_genres(site)
    means = genre_rows.read_means(site)
    typical = genre_rows.read_typical(site, columns)
    artists = genre_rows.read_artists(site)
    verdicts = _verdicts(genre_rows.read_pairs(site, classifier)) if classifier else {}
    measures = {
        key: tuple(_measure(column, means.get(key, {}).get(column.name)) for column in columns)
        for key in ((row["label"], row["name"]) for row in numbers)
    }
    rare = {
        row["name"]: measures["genre", row["name"]]
        for row in numbers
        if row["label"] == "genre" and not row["is_common"]
    }
    return {
        key: Portrait(
            row,
            measures[key],
            _neighbours(row, measures[key], rare),
            typical.get(key, []),
            artists.get(key, []),
            verdicts.get(key),
        )
        for row in numbers
        if (key := (row["label"], row["name"]))
    }


def _measure(column: AudioColumn, mean: float | None) -> Measure:
    value = column.standardised(mean)
    return Measure(column.name, mean, column.mean, value, bars.deviation(value))


def _neighbours(
    row: Mapping[str, Any], own: Sequence[Measure], rare: Mapping[str, Sequence[Measure]]
) -> tuple[tuple[str, float], ...]:
    """Return the rare genres whose profiles are nearest, with their distances; none for a group."""
    if row["label"] != "genre":
        return ()
    mine = [one.deviation or 0.0 for one in own]
    found = [
        (math.dist(mine, [one.deviation or 0.0 for one in other]) / math.sqrt(len(mine) or 1), name)
        for name, other in rare.items()
        if name != row["name"]
    ]
    return tuple((name, distance) for distance, name in sorted(found)[: genre_rows.NEIGHBOURS])


def _verdicts(rows: Rows) -> dict[Key, Verdict]:
    """Return the verdict on each label that was tested or predicted."""
    tested: dict[Key, Rows] = {}
    predicted: dict[Key, Rows] = {}
    for row in rows:
        tested.setdefault((row["label"], row["actual"]), []).append(row)
        predicted.setdefault((row["label"], row["predicted"]), []).append(row)
    return {
        key: Verdict(
            right=_total(row for row in tested.get(key, []) if row["predicted"] == key[1]),
            tested=_total(tested.get(key, [])),
            predicted=_total(predicted.get(key, [])),
            mistaken_for=_pairs(tested.get(key, []), "predicted", key[1]),
            mistaken_as=_pairs(predicted.get(key, []), "actual", key[1]),
        )
        for key in tested.keys() | predicted.keys()
    }


def _total(rows: Iterable[Mapping[str, Any]]) -> float:
    """Return the number of songs; six sixths are one."""
    return round(math.fsum(row["songs"] for row in rows), 6)


def _pairs(rows: Rows, other: str, own: str) -> tuple[Pair, ...]:
    found = [Pair(row[other], row["songs"], row["examples"]) for row in rows if row[other] != own]
    return tuple(found[: genre_rows.PAIRS])
