"""Synthetic files of the kinds that a user may add: further labelled songs, and playlists.

The songs are those of ``genredb sample``: invented. The files have the defects that such files have.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredb.songs.sample.songs import SongMaker
from genredb.songs.sample.write import HEADER, LABEL

ORGANIZE_HEADER = (
    "Index,Title,Artist,Top Genre,Year,Beats Per Minute (BPM),Energy,Danceability,Loudness (dB),Liveness,"
    "Valence,Length (Duration),Acousticness,Speechiness,Popularity"
)
_ORGANIZE_ORDER = (0, 1, 2, 14, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
_TITLE, _ARTIST, _BPM, _LENGTH = 1, 2, 5, 11  # places in that order
PLAYLIST_HEADER = (
    "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Explicit,Added By,"
    "Added At,Genres,Record Label,Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,"
    "Instrumentalness,Liveness,Valence,Tempo,Time Signature"
)


@dataclass(frozen=True)
class Written:
    """What a loader must find in a file: how many records, how many of them it can load, and mends."""

    records: int
    loaded: int
    quoted_whole: int = 0
    separated: int = 0

    @property
    def quarantined(self) -> int:
        return self.records - self.loaded


def invented_songs(count: int, seed: int) -> Iterator[list[Any]]:
    """Give songs in the order of the competition's columns, the genre last."""
    for chunk in SongMaker(453, seed).chunks(0, 1, count):
        yield from chunk


def write_competition_file(path: Path, count: int, seed: int = 1) -> Written:
    """Write labelled songs as the competition's training file has them."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*HEADER, LABEL])
    writer.writerows(invented_songs(count, seed))
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    return Written(count, count)


def write_organize_file(path: Path, count: int, seed: int = 2) -> Written:
    """Write an "Organize Your Music" export that a spreadsheet has spoiled in every way that it does.

    It begins with a byte order mark and pads every row by two empty columns. Rows that hold a quote are
    quoted whole. Every 20th song lasts over a thousand seconds, with a separator. Every 50th title has a
    comma in a row quoted whole without quotes of its own, every 70th song has no number for its tempo, and
    every 90th the Index of its predecessor: these cannot be loaded.
    """
    lines = [ORGANIZE_HEADER + ";;"]
    loaded = quoted_whole = separated = 0
    for number, song in enumerate(invented_songs(count, seed), start=1):
        row = [song[place] for place in _ORGANIZE_ORDER]
        is_separated = number % 20 == 0
        if is_separated:
            row[_LENGTH] = f"{1000 + number % 400:,}"
        if number % 50 == 0:
            row[_TITLE] = f"Songs, number {number}"
            row[_LENGTH] = 200
            lines.append(f'"{",".join(map(str, row))}";;')
            continue
        if number % 70 == 0:
            row[_BPM] = "fast"
        if number % 90 == 0:
            row[0] = number - 1
        line = _csv_line(row)
        if '"' in line:
            line = '"' + line.replace('"', '""') + '"'
        lines.append(f"{line};;")
        if number % 70 and number % 90:
            loaded += 1
            separated += is_separated
            quoted_whole += line.startswith('"')
    path.write_bytes(b"\xef\xbb\xbf" + "".join(f"{line}\r\n" for line in lines).encode())
    return Written(count, loaded, quoted_whole, separated)


def write_playlist(path: Path, count: int, seed: int = 3, artists: Iterable[str] = ()) -> Written:
    """Write a playlist as Exportify does; ``artists`` are known ones, which sing its first songs.

    Every fifth song has a second artist, every ninth no audio features; the last row holds a danceability
    of 5, which cannot be loaded.
    """
    known = list(artists)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(PLAYLIST_HEADER.split(","))
    for number, song in enumerate(invented_songs(count, seed), start=1):
        title, artist, year, bpm, energy, dance, loudness, live, valence, length, acoustic, speech = song[
            1:13
        ]
        artist = known[number - 1] if number <= len(known) else artist
        audio = [
            dance / 100,
            energy / 100,
            5,
            loudness + 0.123,
            1,
            speech / 100,
            acoustic / 100,
            0.01,
            live / 100,
            valence / 100,
            bpm + 0.25,
            4,
        ]
        if number % 9 == 0:
            audio = [""] * len(audio)
        if number == count:
            audio[0] = 5
        writer.writerow(
            [
                f"spotify:track:{number}",
                title,
                "An Album",
                f"{artist};Somebody Else" if number % 5 == 0 else artist,
                f"{year}-05-31" if number % 2 else year,
                length * 1000 + 400,
                song[13],
                "false",
                "me",
                "2026-01-01T00:00:00Z",
                "",
                "A Label",
                *audio,
            ]
        )
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    return Written(count, count - 1)


def _csv_line(row: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(row)
    return buffer.getvalue()
