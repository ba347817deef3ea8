"""The map: every song, near those that sound like it."""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from genredb.look.site.frame import File, Site
from genredb.look.site.song_table import DATA, SongTable, read_song_table

SIZE = 1_000  # of the static picture, in its own units
MARGIN = 20
MOST_STATIC = 2_000  # songs in the picture that is there without JavaScript


def write(site: Site) -> Iterator[File]:
    """Yield the page; its data are those of the page Songs."""
    from genredb.songs.learn.sound_map import LANDMARKS  # noqa: PLC0415 - brings scikit-learn

    table = site.once(read_song_table)
    colors = _colors()
    yield site.page(
        "map.html",
        "map.html",
        data=DATA,
        count=len(table.rows),
        landmarks=LANDMARKS if len(table.rows) > LANDMARKS else None,
        numbers=table.numbers,
        size=SIZE,
        picture=_picture(site, table, colors),
        settings={"groups": site.groups, "colors": colors, "isEvaluated": table.classifier is not None},
    )


def _colors() -> list[str]:
    """Return the colours of the groups, which are those of the plots."""
    text = resources.files("genredb.look.specs").joinpath("config.json").read_text("utf-8")
    found: list[str] = json.loads(text)["range"]["category"]
    return found


def _picture(site: Site, table: SongTable, colors: list[str]) -> list[dict[str, Any]]:
    """Return the dots of the static picture by group: an even choice of the songs, scaled to its size."""
    if not table.rows:
        return []
    rows = table.rows[:: max(1, -(-len(table.rows) // MOST_STATIC))]
    xs, ys = ([row[name] for row in rows] for name in ("x", "y"))
    scale = (SIZE - 2 * MARGIN) / max(max(xs) - min(xs), max(ys) - min(ys), 1e-9)
    found: dict[str | None, list[tuple[float, float]]] = {}
    for row in rows:
        place = (MARGIN + scale * (row["x"] - min(xs)), SIZE - MARGIN - scale * (row["y"] - min(ys)))
        found.setdefault(row["genre_group"] or row["answer_group"], []).append(place)
    ranks = {name: rank for rank, name in enumerate(site.groups)}
    return [
        {
            "name": name or "no group",
            "color": colors[ranks[name] % len(colors)] if name in ranks else "#888888",
            "dots": [(round(x), round(y)) for x, y in found[name]],
        }
        for name in sorted(found, key=lambda name: (ranks.get(name or "", len(ranks)), name or ""))
    ]
