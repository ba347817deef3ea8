"""The least that predicting and exporting cost: what ``bench.scale`` compares them with.

It fits the forest that `genredb predict` fits on the songs of a built database, and predicts with it:
python -m bench.scale_limits predict DATABASE, or export DATABASE FILE.
"""

import json
import sys
from typing import Any

from bench.script import Laps

BATCH = 10_000
TREE_SONGS, TREE_LEAVES = 20_000, 500  # as in genredb.songs.learn.classifiers


def predict(laps: Laps, database: str) -> None:
    """Fit and predict on plain arrays, and keep no answer."""
    import duckdb  # noqa: PLC0415 - imports are part of the first stage
    import numpy as np  # noqa: PLC0415
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415

    columns = "year bpm nrgy dnce db live val dur acous spch pop".split()
    with duckdb.connect(database, read_only=True) as connection:
        train = connection.execute(
            f"select genre, {','.join(columns)} from features.train_common"
        ).fetchnumpy()
        asked = connection.execute(f"select {','.join(columns)} from features.predict").fetchnumpy()
    matrices: list[Any] = [
        np.stack([np.ma.filled(np.ma.asarray(of[name], dtype=float), np.nan) for name in columns], axis=1)
        for of in (train, asked)
    ]
    known, unknown = matrices
    laps.end("read")
    seen = min(len(known), TREE_SONGS)
    forest = RandomForestClassifier(
        n_estimators=300,
        min_samples_leaf=max(3, seen // TREE_LEAVES),
        max_samples=seen if seen < len(known) else None,
        random_state=0,
    )
    forest.fit(known, train["genre"].astype(str))
    laps.end("fit")
    for begin in range(0, len(unknown), BATCH):
        forest.predict_proba(unknown[begin : begin + BATCH])
    laps.end("predict_proba")


def export(laps: Laps, database: str, path: str) -> None:
    """Let DuckDB write the submission."""
    import duckdb  # noqa: PLC0415

    with duckdb.connect(database, read_only=True) as connection:
        connection.execute(f"copy (from submission) to '{path}' (header)")
    laps.end("copy")


def main(what: str, *arguments: str) -> None:
    laps = Laps()
    if what == "predict":
        predict(laps, *arguments)
    else:
        export(laps, *arguments)
    print(json.dumps(laps.done))


if __name__ == "__main__":
    main(*sys.argv[1:])
