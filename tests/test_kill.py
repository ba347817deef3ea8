"""kill -9 at random moments of a build, with a reader asking all the time: old or new, never else."""

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from genredb.songs.sample.write import write_sample
from tests.conftest import ROOT, config_for, rows
from tests.verbs import build

KILLS = 30

READER = textwrap.dedent(
    """
    import duckdb, sys
    seen, asked = set(), 0
    while True:
        connection = duckdb.connect(sys.argv[1], read_only=True)
        asked += 1
        songs, titles, loaded, common = connection.execute(
            '''select (select count(*) from songs), (select count(distinct title) from songs),
            (select sum(loaded) from meta.loads), (select count(*) from features.train_common)'''
        ).fetchone()
        connection.close()
        if (songs, titles, loaded, common) not in seen:
            seen.add((songs, titles, loaded, common))
            print(songs, titles, loaded, common, flush=True)
        print("asked", asked, file=sys.stderr, flush=True)
    """
)


def state(database: Path) -> tuple[int, ...]:
    sql = """select (select count(*) from songs), (select count(distinct title) from songs),
        (select sum(loaded) from meta.loads), (select count(*) from features.train_common)"""
    return tuple(int(value) for value in rows(database, sql)[0])


@pytest.mark.slow
def test_kill_9_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    states = []
    for number, songs in enumerate((2_000, 3_000)):
        write_sample(tmp_path / str(number), songs, seed=number)
        build(config_for(tmp_path / str(number), tmp_path / f"{number}.duckdb"))
        states.append(state(tmp_path / f"{number}.duckdb"))
    database = tmp_path / "genre.duckdb"
    build(config_for(tmp_path / "0", database))
    command = [
        sys.executable,
        "-m",
        "genredb",
        "build",
        "-q",
        "--project-dir",
        str(ROOT),
        "--database",
        str(database),
    ]

    started = time.monotonic()
    subprocess.run([*command, "--raw-dir", str(tmp_path / "1")], check=True)
    duration = time.monotonic() - started
    current = 1

    error_log = tmp_path / "asked.txt"
    with error_log.open("w") as errors:
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(database)], stdout=subprocess.PIPE, stderr=errors, text=True
        )
    chosen = random.Random(0)
    killed = 0
    try:
        for _ in range(KILLS):
            other = 1 - current
            build_process = subprocess.Popen([*command, "--raw-dir", str(tmp_path / str(other))])
            time.sleep(chosen.uniform(0, 1.1 * duration))
            build_process.send_signal(signal.SIGKILL)
            killed += build_process.wait() == -signal.SIGKILL
            found = state(database)
            assert found in states
            current = states.index(found)
    finally:
        assert reader.poll() is None, error_log.read_text()[-2000:]
        reader.kill()
        out, _ = reader.communicate()
    seen = {tuple(map(int, line.split())) for line in out.splitlines()}
    assert seen <= set(states)
    assert seen
    assert killed >= KILLS // 2
    asked = int(error_log.read_text().split()[-1])
    assert asked > KILLS
    # The next build goes through, sweeps what the dead ones left, and ends in the state it should.
    subprocess.run([*command, "--raw-dir", str(tmp_path / "0")], check=True)
    assert state(database) == states[0]
    assert not [path for path in tmp_path.iterdir() if ".genredb-" in path.name or path.suffix == ".wal"]
    print(f"{killed} of {KILLS} builds killed, {asked} questions answered, states seen: {len(seen)}")
