"""What an edit did: a classifier judged on the same folds before and after it, song by song."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from genredb.build.built_with import as_built, built_with
from genredb.build.freshness import TRAIN_VIEW
from genredb.build.run import build
from genredb.errors import GenredbError, UsageError, did_you_mean
from genredb.learn.dataset import feature_view
from genredb.learn.evaluate import judge
from genredb.learn.evaluations import LABELS, are_noise
from genredb.learn.revisions import find_commit, known_revisions, unpack
from genredb.learn.scores import Floats, standard_error
from genredb.learn.train import Progress, ignore
from genredb.project.config import Config, Settings, read_config
from genredb.warehouse.database import Connection, fetch_all, open_reader

MEASURES = ("accuracy", "top 3", "log-loss")


@dataclass(frozen=True)
class Difference:
    """One measure before and after, and the mean difference over songs with its standard error.

    ``is_noise`` says that it may well be chance, seen how many measures are compared.
    """

    measure: str
    before: float
    after: float
    difference: float
    error: float
    is_noise: bool


@dataclass(frozen=True)
class Comparison:
    """A classifier before and after an edit, on the same songs and folds.

    ``before`` says what it is compared with; ``added`` and ``removed`` are features.
    """

    classifier: str
    protocol: str
    label: str
    before: str
    songs: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    measures: tuple[Difference, ...]


@dataclass(frozen=True)
class _Judged:
    """What decides an evaluation, what it read, and its scores: measures × songs, in the order of keys."""

    digest: str
    features: tuple[str, ...]
    keys: tuple[str, ...]
    artists: tuple[str, ...]
    scores: Mapping[str, Floats]

    @property
    def folds(self) -> str:
        """What decides how songs are parted; equal where the folds are."""
        return self.digest.split("-")[1]


def compare(
    config: Config, against: str, name: str, protocol: str = "cv", progress: Progress = ignore
) -> list[Comparison]:
    """Judge a classifier on the database as it is and as it was, on the same folds; one for each label.

    ``against`` is another database file, else a git revision, whose project is built from the same raw files.
    UsageError where there is no such thing, where nothing differs, or where the labelled songs are others, so
    that the folds differ.
    """
    with tempfile.TemporaryDirectory(prefix="genredb-") as folder:
        was, called = _before(config, against, Path(folder))
        judge(config, [name], protocol, progress)
        try:
            judge(was, [name], protocol, progress)
        except GenredbError as error:
            raise type(error)(f"{called} cannot be judged: {error}") from None
        return [_compared(was, config, called, (name, protocol, label)) for label in LABELS]


def _compared(was: Config, config: Config, called: str, key: tuple[str, str, str]) -> Comparison:
    before, after = (_read(one, key) for one in (was, config))
    if before.digest == after.digest:
        raise UsageError(
            f"Songs, features and settings are those of {called}: there is nothing to compare. "
            "After an edit, run `genredb build` first."
        )
    if (before.folds, before.keys) != (after.folds, after.keys):
        raise UsageError(
            f"The labelled songs are not those of {called} ({len(after.keys)} now, {len(before.keys)} then), "
            "so the folds differ and cannot be compared."
        )
    return Comparison(
        *key,
        called,
        len(after.keys),
        tuple(one for one in after.features if one not in before.features),
        tuple(one for one in before.features if one not in after.features),
        tuple(_differences(before, after)),
    )


def _before(config: Config, against: str, folder: Path) -> tuple[Config, str]:
    """Return a project with a database in ``folder`` as it was, and what to call it."""
    database = folder / "before.duckdb"
    if Path(against).is_file():
        shutil.copyfile(against, database)
        return replace(config, database=database), against
    commit = find_commit(config.root, against)
    if commit is None:
        raise UsageError(
            f"There is no database file and no git revision '{against}' to compare with."
            f"{did_you_mean(against, known_revisions(config.root))}"
        )
    root = folder / "project"
    unpack(config.root, commit, root)
    called = against if commit.startswith(against) else f"{against} ({commit[:7]})"
    try:
        with open_reader(config.database) as connection:
            settled = as_built(config, built_with(config, connection))
        before = read_config(_settings(settled, root, database))
        result = build(before)
    except GenredbError as error:
        raise type(error)(f"{called} cannot be built: {error}") from None
    if not result.is_published:
        raise UsageError(f"{called} cannot be built: its checks fail, or its SQL.")
    return before, called


def _settings(config: Config, root: Path, database: Path) -> Settings:
    """Return the settings of a project in ``root`` that reads the same raw files with the same variables."""
    stated = config.settings
    return Settings(
        project_dir=root,
        profiles_dir=stated.profiles_dir.resolve() if stated.profiles_dir else None,
        target=stated.target,
        database=database,
        raw_dir=config.raw_dir,
        vars=stated.vars,
    )


def _read(config: Config, key: tuple[str, str, str]) -> _Judged:
    with open_reader(config.database) as connection:
        sql = "select digest from ml.evaluations where classifier = ? and protocol = ? and label = ?"
        digest = str(fetch_all(connection, sql, list(key))[0][0])
        keys, artists, *scores = _song_scores(connection, key)
        features = feature_view(connection, TRAIN_VIEW).features
    known = {
        measure: np.array(values, dtype=np.float64)
        for measure, values in zip(MEASURES, scores, strict=True)
        if None not in values  # a classifier without probabilities has no log-loss
    }
    return _Judged(digest, features, tuple(map(str, keys)), tuple(map(str, artists)), known)


def _song_scores(connection: Connection, key: Sequence[str]) -> list[Sequence[object]]:
    """Return the columns song, artist, and the mean of each measure over the repeats."""
    rows = fetch_all(
        connection,
        """
        select
            song_key,
            coalesce(nullif(any_value(artist_key), ''), song_key),
            avg(is_right::integer),
            avg((rank <= 3)::integer),
            avg(-ln(actual_probability))
        from ml.song_scores
        where classifier = ? and protocol = ? and label = ?
        group by song_key
        order by song_key
        """,
        list(key),
    )
    return list(zip(*rows, strict=True))


def _differences(before: _Judged, after: _Judged) -> list[Difference]:
    artists = np.array(after.artists, dtype=object)
    found = {}
    for measure in (one for one in MEASURES if one in before.scores and one in after.scores):
        difference = after.scores[measure] - before.scores[measure]
        found[measure] = (float(difference.mean()), standard_error(difference, artists))
    noise = are_noise(found)
    return [
        Difference(
            measure,
            float(before.scores[measure].mean()),
            float(after.scores[measure].mean()),
            difference,
            error,
            noise[measure],
        )
        for measure, (difference, error) in found.items()
    ]
