"""Whatever is stated of a classifier, what is wrong with it is said in a sentence, and nothing is kept."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genredb.errors import GenredbError, InputError, UsageError
from genredb.runner.project.config import Config
from genredb.songs.classifiers import use_classifier
from genredb.songs.classifiers_yml import read_classifiers
from genredb.songs.evaluate import _fit_and_ask
from genredb.songs.explain import explain
from genredb.songs.learn.classifiers import CLASSIFIERS
from genredb.songs.learn.dataset import LabelledSongs, Songs, artist_codes, songs_of
from genredb.songs.learn.fitted import Fitted
from genredb.songs.learn.protocols import PROTOCOLS, Fold
from genredb.songs.learn.registry import registry
from genredb.songs.learn.stated_classifiers import make_stated, with_parameters
from genredb.songs.learning_curve import _ask
from genredb.songs.predict import predict
from genredb.songs.train import train
from tests.cli_reference import commands
from tests.conftest import changed


def _state(folder: Path, entry: str) -> None:
    (folder / "classifiers.yml").write_text(f"classifiers: [{{name: mine, {entry}}}]")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("estimator: sklearn.multiclass.OneVsRestClassifier", "mine cannot be made: .*'estimator'"),
        ("estimator: sklearn.ensemble.BaggingClassifier, parameters: {estimator: text}", "mine cannot be made: .*'str' object"),
        ("estimator: sklearn.pipeline.Pipeline, parameters: {steps: text}", "mine cannot be made: "),
        ("estimator: sklearn.naive_bayes._BaseNB", "mine cannot be made: .*abstract class"),
        ("estimator: sklearn.svm.LinearSVC, reads_artist: true", "mine reads the artist, .*; LinearSVC gives none"),
        ("estimator: sklearn.svm.SVC, parameters: {C: 2020-01-01}", "`C` should be a number, a string, or a list"),
        ("estimator: sklearn.svm.SVC, parameters: {class_weight: !!set {a, b}}", "`class_weight` should be a number"),
        (
            "estimator: sklearn.model_selection.GridSearchCV, parameters: {estimator: {pipeline: [sklearn.naive_bayes.GaussianNB]}, param_grid: {memory: [cache]}}",
            "`memory` would keep files",
        ),
        (
            "estimator: sklearn.model_selection.GridSearchCV, parameters: {estimator: {pipeline: [sklearn.naive_bayes.GaussianNB]}, param_grid: [{estimator__memory: [cache]}]}",
            "`memory` would keep files",
        ),
    ],
)  # fmt: skip
def test_an_entry_that_makes_no_classifier_is_refused_in_its_place(
    tmp_path: Path, entry: str, message: str
) -> None:
    _state(tmp_path, entry)
    with pytest.raises(GenredbError, match=rf"classifiers\.yml:1: {message}") as error:
        make_stated(read_classifiers(tmp_path)["mine"])
    assert error.value.exit_code == 3


@pytest.mark.parametrize("value", ["0", "false", "''", "{}", "text"])
def test_classifiers_that_are_no_list_are_refused_though_they_are_empty(tmp_path: Path, value: str) -> None:
    (tmp_path / "classifiers.yml").write_text(f"classifiers: {value}")
    with pytest.raises(GenredbError, match="classifiers"):
        read_classifiers(tmp_path)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("neighbors", {"memory": "cache"}, "`memory` would keep files"),
        ("neighbors", {"simpleimputer": "drop me"}, "has no parameter"),
        ("artist_vote", {"weigh_artists": date(2020, 1, 1)}, "`weigh_artists` should be a number, a string"),
    ],
)
def test_a_parameter_that_cannot_be_set_is_refused(
    name: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        with_parameters(CLASSIFIERS[name].make(9), name, parameters)


def test_what_an_estimator_refuses_once_it_is_asked_is_said_by_train(
    predicted: Config, tmp_path: Path
) -> None:
    config = replace(changed(predicted, tmp_path, "select 1"), home=tmp_path)
    _state(tmp_path, "estimator: sklearn.neighbors.KNeighborsClassifier, parameters: {n_neighbors: 500}")
    for name, parameters, message in (
        ("mine", None, "mine cannot answer: Expected n_neighbors <= n_samples_fit"),
        ("sql_neighbors", {"n_neighbors": "many"}, "sql_neighbors cannot answer: n_neighbors must be an"),
        ("artist_vote", {"steps": []}, "artist_vote cannot be fitted: list index out of range"),
    ):
        with pytest.raises(InputError, match=message):
            train(config, name=name, parameters=parameters)


def test_what_an_estimator_refuses_of_the_songs_to_predict_is_said_by_predict(
    predicted: Config, tmp_path: Path
) -> None:
    config = replace(changed(predicted, tmp_path, "select 1"), home=tmp_path)
    _state(
        tmp_path, "pipeline: [sklearn.preprocessing.OneHotEncoder, sklearn.linear_model.LogisticRegression]"
    )
    with pytest.raises(InputError, match="mine cannot answer: Found unknown categories"):
        predict(config, classifier="mine")


def test_what_an_estimator_refuses_once_it_is_asked_is_said_by_evaluate(tmp_path: Path) -> None:
    _state(tmp_path, "estimator: sklearn.neighbors.KNeighborsClassifier, parameters: {n_neighbors: 9}")
    names, genres = (np.array(list(text), dtype=object) for text in ("abcdefghij", "pprrpprrpp"))
    songs = Songs(names, np.column_stack([artist_codes(names), np.arange(10.0)]), genres, ("bpm",))
    data = LabelledSongs(songs, names, genres, names, names, np.zeros(10, dtype=bool))
    spec, fold = registry(tmp_path)["mine"], Fold(0, 0, np.arange(4), np.arange(4, 10))
    with pytest.raises(InputError, match="mine cannot answer: Expected n_neighbors"):
        _fit_and_ask(spec, PROTOCOLS["cv"], data, fold, 1)
    with pytest.raises(InputError, match="mine cannot learn from 4 songs: Expected n_neighbors"):
        _ask(spec, data, fold, 1)


def test_probabilities_that_are_no_numbers_are_no_answer() -> None:
    class Odd:
        classes_ = np.array(["pop", "rock"], dtype=object)

        def predict_proba(self, asked: Any) -> Any:
            return np.full((len(asked), 2), np.nan)

    songs = songs_of(np.array([""], dtype=object), [np.array([1.0])], ("bpm",))
    with pytest.raises(InputError, match="odd cannot answer: some of its probabilities are not numbers"):
        Fitted("odd", Odd(), ("bpm",), {"pop": "pop", "rock": "rock"}).predict(songs)


def test_a_chosen_classifier_that_is_gone_is_said_with_the_cure(predicted: Config, tmp_path: Path) -> None:
    config = replace(changed(predicted, tmp_path, "select 1"), home=tmp_path)
    _state(tmp_path, "estimator: sklearn.naive_bayes.GaussianNB")
    predict(config, classifier="mine")
    (tmp_path / "classifiers.yml").unlink()
    for asks in (predict, train, lambda config: explain(config, "14")):
        with pytest.raises(UsageError, match="'mine', which was chosen .* with `genredb classifiers use`"):
            asks(config)
    use_classifier(config, "naive_bayes")
    assert predict(config).is_published


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("predict", "--min-probability", "nan"), "--min-probability"),
        (("query", "select 1", "--timeout", "nan"), "--timeout"),
    ],
)
def test_an_option_that_is_no_number_is_refused(arguments: tuple[str, ...], option: str) -> None:
    name, *rest = arguments
    with pytest.raises(UsageError, match=f"{option} should be a number, not nan"):
        commands()[name].main(rest, standalone_mode=False)


def test_a_database_of_another_version_is_built_anew_first(predicted: Config, tmp_path: Path) -> None:
    statement = "update meta.state set value = 'another' where key = 'layout'"
    config = changed(predicted, tmp_path, statement)
    for asks in (predict, train, lambda config: use_classifier(config, "majority")):
        with pytest.raises(
            UsageError, match="Another version of genredb built this database; run `genredb build`"
        ):
            asks(config)
