"""The file and line that a song's view names, over files in which a row is not always a line."""

import gzip
from pathlib import Path

import pytest

from genredb.catalog import Catalog
from genredb.look.site.frame import Site
from genredb.look.site.song_details import read_details
from genredb.look.site.song_table import SongTable
from genredb.runner.project.config import Config
from tests.conftest import REAL_FILES, TRAIN_HEADER, rows, song
from tests.songs_from_elsewhere import write_playlist
from tests.verbs import build

EXTRA = "songs_extra_b.csv.gz"


def write_odd_files(folder: Path) -> None:
    """Make the training file one of blank lines, long records and rows that cannot be loaded; add others."""
    genres = ["pop", "album rock", "disco"]

    def row(number: int, title: str, year: str = "1999") -> str:
        return f"{number},{title},Artist {number % 4},{year},{song(number)},{genres[number % 3]}"

    train = [TRAIN_HEADER, row(1, "One"), "", row(2, '"Two\nlines\nlong"'), row(3, "No year", "soon")]
    train += [row(4, "Four"), row(1, "Again"), "5,too,few", *(row(n, f"Song {n}") for n in range(6, 12))]
    (folder / REAL_FILES[0]).write_text("\n".join(train) + "\n", encoding="utf-8")
    extra = [TRAIN_HEADER, row(1, "bad", "soon"), row(2, '"Packed\ntwice"'), row(3, "Packed three")]
    (folder / EXTRA).write_bytes(gzip.compress("\n".join(extra).encode(), mtime=0))
    other = "\n".join([TRAIN_HEADER, row(1, "First file")])
    (folder / "songs_extra_a.csv").write_text(other, encoding="utf-8")


def places(config: Config) -> dict[str, tuple[str | None, int | None]]:
    """The file and line of each song."""
    with Catalog(config) as catalog:
        site = Site(catalog, ())
        songs = site.rows("select song_key, title, artist, source, id from songs order by song_key")
        details = read_details(site, SongTable(songs, (), None))
    found = zip(details["file"], details["line"], strict=True)
    return dict(zip((row["song_key"] for row in songs), found, strict=True))


@pytest.fixture
def odd(config: Config) -> Config:
    """A database of such files."""
    write_odd_files(config.raw_dir)
    build(config)
    return config


def test_each_line_is_where_the_songs_record_begins(odd: Config) -> None:
    found = places(odd)
    for key, (file, line) in found.items():
        assert file is not None, key
        assert line is not None, key
        content = (odd.raw_dir / file).read_bytes()
        text = (gzip.decompress(content) if file.endswith(".gz") else content).decode()
        assert text.split("\n")[line - 1].split(",")[0] == key.rpartition(":")[2], (key, file, line)
    assert {"train:2", "train:4", "train:11", "test:16"} <= found.keys()
    assert not {"train:3", "train:5"} & found.keys()
    assert sum(file == EXTRA for file, _ in found.values()) == 2


def test_a_changed_or_missing_file_has_no_lines(odd: Config) -> None:
    train, test = (odd.raw_dir / name for name in REAL_FILES)
    train.write_text(train.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    test.unlink()
    found = places(odd)
    assert found["train:2"] == (REAL_FILES[0], None)
    assert found["test:16"] == (REAL_FILES[1], None)
    assert found["songs_extra_a:1"] == ("songs_extra_a.csv", 2)


def test_songs_of_a_playlist_have_lines_too(config: Config) -> None:
    path = config.raw_dir / "playlist_mine.csv"
    write_playlist(path, 12)
    build(config)
    lines, found = path.read_text(encoding="utf-8").split("\n"), places(config)
    titles = rows(config.database, "select song_key, title from songs where source = 'playlist_mine'")
    assert len(titles) == 11  # the last one cannot be loaded
    for key, title in titles:
        file, line = found[key]
        assert (file, line is not None) == (path.name, True), key
        assert title in lines[(line or 0) - 1], key
