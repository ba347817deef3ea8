"""Further labelled files and playlists: each row is loaded or quarantined, scored and explained."""

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest

from genredb.errors import GenredbError, InputError, ProjectError
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.songs.explain import explain
from genredb.songs.learn.dataset import feature_view, read_labelled_songs
from genredb.songs.learn.protocols import PROTOCOLS
from genredb.songs.predict import predict
from genredb.warehouse.database import open_reader
from tests.conftest import REAL_FILES, TRAIN_HEADER, Cli, Shared, config_for, rows, song, write_raw
from tests.project_files import write_project
from tests.songs_from_elsewhere import (
    PLAYLIST_HEADER,
    write_competition_file,
    write_organize_file,
    write_playlist,
)
from tests.verbs import build, load


def extra_song(number: int, title: str, artist: str, genre: str) -> str:
    return f"{number},{title},{artist},{1970 + number},{song(number)},{genre}"


def write_extra(path: Path, *songs: str) -> None:
    path.write_text("\n".join([TRAIN_HEADER, *songs]) + "\n", encoding="utf-8")


def playlist_row(title: str, artists: str, release_date: str, *audio: object) -> str:
    cells = ["uri", title, "Album", artists, release_date, *audio]
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


AUDIO = (201_499, 64, "false", "", "", "", "", 0.505, 0.4, 1, -7.5, 0, 0.034, 0.2, 0, 0.125, 0.6, 120.6, 4)
NO_AUDIO = (201_499, 64, "false", "", "", "", "", *[""] * 12)


def write_small_playlist(path: Path, *lines: str) -> None:
    path.write_text(f"{PLAYLIST_HEADER}\n{''.join(lines)}", encoding="utf-8", newline="")


@pytest.fixture(scope="module")
def elsewhere(shared: Shared, real_data: Path) -> Config:
    """The real CSVs with a spoiled export of 2,000 synthetic songs, another file and a playlist; predicted."""

    def fill(folder: Path) -> None:
        for name in REAL_FILES:
            (folder / name).symlink_to(real_data / name)
        write_organize_file(folder / "songs_extra.csv", 2_000)
        write_competition_file(folder / "songs_extra_2.csv", 100)
        write_playlist(folder / "playlist_mine.csv", 60, artists=["Queen", "ABBA"])
        config = config_for(folder, folder / "genre.duckdb")
        assert build(config).exit_code == 0
        predict(config)

    folder = shared("elsewhere", fill)
    return config_for(folder, folder / "genre.duckdb")


@pytest.mark.slow
def test_every_row_of_every_file_is_accounted_for(elsewhere: Config, tmp_path: Path) -> None:
    spoiled = write_organize_file(tmp_path / "again.csv", 2_000)
    assert (spoiled.records, spoiled.quoted_whole > 200, spoiled.separated > 50) == (2_000, True, True)
    found = rows(
        elsewhere.database, "select file, records, loaded, quarantined, repaired from meta.loads order by all"
    )
    assert found[-3:] == [
        ("playlist_mine.csv", 60, 59, 1, 0),
        ("songs_extra.csv", 2_000, spoiled.loaded, spoiled.quarantined, spoiled.loaded),
        ("songs_extra_2.csv", 100, 100, 0, 0),
    ]
    by_source = dict(rows(elsewhere.database, "select source, count(*) from songs group by all"))
    assert by_source == {
        "train": 453,
        "test": 113,
        "songs_extra": spoiled.loaded,
        "songs_extra_2": 100,
        "playlist_mine": 59,
    }
    reasons = rows(
        elsewhere.database,
        """
        select file, regexp_replace(reason, '\\d+', 'n', 'g'), count(*)
        from raw.quarantine group by all order by all
        """,
    )
    assert reasons == [
        ("playlist_mine.csv", "Danceability: 'n' is above n", 1),
        ("songs_extra.csv", "bpm: 'fast' is not an integer", 23),
        ("songs_extra.csv", "id: 'n' duplicates an earlier record", 15),
        ("songs_extra.csv", "n fields where the header has n", 40),
    ]


@pytest.mark.slow
def test_every_song_without_a_genre_is_scored_and_can_be_explained(elsewhere: Config) -> None:
    [(songs, predicted)] = rows(
        elsewhere.database,
        """
        select
            (select count(*) from songs where genre is null),
            (select count(*) from predictions where genre is not null and probability > 0)
        """,
    )
    assert songs == predicted > 113 + 15 + 59
    assert rows(elsewhere.database, 'select count(*) from submission where "top genre" is null') == [(0,)]
    for key in ("playlist_mine:1", "playlist_mine:9", "songs_extra:21", "test:454"):
        [found] = explain(elsewhere, key)
        assert found.song_key == key
        assert found.genre
    # Queen is known from the training file, and nobody has 9's audio.
    assert [explain(elsewhere, f"playlist_mine:{n}")[0].basis for n in (1, 5)] == ["artist", "artist"]


@pytest.mark.slow
def test_every_song_that_is_scored_can_be_explained(elsewhere: Config) -> None:
    scored = rows(
        elsewhere.database,
        "select song_key, genre, basis from predictions where source not in ('train', 'test')",
    )
    assert len(scored) > 59
    for key, genre, basis in scored:
        [found] = explain(elsewhere, key)
        assert (found.genre, found.basis) == (genre, basis)
        evidence = found.artist_songs if basis == "artist" else (*found.nearest, *found.weights)
        audio = rows(elsewhere.database, f"select bpm is not null from songs where song_key = '{key}'")
        assert evidence or audio == [(False,)]


@pytest.mark.slow
def test_an_id_of_two_sources_is_explained_for_both(elsewhere: Config) -> None:
    assert [one.song_key for one in explain(elsewhere, "5")] == [
        "playlist_mine:5",
        "songs_extra:5",
        "songs_extra_2:5",
        "train:5",
    ]


@pytest.mark.slow
def test_the_same_song_is_never_on_both_sides_and_the_notebooks_split_stays(
    elsewhere: Config, real_config: Config
) -> None:
    with open_reader(elsewhere.database) as connection:
        data = read_labelled_songs(connection, feature_view(connection, "train"))
    names = dict(rows(elsewhere.database, "select song_key, lower(title || ' / ' || artist) from songs"))
    songs = [names[key] for key in data.songs.keys]
    assert len(set(songs)) < len(songs)
    taken = PROTOCOLS["cv"].takes_part(data)
    for fold in PROTOCOLS["cv"].folds(data[taken]):
        keys = data[taken].songs.keys
        assert not {names[key] for key in keys[fold.train]} & {names[key] for key in keys[fold.test]}
    kept = data[PROTOCOLS["seed"].takes_part(data)]
    expected = rows(real_config.database, "select song_key from features.train_common order by source, id")
    assert [(key,) for key in kept.songs.keys] == expected
    assert len(kept) == 358


def test_a_playlist_without_audio_is_known_by_its_artists(config: Config, raw_dir: Path) -> None:
    (raw_dir / "playlist.csv").write_text(
        "Track URI,Track Name,Artist Name(s)\nu,Mine,Artist 3\nu,Other,Nobody\n", encoding="utf-8"
    )
    assert build(config).exit_code == 0
    predict(config)
    found = rows(config.database, "select title, genre, basis from predictions where source = 'playlist'")
    assert sorted(found)[0] == ("Mine", "disco", "artist")
    assert [row[2] for row in sorted(found)] == ["artist", "audio"]
    assert explain(config, "playlist:2")[0].nearest == ()


@pytest.mark.parametrize("kind", ["folder", "pipe", "name"])
def test_what_is_no_file_is_called_so(config: Config, raw_dir: Path, kind: str, cli: Cli) -> None:
    path = raw_dir / "playlist_odd.csv"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        (raw_dir / os.fsdecode(b"playlist_\xff.csv")).write_text("x\n")
    said = {"folder": "is a folder", "pipe": "is not a regular file", "name": "is not UTF-8"}[kind]
    with pytest.raises(InputError, match=said):
        build(config)
    examined = cli("doctor", "--raw-dir", raw_dir, "--database", config.database, cwd=raw_dir)
    assert examined.code == 3
    assert said in examined.out


def test_a_number_that_is_too_large_is_called_so(config: Config, raw_dir: Path) -> None:
    write_extra(raw_dir / "songs_extra.csv", extra_song(1, "Fine", "A", "pop"))
    with (raw_dir / "songs_extra.csv").open("a") as file:
        file.write(extra_song(1, "Large", "A", "pop").replace("1,Large", "99999999999,Large") + "\n")
    build(config)
    assert rows(config.database, "select reason from raw.quarantine") == [("Id: '99999999999' is too large",)]


def test_units_of_a_playlist_are_the_competitions(config: Config, raw_dir: Path) -> None:
    write_small_playlist(
        raw_dir / "playlist.csv",
        playlist_row("Dated", "Somebody", "1982-05-21", *AUDIO),
        playlist_row("Silent", "Somebody", "0000", *NO_AUDIO),
    )
    assert build(config).exit_code == 0
    columns = "year, bpm, nrgy, dnce, db, live, val, dur, acous, spch, pop"
    found = rows(config.database, f"select song_key, {columns} from songs where source = 'playlist'")
    assert found == [
        ("playlist:1", 1982, 121, 40, 51, -8, 13, 60, 201, 20, 3, 64),
        ("playlist:2", None, None, None, None, None, None, None, 201, None, None, 64),
    ]


FIRST_ARTISTS = {
    "Artist 1;Artist 2": "Artist 1",
    "Artist 1,Artist 2": "Artist 1",
    "Artist 1, Artist 2": "Artist 1",
    "Earth, Wind & Fire": "Earth, Wind & Fire",
    "Earth, Wind & Fire, The Emotions": "Earth, Wind & Fire",
    "Earth, Wind & Fire;The Emotions": "Earth, Wind & Fire",
    "Artist 1, Trio;Somebody": "Artist 1, Trio",
    "10,000 Maniacs;Somebody": "10,000 Maniacs",
    "10,000 Nobodies": "10,000 Nobodies",
    "Tyler, The Creator;Somebody": "Tyler, The Creator",
    "Beyoncé, JAY-Z": "Beyoncé",
    ";Artist 1": "Artist 1",
    "Nobody,Else": "Nobody",
    "": None,
}


def test_of_several_artists_the_first_counts(config: Config, raw_dir: Path) -> None:
    write_extra(
        raw_dir / "songs_extra.csv",
        extra_song(1, "September", '"Earth, Wind & Fire"', "disco"),
        extra_song(2, "Halo", "BeyoncÃ©", "pop"),
    )
    lines = (playlist_row("Song", cell, "1990", *AUDIO) for cell in FIRST_ARTISTS)
    write_small_playlist(raw_dir / "playlist.csv", *lines)
    assert build(config).exit_code == 0
    found = rows(
        config.database, "select artist, artist_key from songs where source = 'playlist' order by id"
    )
    expected = [(artist, artist and artist.lower()) for artist in FIRST_ARTISTS.values()]
    assert found == expected


@pytest.mark.slow
def test_files_come_and_go(config: Config, raw_dir: Path) -> None:
    """A build sees a new file at once, and forgets the songs of one that is gone."""

    def sources() -> list[str]:
        found = rows(config.database, "select distinct source from songs order by all")
        return [source for (source,) in found]

    build(config)
    assert not build(config).is_published
    write_extra(raw_dir / "songs_extra_b.csv", extra_song(1, "New", "Artist 9", "pop"))
    result = build(config)
    assert [(done.source, done.file.name) for done in result.loads] == [
        ("raw.songs_extra", "songs_extra_b.csv")
    ]
    assert sources() == ["songs_extra_b", "test", "train"]
    assert not build(config).is_published
    (raw_dir / "songs_extra_b.csv").rename(raw_dir / "songs_extra_a.csv")
    build(config)
    assert sources() == ["songs_extra_a", "test", "train"]
    (raw_dir / "songs_extra_a.csv").unlink()
    assert build(config).is_published
    assert sources() == ["test", "train"]
    assert rows(config.database, "select count(*) from raw.songs_extra") == [(0,)]


def test_a_name_that_looks_like_a_pattern_is_a_name(config: Config, raw_dir: Path) -> None:
    write_extra(raw_dir / "songs_extra[12].csv", extra_song(1, "Bracketed", "Artist 9", "pop"))
    write_extra(raw_dir / "songs_extra1.csv", extra_song(1, "Plain", "Artist 9", "pop"))
    write_extra(raw_dir / "songs_extra'; drop table x; --.csv", extra_song(1, "Quoted", "Artist 9", "pop"))
    (raw_dir / "other_songs_extra.csv").write_text("no songs at all\n")
    assert build(config).exit_code == 0
    found = rows(config.database, "select title from songs where source like 'songs_extra%' order by all")
    assert found == [("Bracketed",), ("Plain",), ("Quoted",)]


def test_load_publishes_the_raw_tables_of_all_files(config: Config, raw_dir: Path) -> None:
    write_competition_file(raw_dir / "songs_extra.csv", 30)
    assert [done.file.name for done in load(config)] == [*REAL_FILES, "songs_extra.csv"]
    assert load(config) == ()
    assert rows(config.database, "select file, records from meta.loads where source = 'raw.playlists'") == [
        (None, 0)
    ]


@pytest.mark.slow
def test_a_plan_and_the_doctor_name_the_files(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    write_raw(tmp_path / "data" / "raw")
    assert cli("build", cwd=tmp_path).code == 0
    write_extra(tmp_path / "data" / "raw" / "songs_extra.csv", extra_song(1, "New", "Artist 9", "pop"))
    assert (
        "load         raw.songs_extra                songs_extra*.csv changed"
        in cli("plan", cwd=tmp_path).out
    )
    planned = json.loads(cli("plan", "--json", cwd=tmp_path).out)
    assert [Path(name).name for load in planned["loads"] for name in load["files"]] == ["songs_extra.csv"]
    report = cli("doctor", cwd=tmp_path).out
    assert "songs_extra.csv for raw.songs_extra" in report
    assert "no playlist*.csv, which is optional, for raw.playlists" in report


def test_separators_stand_only_where_the_source_admits_them(config: Config, raw_dir: Path) -> None:
    path = raw_dir / REAL_FILES[0]
    path.write_text(path.read_text() + f'20,Long,Artist 1,1999,"1,120",{song(1).split(",", 1)[1]},pop\n')
    build(config)
    assert rows(config.database, "select reason from raw.quarantine") == [("bpm: '1,120' is not an integer",)]


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ("{file: a.csv, files: b*.csv}", "a source has `file:` or `files:`, not both (a.csv, b*.csv)"),
        ("{files: ../b*.csv}", "`files:` should be a pattern of names in the raw folder, not '../b*.csv'"),
        ("{files: [b.csv]}", "`files:` should be a string"),
        ("{files: b*.csv}", "raw.things needs"),
    ],
)
def test_faulty_declarations_are_named(tmp_path: Path, meta: str, message: str) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    yml = f"""
sources:
  - name: raw
    tables:
      - name: things
        config: {{meta: {meta}}}
        columns: [{{name: title, data_type: varchar}}]
"""
    with pytest.raises(GenredbError, match=re.escape(message)):
        build(write_project(tmp_path, {"models/sources.yml": yml, "models/one.sql": "select 1 as a"}))


def test_an_unknown_filler_is_named(tmp_path: Path) -> None:
    yml = """
sources:
  - name: raw
    tables:
      - name: things
        columns: [{name: title, config: {meta: {filled_with: file_stm}}}]
"""
    with pytest.raises(ProjectError, match="Did you mean 'file_stem'"):
        read_project(write_project(tmp_path, {"models/sources.yml": yml, "models/one.sql": "select 1 as a"}))
