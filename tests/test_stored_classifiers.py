"""Classifiers in the database: what is kept of them, what loading refuses, which one predicts."""

import hashlib
import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from genredb.errors import InputError, UsageError
from genredb.runner.project.config import Config
from genredb.songs.classifiers import show_classifier, use_classifier
from genredb.songs.explain import explain
from genredb.songs.learn.classifiers import CLASSIFIERS
from genredb.songs.learn.dataset import feature_types, feature_view, read_groups, read_songs
from genredb.songs.learn.fitted import fit
from genredb.songs.learn.manifest import ClassifierError, read_manifest
from genredb.songs.learn.sound_trees import tree_fault
from genredb.songs.learn.sql_neighbors import SqlNeighbors
from genredb.songs.learn.store import Training, load, make_manifest, store
from genredb.songs.predict import predict
from genredb.warehouse.database import connect, open_reader
from tests.conftest import Cli, changed, rows, write_raw
from tests.verbs import list_classifiers

TRUSTED = CLASSIFIERS["artist_vote"].trusts


def test_the_manifest_tells_what_a_classifier_was_fitted_on(predicted: Config) -> None:
    ((text,),) = rows(predicted.database, "select manifest from ml.classifiers")
    manifest = json.loads(text)
    assert manifest["classes"] == ["album rock", "disco", "pop"]
    assert manifest["feature_names"] == "year bpm nrgy dnce db live val dur acous spch pop".split()
    assert (manifest["training_rows"], manifest["seed"], manifest["label"]) == (12, 0, "genre")
    assert manifest["parameters"]["estimator__votingclassifier__forest__n_estimators"] == 300
    assert manifest["parameters"]["weigh_artists"] is True
    assert set(manifest["versions"]) == {"genredb", "numpy", "scikit-learn", "skops"}
    assert manifest["training_view_hash"]
    assert manifest["feature_types"] == ["INTEGER"] * 11
    assert manifest["groups"] == {"album rock": "rock", "disco": "disco & funk", "pop": "pop"}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update ml.classifiers set skops = skops || '\\x00'::blob", "are not those that were stored"),
        (
            'update ml.classifiers set manifest = replace(manifest::varchar, \'"numpy": "\', \'"numpy": "0\')::json',
            "was fitted with numpy 0",
        ),
        (
            "update ml.classifiers set manifest = replace(manifest::varchar, '\"nrgy\"', '\"energy\"')::json",
            "was fitted on other feature columns",
        ),
        (
            "update ml.classifiers set manifest = replace(manifest::varchar, '\"INTEGER\"', '\"DOUBLE\"')::json",
            "was fitted on other feature columns",
        ),
        (
            "update ml.classifiers set manifest = json_merge_patch(manifest, '{\"golden_features\": [[1.0]]}')",
            "no longer gives the predictions",
        ),
    ],
)
def test_a_classifier_that_is_not_as_it_was_is_refused_and_fitted_anew(
    predicted: Config, tmp_path: Path, statement: str, message: str
) -> None:
    config = changed(predicted, tmp_path, statement)
    with open_reader(config.database) as connection:
        ((classifier_id,),) = connection.rows("select classifier_id from ml.classifiers")
        with pytest.raises(InputError, match=message):
            load(connection, classifier_id, TRUSTED)
    with closing(connect(config.database)) as connection:
        connection.execute("delete from ml.predictions")
    assert predict(config).trained is not None


def test_a_manifest_that_is_none_is_refused_wherever_it_is_read(predicted: Config, tmp_path: Path) -> None:
    ((own_id, text),) = rows(predicted.database, "select classifier_id, manifest from ml.classifiers")
    known = json.loads(text)
    assert asdict(read_manifest(own_id, text)) == known
    odd: tuple[Any, ...] = (None, 5, "x", [], {}, [[1]], [None], {"a": None}, True)
    stated = [value if name == "" else known | {name: value} for name in ("", *known) for value in odd]
    for one in (one for one in stated if one != known):
        try:
            found = asdict(read_manifest(own_id, json.dumps(one)))
        except ClassifierError:
            continue
        assert {name: type(value) for name, value in found.items()} == {
            name: type(value) for name, value in known.items()
        }
    config = changed(
        predicted,
        tmp_path,
        "update ml.classifiers set manifest = json_merge_patch(manifest, '{\"versions\": 5}')",
    )
    assert [(one.name, one.is_current) for one in list_classifiers(config)] == [("artist_vote", False)]
    for read in (show_classifier, use_classifier):
        with pytest.raises(
            ClassifierError, match="is damaged: the versions of its manifest; run `genredb train`"
        ):
            read(config, own_id)


def test_genres_without_a_group_are_damage(predicted: Config, tmp_path: Path) -> None:
    config = changed(
        predicted,
        tmp_path,
        'update ml.classifiers set manifest = json_merge_patch(manifest, \'{"groups": {"pop": null}}\')',
    )
    with pytest.raises(UsageError, match="some of its genres have no group; run `genredb predict`"):
        explain(config, "14")


def test_golden_rows_guard_the_answers(predicted: Config, tmp_path: Path) -> None:
    ((text, classifier_id),) = rows(predicted.database, "select manifest, classifier_id from ml.classifiers")
    manifest = json.loads(text)
    manifest["golden_scores"][0][0] += 0.01
    config = changed(predicted, tmp_path, "update ml.classifiers set manifest = ?", json.dumps(manifest))
    with (
        open_reader(config.database) as connection,
        pytest.raises(InputError, match="no longer gives the predictions"),
    ):
        load(connection, classifier_id, TRUSTED)


def test_types_that_nobody_knows_are_refused(predicted: Config, tmp_path: Path) -> None:
    import hashlib

    import skops.io
    from sklearn.feature_extraction.text import CountVectorizer

    content = skops.io.dumps({"audio": CountVectorizer(preprocessor=np.trapezoid)})
    config = changed(
        predicted,
        tmp_path,
        "update ml.classifiers set skops = ?, sha256 = ?",
        content,
        hashlib.sha256(content).hexdigest(),
    )
    ((classifier_id,),) = rows(config.database, "select classifier_id from ml.classifiers")
    with open_reader(config.database) as connection, pytest.raises(InputError, match="holds the types"):
        load(connection, classifier_id, TRUSTED)


def test_a_stored_classifier_runs_no_sql(tmp_path: Path) -> None:
    """Its parameters become a part of a query, and a file with a fitting digest may hold any text."""
    x, y = np.arange(12.0).reshape(6, 2), np.array(list("ababab"), dtype=object)
    target = tmp_path / "stolen.csv"
    for neighbors in (f"1) ; copy (select 1) to '{target}'; --", True and 1.5, 0, -1, None):
        fitted = SqlNeighbors(3).fit(x, y).set_params(n_neighbors=neighbors)
        again = skops.io.loads(skops.io.dumps(fitted), trusted=sorted(CLASSIFIERS["sql_neighbors"].trusts))
        with pytest.raises((TypeError, ValueError), match="n_neighbors"):
            again.predict(x)
    assert not target.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_forests")
@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("left_child", 0, "no child after it"),
        ("right_child", 10**6, "no child after it"),
        ("right_child", -1, "a node with one child"),
        ("feature", 99, "a column that does not exist"),
        ("threshold", np.nan, "an invalid number"),
    ],
)
@pytest.mark.parametrize("kind", ["forest", "bagging", "seed_boosting"])
def test_trees_that_never_end_or_leave_their_arrays_are_found(
    kind: str, field: str, value: float, fault: str
) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(60, 4)), np.array(list("abc") * 20, dtype=object)
    estimator = CLASSIFIERS[kind].make(60).fit(x, y)
    assert tree_fault(estimator) == ""
    inner = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    tree = np.ravel(inner.estimators_)[-1].tree_
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"][field][0] = value
    tree.__setstate__(state)
    assert fault in tree_fault(estimator)


@pytest.mark.parametrize("content", [b"", b"no archive", skops.io.dumps({"a": 1}), skops.io.dumps([1, 2])])
def test_bytes_that_are_no_classifier_are_fitted_anew(
    content: bytes, predicted: Config, tmp_path: Path
) -> None:
    """They bear the digest that is stored beside them, as a tool that writes the table could arrange."""
    config = changed(
        predicted,
        tmp_path,
        "update ml.classifiers set skops = ?, sha256 = ?",
        content,
        hashlib.sha256(content).hexdigest(),
    )
    ((classifier_id,),) = rows(config.database, "select classifier_id from ml.classifiers")
    with (
        open_reader(config.database) as connection,
        pytest.raises(InputError, match=r"cannot be read|damaged"),
    ):
        load(connection, classifier_id, TRUSTED)
    with closing(connect(config.database)) as connection:
        connection.execute("delete from ml.predictions")
    assert (predict(config).trained is not None, predict(config).is_published) == (True, False)


@pytest.mark.usefixtures("quick_forests")
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_an_entry_names_the_types_that_its_classifier_holds_and_no_others(name: str) -> None:
    """With songs enough for search trees and splits; else it is fitted, and refused when it is to be kept."""
    spec, rng = CLASSIFIERS[name], np.random.default_rng(0)
    x = rng.random((90, 12))
    x[:, 0] = np.arange(90) % 17
    fitted = spec.make(90).fit(x if spec.uses_artist else x[:, 1:], ["jazz", "pop", "rock"] * 30)
    assert set(skops.io.get_untrusted_types(data=skops.io.dumps(fitted))) == set(spec.trusts)
    assert spec.gives_probabilities == hasattr(fitted, "predict_proba")


@pytest.mark.slow
@pytest.mark.usefixtures("quick_forests")
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_is_fitted_stored_and_read_back_with_the_same_answers(
    name: str, predicted: Config, tmp_path: Path
) -> None:
    config = changed(predicted, tmp_path, "delete from ml.classifiers")
    with closing(connect(config.database)) as connection:
        songs = read_songs(connection, feature_view(connection, "train"), "genre")
        spec = CLASSIFIERS[name]
        fitted = fit(spec, songs, read_groups(connection), 3)
        training = Training("genre", "f", "v", len(songs), feature_types(connection, songs.feature_names))
        store(connection, "stored", fitted, make_manifest(fitted, training, songs), spec.trusts)
        again = load(connection, "stored", spec.trusts)
    x = songs.matrix(uses_artist=fitted.uses_artist)
    assert list(again.estimator.predict(x)) == list(fitted.estimator.predict(x))
    # Whoever asks again gets the same bytes: no threads add up votes in an order of their own.
    if fitted.uses_artist:
        x[:, 0] = np.nan
    if hasattr(fitted.estimator, "predict_proba"):
        asked = {fitted.estimator.predict_proba(x).tobytes() for _ in range(5)}
        assert asked == {again.estimator.predict_proba(x).tobytes()}


def test_what_a_classifier_of_the_registry_lacks_is_named(predicted: Config, tmp_path: Path) -> None:
    """Its line in the code is where types are trusted, not classifiers.yml, where it has no entry."""
    config = changed(predicted, tmp_path, "delete from ml.classifiers")
    with closing(connect(config.database)) as connection:
        songs = read_songs(connection, feature_view(connection, "train"), "genre")
        fitted = fit(CLASSIFIERS["logistic"], songs, read_groups(connection), 3)
        training = Training("genre", "f", "v", len(songs), feature_types(connection, songs.feature_names))
        with pytest.raises(
            InputError, match=r'"numpy.dtype",\)` to its line in genredb/songs/learn/classifiers'
        ):
            store(connection, "stored", fitted, make_manifest(fitted, training, songs), ())


@pytest.mark.slow
def test_another_classifier_can_be_fitted_listed_shown_chosen_and_removed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    write_raw(tmp_path / "data" / "raw")
    for command in (["build"], ["predict"], ["train", "--classifier", "artist_forest"]):
        assert cli(*command, "-q", cwd=tmp_path).code == 0
    listed = json.loads(cli("classifiers", "list", "--json", cwd=tmp_path).out)
    assert [(one["name"], one["is_current"], one["is_used"]) for one in listed] == [
        ("artist_forest", True, False),
        ("artist_vote", True, True),
    ]
    assert "artist_vote-" in cli("classifiers", "list", cwd=tmp_path).out
    shown = json.loads(cli("classifiers", "show", "artist_forest", cwd=tmp_path).out)
    assert (shown["name"], shown["training_rows"]) == ("artist_forest", 12)
    assert cli("classifiers", "use", "artist_forest", cwd=tmp_path).code == 0
    assert cli("predict", cwd=tmp_path).code == 0
    database = tmp_path / "genre.duckdb"
    assert rows(database, "select distinct classifier_id like 'artist_forest-%' from predictions") == [
        (True,)
    ]
    assert cli("export", "-o", "s.csv", cwd=tmp_path).code == 0
    assert cli("classifiers", "use", "artist_vote", cwd=tmp_path).code == 0
    refused = cli("export", "-o", "s.csv", cwd=tmp_path)
    assert (refused.code, "made by a classifier other than artist_vote" in refused.err) == (3, True)
    assert cli("classifiers", "use", "artist_forest", cwd=tmp_path).code == 0
    assert cli("classifiers", "rm", "artist_vote", cwd=tmp_path).code == 0
    assert rows(database, "select name from ml.classifiers") == [("artist_forest",)]
    for asked, said in (
        (["use", "svc"], "gives no probabilities"),
        (["use", "artist_vot"], "Did you mean 'artist_vote'?"),
        (["show", "nothing"], "There is no classifier 'nothing'"),
        (["rm", ""], "There is no classifier ''"),
        (["use", ""], "There is no classifier ''"),
    ):
        ran = cli("classifiers", *asked, cwd=tmp_path)
        assert ran.code == 2
        assert said in ran.err
