"""classifiers.yml: what may be stated, what is made of it, and what is said of a fault."""

import json
from pathlib import Path

import numpy as np
import pytest

from genredb.errors import InputError, ProjectError, UsageError
from genredb.songs.classifiers_yml import read_classifiers
from genredb.songs.learn.stated_classifiers import make_stated, with_parameters
from tests.conftest import Cli, rows, write_raw

STATED = """
classifiers:
  - name: boosted
    description: Gradient boosting on histograms.
    estimator: sklearn.ensemble.HistGradientBoostingClassifier
    parameters: {max_iter: 5, min_samples_leaf: 2}
    reads_artist: true
    trusts: [sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor]
  - name: scaled
    pipeline:
      - sklearn.preprocessing.StandardScaler
      - estimator: sklearn.linear_model.LogisticRegression
        parameters: {C: 0.1}
  - name: voted
    estimator: sklearn.ensemble.VotingClassifier
    parameters:
      voting: soft
      estimators:
        forest: {estimator: sklearn.ensemble.RandomForestClassifier, parameters: {n_estimators: 3, random_state: 7}}
        bayes: sklearn.naive_bayes.GaussianNB
        near: {estimator: sklearn.neighbors.KNeighborsClassifier, parameters: {algorithm: brute}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "classifiers.yml").write_text(STATED)
    return tmp_path


def test_a_stated_estimator_is_made_with_what_it_wraps_a_seed_and_medians(folder: Path) -> None:
    stated = read_classifiers(folder)
    assert list(stated) == ["boosted", "scaled", "voted"]
    boosted, scaled, voted = (make_stated(one) for one in stated.values())
    assert (boosted.estimator.max_iter, boosted.estimator.random_state) == (5, 0)
    assert (boosted.weigh_artists, boosted.min_genre_artists) == (True, 2)
    assert list(scaled.named_steps) == ["simpleimputer", "standardscaler", "logisticregression"]
    forest, bayes, near = (one for _, one in voted.steps[-1][1].estimators)
    assert (forest.n_estimators, forest.random_state, near.algorithm) == (3, 7, "brute")
    assert type(bayes).__name__ == "GaussianNB"
    songs = np.array([[1, 1.0], [1, np.nan], [2, 9.0], [2, 9.5], [3, 1.1], [3, 9.1]] * 3)
    genres = np.array(["pop", "pop", "rock", "rock", "pop", "rock"] * 3)
    for one in (boosted, scaled, voted):
        assert set(one.fit(songs, genres).predict(songs)) <= {"pop", "rock"}


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("reads_artists: true", "reads_artist: true", "unknown key `reads_artists:` of a classifier. Did you mean 'reads_artist'?"),
        ("classifier:", "classifiers:", "unknown key `classifier:`. Did you mean 'classifiers'?"),
        ("name: Boosted", "name: boosted", "lowercase letters, digits and underscores"),
        ("name: boosted", "name: scaled", "the classifier 'boosted' is defined twice"),
        ("reads_artist: maybe", "reads_artist: true", "`reads_artist:` of boosted should be true or false"),
        ("estimator: os.system", "estimator: sklearn.ensemble.HistG", "'os.system' is not the path"),
        ("trusts: [os.system]", "trusts: [sklearn", "os.system cannot be trusted"),
        ("pipeline: []", "pipeline:", "should be a list of estimators"),
        ("{memory: /tmp/x}", "{C: 0.1}", "would keep files"),
    ],
)  # fmt: skip
def test_a_fault_of_the_file_is_said_with_its_line(
    tmp_path: Path, wrong: str, right: str, message: str
) -> None:
    lines = STATED.splitlines()
    place = next(i for i, line in enumerate(lines) if right in line)
    lines[place] = lines[place].partition(right)[0] + wrong
    if wrong == "pipeline: []":
        del lines[place + 1 : place + 4]
    path = tmp_path / "classifiers.yml"
    path.write_text("\n".join(lines))
    with pytest.raises(ProjectError, match=r"classifiers\.yml") as error:
        read_classifiers(tmp_path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("HistGradientBoostingClasifier", "HistGradientBoostingClassifier", "Did you mean 'HistGradientBoostingClassifier'?"),
        ("sklearn.ensembl.X", "sklearn.ensemble.HistGradientBoostingClassifier", "there is no module 'sklearn.ensembl'"),
        ("HistGradientBoostingRegressor", "HistGradientBoostingClassifier", "boosted is not a classifier: it is a"),
        ("sklearn.datasets.load_iris", "sklearn.ensemble.HistGradientBoostingClassifier", "there is no estimator 'load_iris'"),
        ("max_itr: 5", "max_iter: 5", "has no parameter 'max_itr'. Did you mean 'max_iter'?"),
    ],
)  # fmt: skip
def test_a_fault_of_an_estimator_is_said_with_its_own_names(
    tmp_path: Path, wrong: str, right: str, message: str
) -> None:
    (tmp_path / "classifiers.yml").write_text(STATED.replace(right, wrong, 1))
    with pytest.raises(ProjectError, match=r"classifiers\.yml:3: ") as error:
        make_stated(read_classifiers(tmp_path)["boosted"])
    assert message in str(error.value)


def test_parameters_are_set_by_their_last_part_where_that_is_one(folder: Path) -> None:
    stated = read_classifiers(folder)
    boosted = with_parameters(
        make_stated(stated["boosted"]), "boosted", {"max_iter": 9, "min_genre_artists": 1}
    )
    assert (boosted.estimator.max_iter, boosted.min_genre_artists) == (9, 1)
    with pytest.raises(UsageError, match="boosted has no parameter 'n_estimator'"):
        with_parameters(boosted, "boosted", {"n_estimator": 9})
    with pytest.raises(UsageError, match="voted has several parameters 'n_jobs': .*; name one in full"):
        with_parameters(make_stated(stated["voted"]), "voted", {"n_jobs": 1})


@pytest.fixture
def project(cli: Cli, tmp_path: Path) -> Path:
    """A folder with raw CSVs, built, and the classifiers stated in it."""
    (tmp_path / "data" / "raw").mkdir(parents=True)
    write_raw(tmp_path / "data" / "raw")
    (tmp_path / "classifiers.yml").write_text(STATED)
    assert cli("build", "-q", cwd=tmp_path).code == 0
    return tmp_path


@pytest.mark.slow
def test_a_stated_classifier_goes_from_yml_to_submission(cli: Cli, project: Path) -> None:
    listed = json.loads(cli("classifiers", "available", "--json", cwd=project).out)
    (boosted,) = (one for one in listed if one["name"] == "boosted")
    assert (boosted["reads"], boosted["stated_in"]) == (["artist", "audio"], "classifiers.yml")
    assert "max_iter=5" in boosted["estimator"]
    assert boosted["trusts"] == ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
    for name in ("boosted", "scaled"):
        done = cli("predict", "--classifier", name, cwd=project)
        assert done.code == 0, done.err
        assert f"Fitted {name}-" in done.err
        assert cli("export", "-o", "s.csv", cwd=project).code == 0
        # In a process of its own the stored one is read back and says the same.
        sql = "select count(*) from predictions inner join songs using (song_key) where predict_genre(songs) <> predictions.genre"
        asked = cli("query", sql, "--format", "csv", cwd=project)
        assert (asked.code, asked.out.split()[-1]) == (0, "0"), asked.err
        assert cli("predict", cwd=project).err.strip().endswith("nothing was written.")
    # The entry is part of what is up to date.
    (project / "classifiers.yml").write_text(STATED.replace("{C: 0.1}", "{C: 0.2}"))
    refused = cli("export", "-o", "s.csv", cwd=project)
    assert (refused.code, "or by an older one" in refused.err) == (3, True)
    assert "Fitted scaled-" in cli("predict", cwd=project).err
    assert cli("export", "-o", "s.csv", cwd=project).code == 0
    states = {
        one["classifier_id"]: one for one in json.loads(cli("classifiers", "list", "--json", cwd=project).out)
    }
    assert sorted((one["name"], one["is_current"], one["is_used"]) for one in states.values()) == [
        ("boosted", True, False),
        ("scaled", False, False),
        ("scaled", True, True),
    ]
    (project / "classifiers.yml").unlink()
    gone = cli("export", "-o", "s.csv", cwd=project)
    assert gone.code != 0
    assert "is no longer in classifiers.yml" in cli("predict", cwd=project).err


@pytest.mark.slow
def test_what_nothing_trusts_is_not_kept(cli: Cli, project: Path) -> None:
    text = STATED.replace(
        "    trusts: [sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor]\n", ""
    )
    (project / "classifiers.yml").write_text(text)
    done = cli("train", "--classifier", "boosted", cwd=project)
    assert done.code == 3
    assert (
        "add `trusts: [sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor]` to its entry in"
        " classifiers.yml" in done.err
    )
    assert rows(project / "genre.duckdb", "from ml.classifiers") == []


@pytest.mark.slow
def test_parameters_are_set_for_one_fit_which_can_be_chosen(cli: Cli, project: Path) -> None:
    assert cli("predict", "--classifier", "forest", "-q", cwd=project).code == 0
    done = cli("train", "--classifier", "forest", "--set", "n_estimators=7", cwd=project)
    assert done.code == 0, done.err
    (kept,) = (
        one
        for one in json.loads(cli("classifiers", "list", "--json", cwd=project).out)
        if one["parameters"] == {"n_estimators": 7}
    )
    assert (kept["is_current"], kept["is_used"]) == (True, False)
    assert f"`genredb predict --classifier {kept['classifier_id']}` switches to this one" in done.err
    shown = json.loads(cli("classifiers", "show", kept["classifier_id"], cwd=project).out)
    assert shown["parameters"]["n_estimators"] == 7
    assert not any(key.startswith("golden") for key in shown)
    assert cli("predict", "--classifier", kept["classifier_id"], cwd=project).code == 0
    found = rows(project / "genre.duckdb", "select distinct classifier_id from ml.predictions")
    assert found == [(kept["classifier_id"],)]
    for stated, message in (
        ("n_estimator=7", "forest has no parameter 'n_estimator'. Did you mean 'n_estimators'?"),
        ("n_estimators=-7", "forest cannot be fitted: The 'n_estimators' parameter of"),
        ("n_estimators", "--set should be NAME=VALUE"),
    ):
        refused = cli("train", "--classifier", "forest", "--set", stated, cwd=project)
        assert refused.code in (2, 3)
        assert message in refused.err


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{estimator: sklearn.ensemble.VotingClassifier, parameters: {estimators: {a: sklearn.svm.SVC, b: 1}}}", "give either"),
        ("{estimator: sklearn.ensemble.VotingClassifier}", "x cannot be made: .*'estimators'"),
        ("{pipeline: [sklearn.svm.SVC, sklearn.preprocessing.StandardScaler]}", "x is not a classifier: it ends with a StandardScaler"),
        ("{estimator: sklearn.linear_model.LinearRegression}", "x is not a classifier: it is a LinearRegression"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_at_its_place(tmp_path: Path, entry: str, message: str) -> None:
    (tmp_path / "classifiers.yml").write_text(f"classifiers:\n  - {{name: x, {entry[1:]}\n")
    with pytest.raises((ProjectError, InputError), match=rf"classifiers\.yml:2: {message}"):
        make_stated(read_classifiers(tmp_path)["x"])


@pytest.mark.slow
def test_what_an_estimator_says_of_songs_comes_in_a_line(cli: Cli, project: Path) -> None:
    """A fault that shows when it answers is no internal error, and a warning names no file of scikit-learn."""
    (project / "classifiers.yml").write_text(
        "classifiers:\n"
        "  - name: near\n"
        "    estimator: sklearn.neighbors.KNeighborsClassifier\n"
        "    parameters: {algorithm: brute, n_neighbors: 5000}\n"
        "  - name: unscaled\n"
        "    estimator: sklearn.linear_model.LogisticRegression\n"
        "    parameters: {max_iter: 5}\n"
    )
    refused = cli("train", "--classifier", "near", cwd=project)
    assert refused.code == 3
    assert "error: near cannot answer: Expected n_neighbors <= n_samples_fit" in refused.err
    warned = cli("train", "--classifier", "unscaled", cwd=project)
    assert warned.code == 0
    assert "failed to converge after 5 iteration(s)" in warned.err
    assert ".py:" not in warned.err
