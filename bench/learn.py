"""Times `genredb predict` and `genredb evaluate --all` against plain scikit-learn with the same fits.

All run in turn as separate processes. `predict` fits first, as after a build; the script that it is compared
with reads the CSVs with pandas, fits the same forest, looks artists up in a dict and writes a CSV. `evaluate
--all` is compared with a loop that fits the same classifiers on the same folds, on all cores, and predicts
once.

    python -m bench.learn [--raw-dir FOLDER] [--runs N] [--evaluations N]
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.projects import raw_folder
from bench.timing import Timing, paired, report, timed
from genredb.runner.build import build
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.extension import SONGS
from genredb.songs.learn.dataset import feature_view, read_labelled_songs
from genredb.songs.learn.protocols import PROTOCOLS
from genredb.songs.sample.write import TEST_FILE, TRAIN_FILE
from genredb.songs.views import TRAIN_VIEW
from genredb.warehouse.database import open_reader

ROOT = Path(__file__).parents[1]

BARE_PREDICT = f"""
import sys
from pathlib import Path
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
folder, out = Path(sys.argv[1]), sys.argv[2]
columns = "year bpm nrgy dnce dB live val dur acous spch pop".split()
train, test = pd.read_csv(folder / "{TRAIN_FILE}"), pd.read_csv(folder / "{TEST_FILE}")
labelled = train.dropna(subset=["top genre"])
common = labelled[labelled.groupby("top genre")["top genre"].transform("size") >= 3]
forest = RandomForestClassifier(300, min_samples_leaf=3, random_state=0, n_jobs=-1)
forest.fit(common[columns].to_numpy(float), common["top genre"])
asked = pd.concat([train[train["top genre"].isna()], test])
genres = dict(zip(labelled["artist"], labelled["top genre"]))
by_audio = forest.classes_[forest.predict_proba(asked[columns].to_numpy(float)).argmax(axis=1)]
asked["top genre"] = asked["artist"].map(genres).fillna(pd.Series(by_audio, index=asked.index))
asked[["Id", "top genre"]].to_csv(out, index=False)
"""

BARE_EVALUATE = """
import sys, warnings
import numpy as np
from joblib import Parallel, delayed
from genredb.songs.learn.classifiers import CLASSIFIERS
data = np.load(sys.argv[1], allow_pickle=True)
folds = [(data[f"train_{i}"], data[f"test_{i}"]) for i in range(int(data["folds"]))]

def fit_and_ask(make, x, y, train, test):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = make(len(train)).fit(x[train], y[train])
    ask = fitted.predict_proba if hasattr(fitted, "predict_proba") else fitted.decision_function
    return ask(x[test])

for spec in CLASSIFIERS.values():
    x = data["with_artist" if spec.uses_artist else "audio"]
    found = Parallel(n_jobs=-1)(delayed(fit_and_ask)(spec.make, x, data["labels"], *fold) for fold in folds)
"""


def predict(config: Config, folder: Path, runs: int) -> None:
    """Time a prediction that must fit first."""
    fresh = folder / "fresh.duckdb"
    config.database.rename(fresh)
    command = [sys.executable, "-m", "genredb", "predict", "--project-dir", str(ROOT)]
    command += ["--raw-dir", str(config.raw_dir), "--database", str(config.database)]

    def ours() -> Timing:
        shutil.copyfile(fresh, config.database)
        return timed(command)

    bare = [sys.executable, "-c", BARE_PREDICT, str(config.raw_dir), str(folder / "submission.csv")]
    steps = {"bare scikit-learn": lambda: timed(bare), "genredb predict": ours}
    report("predict, fit included", paired(runs, steps), "bare scikit-learn")
    shutil.copyfile(fresh, config.database)


def evaluate(config: Config, folder: Path, runs: int) -> None:
    """Time the evaluation of every classifier under protocol cv."""
    fresh, data = folder / "unjudged.duckdb", folder / "data.npz"
    shutil.copyfile(config.database, fresh)
    _write_folds(config, data)
    command = [sys.executable, "-m", "genredb", "evaluate", "--all", "--project-dir", str(ROOT)]
    command += ["--raw-dir", str(config.raw_dir), "--database", str(config.database)]

    def ours() -> Timing:
        shutil.copyfile(fresh, config.database)
        return timed(command)

    bare = [sys.executable, "-c", BARE_EVALUATE, str(data)]
    timings: dict[str, list[Timing]] = {"bare loop": [], "genredb evaluate --all": []}
    for _ in range(runs):  # minutes each: no run is thrown away
        timings["bare loop"].append(timed(bare))
        timings["genredb evaluate --all"].append(ours())
    report("evaluate --all, protocol cv", timings, "bare loop")


def _write_folds(config: Config, path: Path) -> None:
    """Write the songs and folds of protocol cv for the plain loop."""
    protocol = PROTOCOLS["cv"]
    with open_reader(config.database) as connection:
        songs = read_labelled_songs(connection, feature_view(connection, TRAIN_VIEW))
    songs = songs[protocol.takes_part(songs)]
    folds = list(protocol.folds(songs))
    sides = {f"{side}_{i}": getattr(fold, side) for i, fold in enumerate(folds) for side in ("train", "test")}
    np.savez(
        path,
        audio=songs.songs.matrix(uses_artist=False),
        with_artist=songs.songs.matrix(uses_artist=True),
        labels=songs.songs.labels,
        folds=len(folds),
        **sides,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, help="folder of CSVs to use instead of synthetic ones")
    parser.add_argument("--runs", type=int, default=7, help="number of measured predictions")
    parser.add_argument(
        "--evaluations", type=int, default=1, help="number of measured evaluations, minutes each"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw_dir = raw_folder(arguments.raw_dir, folder)
        config = read_config(Settings(ROOT, raw_dir=raw_dir, database=folder / "genre.duckdb"))
        build(config, extension=SONGS)
        predict(config, folder, arguments.runs)
        if arguments.evaluations:
            evaluate(config, folder, arguments.evaluations)


if __name__ == "__main__":
    main()
