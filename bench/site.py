"""Times `genredb site` against a plain script that runs the same SQL and the same t-SNE; prints its size.

The script gets the text of each query that the report reads, and the songs' numbers as an array; it renders
nothing. Both run in turn as separate processes.

    python -m bench.site [--raw-dir FOLDER] [--rows N] [--runs N] [--evaluate CLASSIFIER …]
"""

import argparse
import pickle
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench.projects import raw_folder
from bench.timing import paired, report, timed
from genredb.catalog import Catalog
from genredb.look.site.write import write_site
from genredb.runner.build import build
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.evaluate import evaluate
from genredb.songs.extension import SONGS
from genredb.songs.learn import sound_map
from genredb.songs.learn.sound_map import place_by_sound
from genredb.songs.predict import predict
from genredb.warehouse.connection import Connection

ROOT = Path(__file__).parents[1]

PLAIN = """
import pickle, sys
import duckdb, numpy as np
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
database, queries, numbers = sys.argv[1:]
connection = duckdb.connect(database, read_only=True)
connection.execute("set threads = 2")
for sql, parameters in pickle.load(open(queries, "rb")):
    connection.execute(sql, parameters).fetchall()
numbers = np.load(numbers)
low, middle, high = np.nanpercentile(numbers, [1, 50, 99], axis=0)
sounds = StandardScaler().fit_transform(np.clip(np.where(np.isnan(numbers), middle, numbers), low, high))
landmarks = sounds[np.unique(np.linspace(0, len(sounds) - 1, min(len(sounds), 1000)).astype(int))]
with threadpool_limits(1):
    places = TSNE(perplexity=30, init="pca", max_iter=500, random_state=0, n_jobs=1).fit_transform(landmarks)
if len(landmarks) < len(sounds):
    distances, nearest = NearestNeighbors(n_neighbors=5).fit(landmarks).kneighbors(sounds)
    weights = 1 / np.maximum(distances, 1e-9)
    (places[nearest] * (weights / weights.sum(axis=1, keepdims=True))[:, :, None]).sum(axis=1)
"""


@contextmanager
def recorded(queries: list[tuple[str, Sequence[Any]]], numbers: list[Any]) -> Iterator[None]:
    """Keep the queries that are run, and what the map is laid out from."""

    def keeping(run: Any) -> Any:
        def keep(self: Connection, sql: str, parameters: Sequence[Any] = ()) -> Any:
            queries.append((sql, list(parameters)))
            return run(self, sql, parameters)

        return keep

    def placing(found: Any) -> Any:
        numbers.append(found)
        return place_by_sound(found)

    with ExitStack() as patches:
        for name in ("rows", "row", "answer", "arrays"):
            kept = keeping(getattr(Connection, name))
            patches.enter_context(mock.patch.object(Connection, name, kept))
        patches.enter_context(mock.patch.object(sound_map, "place_by_sound", placing))
        yield


def measure(config: Config, folder: Path, runs: int) -> None:
    """Print the timings and the size of the report."""
    queries: list[tuple[str, Sequence[Any]]] = []
    numbers: list[Any] = []
    with recorded(queries, numbers), Catalog(config) as catalog:
        result = write_site(catalog, folder / "site")
    (folder / "queries.pickle").write_bytes(pickle.dumps(queries))
    np.save(folder / "numbers.npy", numbers[0])
    plain = [sys.executable, "-c", PLAIN, str(config.database), str(folder / "queries.pickle")]
    plain += [str(folder / "numbers.npy")]
    ours = [sys.executable, "-m", "genredb", "site", "-o", str(folder / "site"), "--project-dir", str(ROOT)]
    ours += ["--raw-dir", str(config.raw_dir), "--database", str(config.database)]
    steps = {"plain script": lambda: timed(plain), "genredb site": lambda: timed(ours)}
    report(f"the report, {len(queries)} queries", paired(runs, steps), "plain script")
    print(f"{result.files:,} files, {result.bytes / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=453, help="songs of the synthetic training file")
    parser.add_argument("--runs", type=int, default=5, help="number of measured runs")
    parser.add_argument("--raw-dir", type=Path, help="folder of CSVs to use instead of synthetic ones")
    parser.add_argument(
        "--evaluate", nargs="*", default=["artist_vote"], help="classifiers to evaluate first"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw_dir = raw_folder(arguments.raw_dir, folder, arguments.rows)
        config = read_config(Settings(ROOT, raw_dir=raw_dir, database=folder / "genre.duckdb"))
        build(config, extension=SONGS)
        predict(config)
        if arguments.evaluate:
            evaluate(config, arguments.evaluate)
        measure(config, folder, arguments.runs)


if __name__ == "__main__":
    main()
