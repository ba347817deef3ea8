"""Builds after rows were appended: random edits of raw files, each build held against one from nothing.

``GENREDB_SEQUENCES`` says how many sequences are tried.
"""

import atexit
import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from genredb.runner.planning.options import Options
from genredb.runner.results import BuildResult
from tests.built_anew import built_anew, contents
from tests.conftest import REAL_FILES, TRAIN_HEADER, config_for, song, write_raw
from tests.songs_from_elsewhere import PLAYLIST_HEADER
from tests.verbs import build

SEQUENCES = int(os.environ.get("GENREDB_SEQUENCES", "6"))
TRAIN, TEST = REAL_FILES
ALL = Options()
SCHEMAS = ("raw", "seeds", "staging", "main", "features")
GENRES = ("pop", "album rock", "disco", "zouk", "dance pop")


def record(rng: random.Random, number: int, *, has_genre: bool, may_be_bad: bool) -> str:
    """A record of a song: some repeat others, or have odd values; one in ten that may be bad is."""
    title = rng.choice([f"Song {number}", f"Song {number % 4}", "song 1", '"Two\nlines, one title"', "CafÃ©"])
    artist = rng.choice([f"Artist {number % 5}", "artist 1", "Nobody", ""])
    tail = f",{rng.choice(GENRES)}" if has_genre else ""
    audio = song(rng.choice([number % 30, number % 3, 2]))
    if may_be_bad and rng.random() < 0.1:
        audio = audio.replace(",", ",x", 1)
    return f"{number},{title},{artist},{rng.choice(['1999', '2004', ''])},{audio}{tail}"


class Edits(RuleBasedStateMachine):
    """Appends, edits and removes rows and files, and builds after each."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.raw = self.folder / "raw"
        self.raw.mkdir()
        write_raw(self.raw)
        self.config = config_for(self.raw, self.folder / "songs.duckdb")
        self.number = 100
        self.result: BuildResult | None = None

    @initialize()
    def first(self) -> None:
        self.result = build(self.config)

    @rule(seed=st.integers(0, 10**6), count=st.integers(1, 4))
    def append_songs(self, seed: int, count: int) -> None:
        self._append(TRAIN, seed, count)

    @rule(seed=st.integers(0, 10**6))
    def append_asked(self, seed: int) -> None:
        self._append(TEST, seed, 2, has_genre=False)

    @rule(name=st.sampled_from(["songs_extra_a.csv", "songs_extra_b.csv"]), seed=st.integers(0, 10**6))
    def add_file(self, name: str, seed: int) -> None:
        if not (self.raw / name).exists():
            (self.raw / name).write_text(TRAIN_HEADER + "\n", encoding="utf-8")
        self._append(name, seed, 3)

    @rule(seed=st.integers(0, 10**6))
    def add_playlist(self, seed: int) -> None:
        rng = random.Random(seed)
        path = self.raw / f"playlist_{seed % 2}.csv"
        if not path.exists():
            path.write_text(PLAYLIST_HEADER + "\n", encoding="utf-8")
        artists = rng.choice(["Artist 1, Nobody", "New; Artist 2", "Artist 3,Other"])
        fields = dict.fromkeys(PLAYLIST_HEADER.split(","), "") | {
            "Track Name": f"Song {seed % 7}",
            "Artist Name(s)": f'"{artists}"',
            "Release Date": "2001-02-03",
            "Tempo": "120.4",
            "Energy": "0.5",
        }
        with path.open("a", encoding="utf-8") as file:
            file.write(",".join(fields.values()) + "\n")
        self._build()

    @rule(seed=st.integers(0, 10**6), selected=st.sampled_from(["stg_songs", "songs", "artists", "genres"]))
    def build_a_part_first(self, seed: int, selected: str) -> None:
        self._append(TRAIN, seed, 2, options=Options((f"+{selected}",)))
        self._append(TRAIN, seed + 1, 2)

    @rule(seed=st.integers(0, 10**6), fewest=st.integers(1, 4))
    def append_with_another_setting(self, seed: int, fewest: int) -> None:
        self.config = config_for(self.raw, self.config.database, min_genre_songs=fewest)
        self._append(TRAIN, seed, 1)

    @rule(seed=st.integers(0, 10**6))
    def edit(self, seed: int) -> None:
        lines = self._lines(TRAIN)
        place = random.Random(seed).randrange(1, 8)
        lines[place] = lines[place].replace("Song", "Changed song")
        self._write(TRAIN, lines)

    @rule(name=st.sampled_from([TRAIN, "songs_extra_a.csv", "playlist_0.csv"]))
    def remove_last(self, name: str) -> None:
        if (self.raw / name).exists() and len(self._lines(name)) > 12:
            self._write(name, self._lines(name)[:-1])

    @rule(name=st.sampled_from(["songs_extra_a.csv", "songs_extra_b.csv", "playlist_0.csv"]))
    def remove_file(self, name: str) -> None:
        (self.raw / name).unlink(missing_ok=True)
        self._build()

    @invariant()
    def has_the_same_rows_as_a_build_from_nothing(self) -> None:
        if self.result is not None:
            assert contents(self.config, SCHEMAS) == contents(built_anew(self.config), SCHEMAS)

    def _append(
        self, name: str, seed: int, count: int, *, has_genre: bool = True, options: Options = ALL
    ) -> None:
        rng = random.Random(seed)
        with (self.raw / name).open("a", encoding="utf-8", newline="") as file:
            for place in range(count):
                self.number += 1
                is_first = place == 0  # a file of which no row can be loaded is refused
                number = self.number if is_first or rng.random() < 0.9 else self.number - 1  # an id again
                file.write(record(rng, number, has_genre=has_genre, may_be_bad=not is_first) + "\n")
        self._build(options)

    def _lines(self, name: str) -> list[str]:
        return (self.raw / name).read_text(encoding="utf-8").splitlines()

    def _write(self, name: str, lines: list[str]) -> None:
        (self.raw / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._build()

    def _build(self, options: Options = ALL) -> None:
        self.result = build(self.config, options=options)
        assert self.result.exit_code == 0 or options is not ALL  # a part may lack a genre that songs has
        event(f"incremental relations: {sum(one.is_incremental for one in self.result.results) > 0}")


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("few_rows_are_enough")
def test_builds_after_random_edits_equal_builds_from_nothing() -> None:
    options = settings(
        max_examples=SEQUENCES,
        stateful_step_count=8,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    run_state_machine_as_test(Edits, settings=options)
