"""What an edit did: a classifier judged on the same folds before and after it, song by song."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from genredb.build.built_with import as_built, built_with
from genredb.build.run import build
from genredb.errors import GenredbError, UsageError, did_you_mean
from genredb.learn.evaluate import judge
from genredb.learn.evaluations import LABELS, are_noise
from genredb.learn.past import MEASURES, SongScores, read_song_scores
from genredb.learn.references import known_references, past_runs
from genredb.learn.revisions import find_commit, unpack
from genredb.learn.scores import standard_error
from genredb.learn.train import Progress, ignore
from genredb.project.config import Config, Settings, read_config
from genredb.warehouse.database import open_reader


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


def compare(
    config: Config, against: str, name: str, protocol: str = "cv", progress: Progress = ignore
) -> list[Comparison]:
    """Judge a classifier on the database as it is and as it was, on the same folds; one for each label.

    ``against`` is another database file, else an earlier run of ``evaluate``, else a git revision, whose
    project is built from the same raw files. UsageError where there is no such thing, where nothing
    differs, or where the labelled songs are others, so that the folds differ.
    """
    run = _find_run(config, against, name, protocol)
    if run:
        before = _scores(config, name, protocol, run)  # before the oldest run makes room for this one
        judge(config, [name], protocol, progress)
        return _compared(f"run {run}", (name, protocol), before, _scores(config, name, protocol))
    with tempfile.TemporaryDirectory(prefix="genredb-") as folder:
        was, called = _before(config, against, Path(folder))
        judge(config, [name], protocol, progress)
        try:
            judge(was, [name], protocol, progress)
        except GenredbError as error:
            raise type(error)(f"{called} cannot be judged: {error}") from None
        before = _scores(was, name, protocol)
        return _compared(called, (name, protocol), before, _scores(config, name, protocol))


def _find_run(config: Config, against: str, name: str, protocol: str) -> str | None:
    """Return the run of that id; None where there is none, UsageError where it judged something else."""
    if Path(against).is_file():
        return None
    with open_reader(config.database) as connection:
        judged = past_runs(connection).get(against)
    if judged is None:
        return None
    if judged != (name, protocol):
        raise UsageError(
            f"The run {against} judged {judged[0]} under {judged[1]}, not {name} under {protocol}."
        )
    return against


def _scores(config: Config, name: str, protocol: str, run: str | None = None) -> list[SongScores]:
    """Return the scores of a run, else the last, one for each label."""
    with open_reader(config.database) as connection:
        return [read_song_scores(connection, (name, protocol, label), run) for label in LABELS]


def _compared(
    called: str, key: tuple[str, str], before: Sequence[SongScores], after: Sequence[SongScores]
) -> list[Comparison]:
    return [
        _comparison(called, (*key, label), *scores)
        for label, *scores in zip(LABELS, before, after, strict=True)
    ]


def _comparison(called: str, key: tuple[str, str, str], before: SongScores, after: SongScores) -> Comparison:
    if before.digest == after.digest:
        raise UsageError(
            f"Songs, features and settings are those of {called}: there is nothing to compare. "
            "After an edit, run `genredb build` first."
        )
    if (before.folds, before.keys) != (after.folds, after.keys):
        raise UsageError(
            f"The labelled songs, or their labels, are not those of {called} ({len(after.keys)} songs now, "
            f"{len(before.keys)} then), so the folds differ and cannot be compared."
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
            f"There is no database file, no run and no git revision '{against}' to compare with."
            f"{did_you_mean(against, known_references(config))}"
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


def _differences(before: SongScores, after: SongScores) -> list[Difference]:
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
