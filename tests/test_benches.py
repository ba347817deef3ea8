"""What the benches measure beside does the same work."""

from pathlib import Path

from bench.by_hand import ByHand
from genredb.runner.project.config import Config
from tests.conftest import config_for, rows


def test_the_script_by_hand_builds_the_songs_that_a_build_builds(predicted: Config, tmp_path: Path) -> None:
    by_hand = config_for(predicted.raw_dir, tmp_path / "genre.duckdb")
    ByHand(by_hand, tmp_path).run()
    songs = "from songs order by song_key"
    assert rows(by_hand.database, songs) == rows(predicted.database, songs)
