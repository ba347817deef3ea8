"""What an edit did to a classifier: `evaluate --compare-to` a git revision or another database."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from genredb.errors import GenredbError, UsageError
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.compare import compare
from genredb.songs.evaluate import judge
from genredb.songs.learn.noise import are_noise
from genredb.songs.learn.references import known_references
from genredb.songs.learn.revisions import find_commit, known_revisions, unpack
from genredb.songs.train import ignore
from genredb.values import json_text
from tests.conftest import ROOT, Cli, rows
from tests.json_reference import SHAPES, faults
from tests.test_built_with import edit, lay_out
from tests.test_features import add_feature
from tests.verbs import build

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A project below a git repository's root, with a feature added since the last commit, built before and after."""
    folder = tmp_path_factory.mktemp("repository")
    project = lay_out(folder)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "As it was")
    config = read_config(Settings(project_dir=project))
    build(config)
    shutil.copy(config.database, folder / "before.duckdb")
    add_feature(project, "answer", "id % 4")  # the songs' genres follow it
    build(config)
    return config


@pytest.mark.slow
def test_a_feature_is_held_against_the_project_of_head_on_the_same_folds(edited: Config) -> None:
    found = compare(edited, "HEAD", "naive_bayes")
    genre = found[0]
    assert (genre.label, genre.songs, genre.added, genre.removed) == ("genre", 12, ("answer",), ())
    assert str(genre.before).startswith("HEAD (")
    for one in genre.measures:
        assert one.difference == pytest.approx(one.after - one.before)
    own = "from ml.evaluations where classifier = 'naive_bayes' and label = 'genre'"
    [(accuracy, top_3, loss)] = rows(edited.database, f"select accuracy, top_3, log_loss {own}")
    assert [one.after for one in genre.measures] == pytest.approx([accuracy, top_3, loss])
    assert list(faults(json.loads(json_text(genre)), SHAPES["evaluate --compare-to"])) == []
    by_file = compare(edited, str(edited.root.parent / "before.duckdb"), "naive_bayes")
    assert by_file[0].measures == genre.measures


@pytest.mark.slow
def test_a_run_before_the_edit_is_held_against_one_after_it(tmp_path: Path) -> None:
    project = lay_out(tmp_path)
    config = read_config(Settings(project_dir=project))
    build(config)
    judge(config, ["majority", "naive_bayes"], "cv", ignore)
    runs = "select distinct run_id from ml.past_song_scores where classifier = '{}'"
    [(run,)], [(other,)] = (rows(config.database, runs.format(one)) for one in ("naive_bayes", "majority"))
    with pytest.raises(UsageError, match="there is nothing to compare"):
        compare(config, run, "naive_bayes")
    shutil.copy(config.database, tmp_path / "before.duckdb")
    add_feature(project, "answer", "id % 4")
    build(config)
    found = compare(config, run, "naive_bayes")
    assert (str(found[0].before), found[0].added) == (f"run {run}", ("answer",))
    by_file = compare(config, str(tmp_path / "before.duckdb"), "naive_bayes")
    assert [one.measures for one in found] == [one.measures for one in by_file]
    with pytest.raises(UsageError, match="evaluated majority under cv, not naive_bayes under cv"):
        compare(config, other, "naive_bayes")
    assert {run, other} < set(known_references(config))


def test_the_command_prints_each_measure_and_a_verdict(edited: Config, cli: Cli) -> None:
    compare(edited, "HEAD", "naive_bayes")
    done = cli("evaluate", "naive_bayes", "--compare-to", "HEAD", cwd=edited.root)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[-4:-1]] == ["accuracy", "top", "log-loss"]
    assert "Features added: answer." in done.err
    assert "Verdict: " in done.err


def test_a_classifier_that_reads_no_feature_is_noise(edited: Config) -> None:
    for one in compare(edited, "HEAD", "majority"):
        assert all(m.is_noise and m.difference == 0 for m in one.measures)


@pytest.mark.parametrize(
    ("against", "said"),
    [
        (
            "HAED",
            "There is no database file, no run and no git revision 'HAED' to compare with. Did you mean 'HEAD'?",
        ),
        ("--help", "no git revision '--help'"),
        ("project/genre.duckdb", "there is nothing to compare; after an edit, run `genredb build` first."),
        ("project/dbt_project.yml", "cannot be evaluated: "),
    ],
)
def test_what_cannot_be_compared_with_is_said_in_a_sentence(
    edited: Config, against: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(edited.root.parent)
    with pytest.raises(GenredbError) as refused:
        compare(edited, against, "majority")
    assert said in str(refused.value)


def test_other_labelled_songs_are_not_compared(edited: Config, tmp_path: Path) -> None:
    project = lay_out(tmp_path)
    edit(project / "data/sample/CS98XClassificationTrain.csv", "1,Song 1,", "21,Song 1,")
    config = read_config(Settings(project_dir=project))
    build(config)
    with pytest.raises(
        UsageError, match="The labelled songs or their labels differ from those of .*folds cannot"
    ):
        compare(config, str(edited.database), "majority")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "update", "is_refused"),
    [
        ("unseen", "artist_key = 'artist ' || id % 6", True),
        ("cv", "artist_key = 'artist ' || id % 6", False),
        ("cv", "genre = 'rock' where genre = 'pop'", True),
    ],
)
def test_songs_that_are_parted_or_labelled_otherwise_are_not_compared(
    edited: Config, tmp_path: Path, protocol: str, update: str, is_refused: bool
) -> None:
    config, before = replace(edited, database=tmp_path / "genre.duckdb"), tmp_path / "before.duckdb"
    shutil.copy(edited.database, before)
    with duckdb.connect(str(before)) as connection:
        connection.execute("update songs set artist_key = 'artist ' || id % 5")
    shutil.copy(before, config.database)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute(f"update songs set {update}")
    refusal = pytest.raises(UsageError, match="or their labels differ from those of")
    with refusal if is_refused else contextlib.nullcontext():
        assert compare(config, str(before), "majority", protocol)


def test_the_oldest_run_is_compared_with_before_it_is_forgotten(
    edited: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genredb.songs.learn.past.KEPT_RUNS", 1)
    config = replace(edited, database=tmp_path / "genre.duckdb")
    shutil.copy(edited.database, config.database)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("update songs set bpm = bpm + 1")
    judge(config, ["majority"], "cv", ignore)
    [(run,)] = rows(
        config.database, "select distinct run_id from ml.past_song_scores where classifier = 'majority'"
    )
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("update songs set bpm = bpm + 1")
    assert str(compare(config, run, "majority")[0].before) == f"run {run}"


def test_a_committed_link_that_leads_out_of_the_project_is_left_out(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "songs.sql").write_text("select 1")
    (repository / "raw").symlink_to(tmp_path)
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "With a link")
    unpack(repository, find_commit(repository, "HEAD") or "", tmp_path / "unpacked")
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["songs.sql"]


def test_tab_offers_the_revisions_of_the_projects_repository(edited: Config, tmp_path: Path) -> None:
    assert "HEAD" in known_revisions(edited.root)
    assert known_revisions(tmp_path) == []


def test_tab_does_not_wait_for_scikit_learn(edited: Config) -> None:
    script = (
        "import sys; from genredb.cli.complete import _revisions; from genredb.runner.project.config import *; "
        "print([*_revisions(read_config(Settings()))], *{'numpy', 'sklearn'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", script]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=edited.root, env=environment, capture_output=True, text=True, check=True
    )
    assert "'HEAD'" in done.stdout
    assert done.stdout.rstrip().endswith("]")


def test_noise_knows_how_many_were_compared() -> None:
    clear, doubtful = (0.03, 0.01), (0.021, 0.01)
    assert are_noise({"a": doubtful}) == {"a": False}
    assert are_noise({"a": doubtful, "b": (0.0, 0.01), "c": clear}) == {"c": False, "a": True, "b": True}
    assert are_noise({"a": doubtful, "b": doubtful}) == {"a": True, "b": True}
