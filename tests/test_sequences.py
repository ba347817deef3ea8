"""Random sequences of commands and edits, held against a simple model of what must be so.

An exported submission is that of a fresh database built with the settings that the project states, or is
refused; predictions are current or refused; the sample is never mixed with songs of one's own. A retry goes
on with what the failed build was told. ``GENREDB_SEQUENCES`` says how many sequences are tried.
"""

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from genredb.ask.export import export
from genredb.errors import GenredbError
from genredb.runner.clean import clean
from genredb.runner.planning.state import is_built_from_loads
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.classifiers import remove_classifier, use_classifier
from genredb.songs.learn import classifiers as registry
from genredb.songs.learn.classifiers import ClassifierSpec
from genredb.songs.learn.estimators import ArtistClassifier
from genredb.songs.learn.packed_forest import PackedForest
from genredb.songs.predict import predict
from genredb.songs.staleness import find_stale
from genredb.songs.train import train
from genredb.warehouse.database import open_reader
from tests.conftest import REAL_FILES, ROOT, rows, write_raw
from tests.verbs import build, list_classifiers, load, retry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

SEQUENCES = int(os.environ.get("GENREDB_SEQUENCES", "10"))
# One that heeds a variable of the project, and is fitted in no time.
SMALL = ClassifierSpec(
    "small_forest",
    "The artist's genre, else a few trees.",
    lambda _songs: ArtistClassifier(PackedForest(n_estimators=2, random_state=0), 3),
    settings=("min_genre_songs",),
    trusts=registry.CLASSIFIERS["artist_forest"].trusts,
)
STATED = "stated_tree"  # by classifiers.yml, where that is there
TREE = """
classifiers:
  - name: stated_tree
    estimator: sklearn.tree.DecisionTreeClassifier
    parameters: {max_depth: %s}
"""
CHOSEN = ("majority", "naive_bayes", SMALL.name, STATED)
OWN = ("one", "two")  # folders of songs of one's own
MODEL = "sql/models/staging/stg_songs.sql"
# Models that decide no genre: a build takes less without them and without checks.
NEEDLESS = (
    "artists", "correlations", "genre_profiles", "numeric_summary", "text_summary",
    "neighbor_predictions", "artist_predictions", "prediction_sets",
)  # fmt: skip
ROLES = "sql/models/features/features.yml"
EDITS = {
    "plain": ("", ""),
    "comment": ("with\n", "-- says nothing\nwith\n"),
    "other": ("select * from final", "select * replace (bpm // 2 as bpm) from final"),
    "broken": ("select * from final", "selct * from final"),
    "failing": ("select * from final", "select * replace (cast(title as integer) as bpm) from final"),
}
BETWEEN = ("", "", "put_or_remove_data_raw", "build_and_predict", "clean")  # a failed build and its retry
numbers = st.sampled_from([3, 5])
stated_numbers = st.sampled_from([None, None, 3, 5])
known: dict[object, bytes] = {}  # submissions of fresh databases


@pytest.fixture(autouse=True)
def small_forest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.CLASSIFIERS, SMALL.name, SMALL)


@dataclass(frozen=True)
class Files:
    """What the files say.

    The model's text, the variable, whether the tempo is a feature, the depth of the stated tree (0: none is
    stated), which of two texts the songs of each folder have.
    """

    model: str = "plain"
    number: int = 3
    has_tempo: bool = True
    depth: int = 0
    songs: tuple[int, ...] = (0, 0, 0)
    has_raw: bool = False


class Sequences(RuleBasedStateMachine):
    """The songs project, without what decides no genre, with a sample and two folders of one's own songs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sequences-"))
        shutil.copytree(start(), self.folder, dirs_exist_ok=True)
        self.project = self.folder / "project"
        self.plain = (self.project / MODEL).read_text(encoding="utf-8")
        self.files = Files()
        self.built = Files()  # the files of the last build that was published
        self.stated_number: int | None = None
        self.source = "sample"  # where the database's songs come from
        self.is_stated = False  # whether somebody chose that folder
        self.has_loaded = False  # since the last build
        self.failed: tuple[int | None, str, bool] | None = None  # what a failed build was told
        self.chosen = "majority"

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def raw(self, name: str) -> Path:
        return raw_folder(self.folder, name)

    def config(self, database: Path | None = None, **stated: Any) -> Config:
        return read_config(Settings(project_dir=self.project, database=database, **stated))

    def stated(self, number: int | None, folder: str | None) -> dict[str, Any]:
        variables = {} if number is None else {"vars": {"min_genre_songs": number}}
        if folder is None:
            return variables
        return variables | ({"uses_sample": True} if folder == "sample" else {"raw_dir": self.raw(folder)})

    def source_of(self, folder: str | None) -> tuple[str, bool]:
        """Where a build or load takes songs from, and whether somebody chose that."""
        if folder is not None:
            return folder, True
        if self.files.has_raw:
            return "raw", False
        return (self.source, True) if self.source in OWN else ("sample", False)

    @rule(number=stated_numbers, folder=st.sampled_from([None, None, "sample", *OWN]))
    def build(self, number: int | None, folder: str | None) -> None:
        source, is_stated = self.source_of(folder)
        if self.source != "raw" or self.files.has_raw or folder:
            self.built_from(number, folder, source, is_stated=is_stated)
            return
        with pytest.raises(GenredbError, match="was built from your own songs"):
            build(self.config(**self.stated(number, folder)))

    def built_from(self, number: int | None, folder: str | None, source: str, *, is_stated: bool) -> None:
        config = self.config(**self.stated(number, folder))
        try:
            is_done = build(config).exit_code == 0
        except GenredbError:
            is_done = False
        assert is_done == self.can_be_built
        told = (number, source, is_stated)
        if is_done:
            self.succeeded(*told)
        elif self.files.model == "failing":
            self.failed = told

    @property
    def can_be_built(self) -> bool:
        return self.files.model not in {"broken", "failing"}

    def succeeded(self, number: int | None, source: str, is_stated: bool) -> None:
        self.built, self.stated_number, self.has_loaded = self.files, number, False
        self.source, self.is_stated, self.failed = source, is_stated, None

    @rule()
    def retry(self) -> None:
        if self.failed is None:
            with pytest.raises(GenredbError, match="no failed build"):
                retry(self.config())
            return
        number, source, is_stated = self.failed
        is_gone = "raw" in {source, "" if is_stated else self.source} and not self.files.has_raw
        if not is_stated:
            source, is_stated = self.source_of(None)
        try:
            is_done = retry(self.config()).exit_code == 0
        except GenredbError:
            is_done = False
        assert is_done == (self.can_be_built and not is_gone)
        if is_done:
            self.succeeded(number, source, is_stated)
        elif self.files.model == "failing" and not is_gone:
            self.failed = (number, source, is_stated)

    @precondition(lambda self: self.source != "raw" or self.files.has_raw)
    @rule(
        number=stated_numbers,
        folder=st.sampled_from([None, "sample", *OWN]),
        between=st.sampled_from(BETWEEN),
    )
    def fail_and_retry(self, number: int | None, folder: str | None, between: str) -> None:
        self.edit_model("failing")
        self.build(number, folder)
        self.edit_model("plain")
        if between:
            getattr(self, between)()
        self.retry()

    @rule()
    def clean(self) -> None:
        clean(self.config())
        self.failed = None

    @precondition(lambda self: self.source != "raw" or self.files.has_raw)
    @rule(folder=st.sampled_from([None, "sample", *OWN]))
    def load(self, folder: str | None) -> None:
        source, is_stated = self.source_of(folder)
        done = load(self.config(**self.stated(None, folder)))
        self.source, self.is_stated = source, is_stated
        self.has_loaded = self.has_loaded or bool(done)

    @rule(model=st.sampled_from(sorted(EDITS)))
    def edit_model(self, model: str) -> None:
        (self.project / MODEL).write_text(self.plain.replace(*EDITS[model]), encoding="utf-8")
        self.files = replace(self.files, model=model)

    @rule(number=numbers)
    def edit_variable(self, number: int) -> None:
        path = self.project / "dbt_project.yml"
        text = path.read_text(encoding="utf-8")
        old, new = (f"min_genre_songs: {value}" for value in (self.files.number, number))
        path.write_text(text.replace(old, new), encoding="utf-8")
        self.files = replace(self.files, number=number)

    @rule()
    def edit_role(self) -> None:
        path = self.project / ROLES
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.files = replace(self.files, has_tempo=not self.files.has_tempo)
        for column in content["models"][0]["columns"]:
            if column["name"] == "bpm":
                column["config"]["meta"]["role"] = "feature" if self.files.has_tempo else "id"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    @rule(depth=st.sampled_from([0, 1, 2]))
    def edit_classifiers(self, depth: int) -> None:
        path = self.project / "classifiers.yml"
        path.unlink(missing_ok=True)
        if depth:
            path.write_text(TREE % depth, encoding="utf-8")
        self.files = replace(self.files, depth=depth)

    @rule(place=st.sampled_from([0, 1, 2]))
    def edit_songs(self, place: int) -> None:
        name = ("sample", *OWN)[place]
        songs = list(self.files.songs)
        songs[place] = 1 - songs[place]
        write_songs(self.raw(name), name, place + 10 * songs[place])
        self.files = replace(self.files, songs=tuple(songs))

    @rule()
    def put_or_remove_data_raw(self) -> None:
        if self.files.has_raw:
            shutil.rmtree(self.raw("raw"))
        else:
            self.raw("raw").mkdir()
            write_songs(self.raw("raw"), "raw", 7)
        self.files = replace(self.files, has_raw=not self.files.has_raw)

    @rule(name=st.sampled_from(CHOSEN))
    def use(self, name: str) -> None:
        if not self.is_there(name):
            with pytest.raises(GenredbError, match="no classifier"):
                use_classifier(self.config(), name)
            return
        use_classifier(self.config(), name)
        self.chosen = name

    def is_there(self, name: str) -> bool:
        return name != STATED or bool(self.files.depth)

    @rule(number=stated_numbers, name=st.sampled_from([None, *CHOSEN]))
    def train(self, number: int | None, name: str | None) -> None:
        self.accepts(number, lambda config: train(config, name=name), name)

    @rule(number=stated_numbers)
    def predict(self, number: int | None) -> None:
        if self.accepts(number, predict):
            with open_reader(self.config().database) as connection:
                assert find_stale(connection, self.project) is None
            assert not predict(self.config()).is_published

    @precondition(lambda self: not self.has_loaded)
    @rule()
    def remove(self) -> None:
        for one in list_classifiers(self.config())[:1]:
            remove_classifier(self.config(), one.classifier_id)

    def build_and_predict(self) -> None:
        self.build(None, None)
        self.predict(None)

    @rule(number=stated_numbers)
    def build_predict_and_export(self, number: int | None) -> None:
        if self.source != "raw" or self.files.has_raw:
            self.build(number, None)
            self.predict_and_export(None)

    @rule(number=stated_numbers)
    def predict_and_export(self, number: int | None) -> None:
        is_predicted = not self.has_loaded and self.is_there(self.chosen)
        if is_predicted:
            predict(self.config())
        self.export(number, is_predicted=is_predicted)

    @rule(number=stated_numbers, is_predicted=st.just(value=False))
    def export(self, number: int | None, *, is_predicted: bool) -> None:
        """It succeeds just where the files are those of the build, and is then what a fresh database gives."""
        path = self.folder / "submission.csv"
        path.unlink(missing_ok=True)
        try:
            export(self.config(**self.stated(number, None)), "submission", path)
        except GenredbError as error:
            event(f"export: refused, {str(error).partition(':')[0][:60]}")
            assert not path.exists()
            assert not (is_predicted and self.is_current(number))
        else:
            event("export: written")
            assert self.is_current(number)
            assert path.read_bytes() == self.fresh(number)

    def accepts(self, number: int | None, verb: Any, name: str | None = None) -> bool:
        """Ask a verb that reads the database; whether it agrees with what it is told."""
        is_right = not self.has_loaded and number in (None, self.number_built)
        is_right = is_right and self.is_there(name or self.chosen)
        try:
            verb(self.config(**self.stated(number, None)))
        except GenredbError:
            assert not is_right
            return False
        assert is_right
        return True

    @property
    def number_built(self) -> int:
        return self.stated_number or self.built.number

    def is_current(self, number: int | None) -> bool:
        """Whether the files and what is told say what was built, as far as it decides the submission."""
        if self.has_loaded or not self.can_be_built or number not in (None, self.number_built):
            return False
        if not self.is_there(self.chosen):
            return False
        return self.meaning(self.files, number) == self.meaning(self.built)

    def meaning(self, files: Files, number: int | None = None) -> object:
        """What files mean for the submission, with what is stated, else was for the build."""
        model = "plain" if files.model == "comment" else files.model
        source = self.source
        if not self.is_stated and files is self.files and files.has_raw:  # what is gone says nothing
            source = "raw"
        songs = files.songs[("sample", *OWN).index(source)] if source in {"sample", *OWN} else 0
        return model, files.has_tempo, number or self.stated_number or files.number, source, songs

    def fresh(self, number: int | None) -> bytes:
        """The submission of a fresh database, built with what is stated."""
        key = (
            self.meaning(self.files, number),
            self.chosen,
            self.files.depth if self.chosen == STATED else 0,
        )
        if key not in known:
            folder = self.source
            if folder == "raw":
                folder = "again"  # the same songs, for they may be gone
                self.raw(folder).mkdir(exist_ok=True)
                write_songs(self.raw(folder), "raw", 7)
            stated = self.stated(number or self.stated_number, folder)
            config = self.config(self.folder / "fresh.duckdb", **stated)
            assert build(config).exit_code == 0
            use_classifier(config, self.chosen)
            predict(config)
            path = self.folder / "fresh.csv"
            export(config, "submission", path)
            known[key] = path.read_bytes()
            path.unlink()
            config.database.unlink()
        return known[key]

    @invariant()
    def the_songs_are_of_one_source(self) -> None:
        config = self.config()
        titles = {title.split()[0] for (title,) in rows(config.database, "select title from raw.songs_train")}
        assert titles == {self.source}
        with open_reader(config.database) as connection:
            assert is_built_from_loads(connection) == (not self.has_loaded)
        assert rows(config.database, "select value from meta.built_with where setting = 'is_sample'") == [
            (str(self.source == "sample").lower(),)
        ]


@functools.cache
def start() -> Path:
    """Where each sequence starts: the project, built on its sample, beside two folders of one's own songs."""
    folder = Path(tempfile.mkdtemp(prefix="sequences-"))
    atexit.register(shutil.rmtree, folder)
    lay_out(folder / "project")
    for place, name in enumerate(("sample", *OWN)):
        raw_folder(folder, name).mkdir(parents=True)
        write_songs(raw_folder(folder, name), name, place)
    config = read_config(Settings(project_dir=folder / "project"))
    assert build(config).is_published
    use_classifier(config, "majority")
    return folder


def raw_folder(folder: Path, name: str) -> Path:
    """Where the songs of a name lie: in the project, or beside it."""
    data = folder / "project" / "data"
    return {"sample": data / "sample", "raw": data / "raw"}.get(name, folder / name)


def lay_out(project: Path) -> None:
    """Copy the songs project without the models and checks that decide no genre."""
    needless = shutil.ignore_patterns("tests", *(f"{name}.sql" for name in NEEDLESS))
    shutil.copytree(ROOT / "sql", project / "sql", ignore=needless)
    for path in project.rglob("sql/**/*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "models" in content:
            content["models"] = [one for one in content["models"] if one["name"] not in NEEDLESS]
        path.write_text(yaml.safe_dump(without_checks(content)), encoding="utf-8")
    shutil.copytree(ROOT / "data" / "seeds", project / "data" / "seeds")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, project)
    (project / "sql" / "tests").mkdir()


def without_checks(content: Any) -> Any:
    """Return what a properties file holds without its data tests."""
    if isinstance(content, dict):
        return {key: without_checks(value) for key, value in content.items() if key != "data_tests"}
    return [without_checks(one) for one in content] if isinstance(content, list) else content


def write_songs(folder: Path, name: str, number: int) -> None:
    """Write small raw files whose titles begin with a name and whose numbers differ by another."""
    write_raw(folder)
    for file in REAL_FILES:
        text = (folder / file).read_text(encoding="utf-8")
        for word in ("Song", "Asked", "Unlabelled"):
            text = text.replace(f",{word}", f",{name} {word}")
        artist = f"Artist {number % 4},"
        text = text.replace("Artist 3,", artist)
        (folder / file).write_text(text.replace(",1999,", f",{1950 + number},"), encoding="utf-8")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    known.clear()


TestSequences = Sequences.TestCase
TestSequences.settings = settings(
    max_examples=SEQUENCES,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a sequence takes seconds: shrinking takes an hour
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
