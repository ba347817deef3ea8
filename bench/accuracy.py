"""Cross-validated accuracy of the default classifier on a training file, under one fixed protocol.

Protocol: labelled songs of the training file without repeats, in the order of their Ids; six times
five shuffled folds (`sklearn.model_selection.KFold`, seeds 0 to 5). In each fold everything that learns
from labels is fitted on the other four: the artist look-up on all their songs, the audio part on those
of genres that are common among them. Printed are the mean over the 30 folds and its spread over the
six repeats, for all songs and apart for songs whose artist the other folds know.

    python -m bench.accuracy FOLDER_OF_THE_CSVS
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold

from genredb.build.freshness import TRAIN_VIEW
from genredb.build.run import build
from genredb.learn.classifiers import CLASSIFIERS, DEFAULT, fit
from genredb.learn.dataset import Songs, read_songs
from genredb.project.config import Settings, read_config
from genredb.project.discover import read_project
from genredb.warehouse.database import fetch_all, open_reader

SEEDS = range(6)
FOLDS = 5


def labelled_songs(raw_dir: Path) -> tuple[Songs, int]:
    """Build the warehouse in a temporary folder; return its songs to learn from, and min_genre_songs."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(__file__).parents[1]
        config = read_config(
            Settings(project_dir=root, raw_dir=raw_dir, database=Path(folder) / "accuracy.duckdb")
        )
        if build(config).exit_code:
            raise SystemExit("the build failed; run `genredb build` to see why")
        with open_reader(config.database) as connection:
            songs = read_songs(connection, read_project(config).models[TRAIN_VIEW], "genre")
            repeats = {
                row[0]
                for row in fetch_all(connection, "from songs select song_key where duplicate_of is not null")
            }
    keep = np.array([key not in repeats for key in songs.keys])
    return songs[keep], int(config.vars["min_genre_songs"])


Flags = npt.NDArray[np.bool_]


def score_fold(train: Songs, test: Songs, min_genre_songs: int) -> tuple[Flags, Flags]:
    """Fit on ``train`` and predict ``test``; return which songs are right and whose artist was known."""
    counts = Counter(train.labels)
    common = np.array([counts[label] >= min_genre_songs for label in train.labels])
    predicted = fit(CLASSIFIERS[DEFAULT], train, train[common]).predict(test)
    right = np.array([genres[0][0] for genres in predicted.genres]) == test.labels
    return right, np.array(predicted.bases) == "artist"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("raw_dir", type=Path, help="folder of the competition's CSVs")
    songs, min_genre_songs = labelled_songs(parser.parse_args().raw_dir)
    repeats = []
    print(f"{len(songs)} songs, {len(set(songs.labels))} genres, classifier {DEFAULT}")
    for seed in SEEDS:
        folds = KFold(FOLDS, shuffle=True, random_state=seed).split(songs.features)
        scored = [score_fold(songs[train], songs[test], min_genre_songs) for train, test in folds]
        accuracy = float(np.mean([right.mean() for right, _ in scored]))
        right, known = (np.concatenate(parts) for parts in zip(*scored, strict=True))
        repeats.append((accuracy, right[known].mean(), right[~known].mean(), known.mean()))
        print(f"seed {seed}: {accuracy:.4f}")
    means, deviations = np.mean(repeats, axis=0), np.std(repeats, axis=0, ddof=1)
    names = ("accuracy", "known artist", "unknown artist", "share of known artists")
    for name, mean, deviation in zip(names, means, deviations, strict=True):
        print(f"{name:<24} {mean:.4f} ± {deviation:.4f}")


if __name__ == "__main__":
    main()
