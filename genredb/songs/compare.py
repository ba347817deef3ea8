"""The effect of an edit: evaluates a classifier on the same folds before and after it, song by song."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from pathlib import Path

import numpy as np

from genredb.errors import GenredbError, UsageError
from genredb.runner.build import build
from genredb.runner.planning.built_with import as_built, built_with
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.evaluate import judge
from genredb.songs.extension import SONGS
from genredb.songs.learn.leaderboard import LABELS
from genredb.songs.learn.noise import are_noise
from genredb.songs.learn.past import MEASURES, SongScores, read_song_scores
from genredb.songs.learn.references import known_references, past_runs
from genredb.songs.learn.revisions import find_commit, unpack
from genredb.songs.learn.scores import standard_error
from genredb.songs.train import Progress, ignore
from genredb.warehouse.database import open_reader


@dataclass(frozen=True)
class Difference:
    """One measure before and after, and the mean difference over songs with its standard error.

    ``is_noise`` means that the difference could be chance, given how many measures are compared.
    """

    measure: str
    before: float
    after: float
    difference: float
    error: float
    is_noise: bool


class EarlierKind(StrEnum):
    """What a classifier is compared with."""

    DATABASE = auto()
    RUN = auto()
    REVISION = auto()


@dataclass(frozen=True)
class Earlier:
    """The earlier state of a comparison, as it was named; ``commit`` is that of a git revision."""

    kind: EarlierKind
    name: str
    commit: str = ""

    def __str__(self) -> str:
        if self.kind is EarlierKind.RUN:
            return f"run {self.name}"
        is_plain = self.commit.startswith(self.name) or not self.commit
        return self.name if is_plain else f"{self.name} ({self.commit[:7]})"


@dataclass(frozen=True)
class Comparison:
    """A classifier before and after an edit, on the same songs and folds.

    ``before`` is what it is compared with; ``added`` and ``removed`` are features.
    """

    classifier: str
    protocol: str
    label: str
    before: Earlier
    songs: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    measures: tuple[Difference, ...]


def compare(
    config: Config, against: str, name: str, protocol: str = "cv", progress: Progress = ignore
) -> list[Comparison]:
    """Evaluate a classifier on the current and an earlier database, on the same folds, for each label.

    ``against`` is another database file, else an earlier run of ``evaluate``, else a git revision, whose
    project is built from the same raw files. UsageError if it does not exist, if nothing differs, or if the
    labelled songs differ and therefore the folds.
    """
    run = _find_run(config, against, name, protocol)
    if run:
        before = _scores(config, name, protocol, run)  # before this run displaces the oldest one
        judge(config, [name], protocol, progress)
        earlier = Earlier(EarlierKind.RUN, run)
        return _compared(earlier, (name, protocol), before, _scores(config, name, protocol))
    with tempfile.TemporaryDirectory(prefix="genredb-") as folder:
        was, earlier = _before(config, against, Path(folder))
        judge(config, [name], protocol, progress)
        try:
            judge(was, [name], protocol, progress)
        except GenredbError as error:
            raise error.during(f"{earlier} cannot be evaluated") from None
        before = _scores(was, name, protocol)
        return _compared(earlier, (name, protocol), before, _scores(config, name, protocol))


def _find_run(config: Config, against: str, name: str, protocol: str) -> str | None:
    """Return the run with this id, or None; UsageError if it evaluated something else."""
    if Path(against).is_file():
        return None
    with open_reader(config.database, config.engine) as connection:
        judged = past_runs(connection).get(against)
    if judged is None:
        return None
    if judged != (name, protocol):
        raise UsageError(
            f"The run {against} evaluated {judged[0]} under {judged[1]}, not {name} under {protocol}"
        )
    return against


def _scores(config: Config, name: str, protocol: str, run: str | None = None) -> list[SongScores]:
    """Return the scores of a run, by default the last, one for each label."""
    with open_reader(config.database, config.engine) as connection:
        return [read_song_scores(connection, (name, protocol, label), run) for label in LABELS]


def _compared(
    earlier: Earlier, key: tuple[str, str], before: Sequence[SongScores], after: Sequence[SongScores]
) -> list[Comparison]:
    return [
        _comparison(earlier, (*key, label), *scores)
        for label, *scores in zip(LABELS, before, after, strict=True)
    ]


def _comparison(
    earlier: Earlier, key: tuple[str, str, str], before: SongScores, after: SongScores
) -> Comparison:
    if before.digest == after.digest:
        raise UsageError(
            f"Songs, features and settings are the same as in {earlier}: there is nothing to compare",
            cure="after an edit, run `genredb build` first",
        )
    if (before.folds, before.keys) != (after.folds, after.keys):
        raise UsageError(
            f"The labelled songs or their labels differ from those of {earlier} ({len(after.keys)} "
            f"songs now, {len(before.keys)} then), so the folds cannot be compared"
        )
    return Comparison(
        *key,
        earlier,
        len(after.keys),
        tuple(one for one in after.features if one not in before.features),
        tuple(one for one in before.features if one not in after.features),
        tuple(_differences(before, after)),
    )


def _before(config: Config, against: str, folder: Path) -> tuple[Config, Earlier]:
    """Return a project with the earlier database, placed in ``folder``, and what it is."""
    database = folder / "before.duckdb"
    if Path(against).is_file():
        shutil.copyfile(against, database)
        return replace(config, database=database), Earlier(EarlierKind.DATABASE, against)
    commit = find_commit(config.root, against)
    if commit is None:
        raise UsageError(
            f"There is no database file, no run and no git revision '{against}' to compare with",
            name=against,
            choices=known_references(config),
        )
    root = folder / "project"
    unpack(config.root, commit, root)
    earlier = Earlier(EarlierKind.REVISION, against, commit)
    try:
        with open_reader(config.database, config.engine) as connection:
            settled = as_built(config, built_with(config, connection))
        before = read_config(_settings(settled, root, database))
        result = build(before, extension=SONGS)
    except GenredbError as error:
        raise error.during(f"{earlier} cannot be built") from None
    if not result.is_published:
        raise UsageError(f"{earlier} cannot be built: its SQL or its checks fail")
    return before, earlier


def _settings(config: Config, root: Path, database: Path) -> Settings:
    """Return settings for the project in ``root`` with the same raw files and variables."""
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
