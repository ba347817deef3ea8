"""A database knows what it was built with, and the commands that read it go by that."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from genredb.ask.export import export
from genredb.doctor import examine
from genredb.errors import InputError, UsageError
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.test import test as run_checks
from genredb.songs.classifiers import use_classifier
from genredb.songs.evaluate import evaluate
from genredb.songs.explain import explain
from genredb.songs.predict import predict
from genredb.songs.train import train
from genredb.songs.unbuilt import read_unbuilt
from genredb.version import LAYOUT
from tests.conftest import REAL_FILES, ROOT, Cli, Shared, rows, write_raw
from tests.project_files import write_project
from tests.verbs import build, list_classifiers, load

Settled = Callable[..., Config]
STAGING = "sql/models/staging/stg_songs.sql"
FEATURES = "sql/models/features/features.yml"


def lay_out(folder: Path) -> Path:
    """Copy the songs project to a folder of its own, with a small sample and small songs of one's own."""
    project = folder / "project"
    shutil.copytree(ROOT / "sql", project / "sql")
    shutil.copytree(ROOT / "data" / "seeds", project / "data" / "seeds")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, project)
    for raw in (project / "data" / "sample", folder / "own"):
        raw.mkdir(parents=True)
        write_raw(raw)
    edit(folder / "own" / "CS98XClassificationTrain.csv", "Song 1,", "Song of my own,")
    return project


@pytest.fixture(scope="module")
def laid_out(shared: Shared) -> Path:
    """A folder with the project and one's own songs beside it, built from the sample; not to be changed."""
    return shared("laid-out", lambda folder: build(read_config(Settings(project_dir=lay_out(folder)))))


@pytest.fixture
def settled(laid_out: Path, tmp_path: Path) -> Settled:
    """Settle the configuration of a project of its own, which was built from the sample."""
    shutil.copytree(laid_out, tmp_path, dirs_exist_ok=True)
    project = tmp_path / "project"

    def settle(**stated: Any) -> Config:
        return read_config(Settings(project_dir=project, **stated))

    return settle


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def kept(config: Config) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in rows(config.database, "from meta.built_with")}


def is_own(config: Config) -> bool:
    return rows(config.database, "select count(*) from songs where title = 'Song of my own'") == [(1,)]


@pytest.mark.slow
def test_songs_of_ones_own_are_not_called_synthetic_after_the_sample(
    settled: Settled, tmp_path: Path
) -> None:
    """The sample lacks optional files, and so may the real ones: that says nothing of either."""
    build(settled())
    assert train(settled(), name="majority").is_sample
    shutil.copytree(tmp_path / "own", settled().root / "data" / "raw")
    build(settled())
    assert not train(settled(), name="majority").is_sample
    assert not export(settled(), "songs", tmp_path / "songs.csv").is_sample
    assert not kept(settled())["is_sample"]


@pytest.mark.slow
def test_a_build_takes_the_folder_it_was_built_from_and_the_sample_only_if_asked(
    settled: Settled, tmp_path: Path
) -> None:
    build(settled(raw_dir=tmp_path / "own"))
    assert not build(settled()).is_published
    load(settled())
    assert is_own(settled())
    (tmp_path / "own").rename(tmp_path / "elsewhere")
    for verb in (build, load):
        with pytest.raises(
            UsageError, match="was built from your own songs, whose folder .*own no longer exists"
        ):
            verb(settled())
    load(settled(raw_dir=tmp_path / "elsewhere"))  # the same bytes: what was built from them stays
    assert train(settled(), name="majority").songs == 12
    build(settled())
    assert is_own(settled())
    build(settled(uses_sample=True))
    assert not is_own(settled())
    build(settled())  # from the sample again, which there is nothing to ask about
    assert not is_own(settled())


def test_a_build_after_an_upgrade_renews_the_tables_of_genredb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands refuse a database of another layout until `build`, which must not find it up to date."""
    config = write_project(tmp_path, {"models/m.sql": "select 1 as x"})
    for module in ("genredb.runner.planning.receipt", "genredb.runner.planning.state"):
        monkeypatch.setattr(f"{module}.LAYOUT", "older")
    monkeypatch.setattr("genredb.warehouse.tables.LAYOUT", "older")
    build(config)
    monkeypatch.undo()
    assert build(config).is_published
    assert rows(config.database, "select value from meta.state where key = 'layout'") == [(LAYOUT,)]
    assert not build(config).is_published


def test_what_an_upgrade_discards_is_named(cli: Cli, built: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(built, tmp_path / "copy")
    with duckdb.connect(str(folder / "genre.duckdb")) as connection:
        connection.execute("update meta.state set value = 'another' where key = 'layout'")
    done = cli("build", "-q", cwd=folder)
    assert done.code == 0
    assert done.err == (
        "warning: Another version of genredb built this database; what it stored is discarded: "
        "ml.predictions (4 rows); run the commands again that stored it.\n"
    )
    assert "discarded" not in cli("build", "-q", cwd=folder).err


@pytest.mark.slow
def test_songs_of_ones_own_stay_when_genredb_is_upgraded(settled: Settled, tmp_path: Path) -> None:
    """Another version's memory is built anew, but whose songs these are is heeded."""
    build(settled(raw_dir=tmp_path / "own"))
    with duckdb.connect(str(settled().database)) as connection:
        connection.execute("update meta.state set value = 'another' where key = 'layout'")
        connection.execute("insert into meta.built_with values ('of_another_version', '1')")
    assert read_unbuilt(settled()) is not None
    assert build(settled()).is_published
    assert is_own(settled())


@pytest.mark.slow
def test_a_folder_that_was_named_counts_for_reading_though_there_is_data_raw(
    settled: Settled, tmp_path: Path
) -> None:
    shutil.copytree(settled().root / "data" / "sample", settled().root / "data" / "raw")
    build(settled(raw_dir=tmp_path / "own"))
    assert read_unbuilt(settled()) is None
    build(settled())
    edit(settled().root / "data" / "raw" / REAL_FILES[1], "1999,115", "1999,116")
    assert f"{REAL_FILES[1]} changed" in str(read_unbuilt(settled()))


@pytest.mark.slow
@pytest.mark.usefixtures("quick_forests")
def test_what_was_stated_for_the_build_holds_for_the_commands_after_it(
    settled: Settled, tmp_path: Path
) -> None:
    """Variables stated once decide what is learned, and which classifier it is."""
    build(settled())
    use_classifier(settled(), "artist_forest")
    first = predict(settled()).classifier_id
    build(settled(vars={"min_genre_songs": 5}))
    second = predict(settled())
    assert second.classifier_id != first
    assert str(second.stale_reason) == f"Classifier {first} was fitted with min_genre_songs 3, now 5"
    assert [one.is_current for one in list_classifiers(settled())] == [True, False]
    export(settled(), "submission", tmp_path / "five.csv")
    edit(settled().root / "dbt_project.yml", "min_genre_songs: 3", "min_genre_songs: 5")
    settled().database.unlink()
    build(settled())
    use_classifier(settled(), "artist_forest")
    assert predict(settled()).classifier_id == second.classifier_id
    export(settled(), "submission", tmp_path / "fresh.csv")
    assert (tmp_path / "five.csv").read_bytes() == (tmp_path / "fresh.csv").read_bytes()
    assert kept(settled())["vars"]["min_genre_songs"] == 5


def test_what_is_stated_otherwise_is_refused_in_a_sentence(settled: Settled, tmp_path: Path) -> None:
    build(settled())
    other = settled(vars={"min_genre_songs": 5})
    elsewhere = settled(raw_dir=tmp_path / "own")
    for config, message in (
        (
            other,
            r"--vars sets min_genre_songs: 5, but genre.duckdb was built with min_genre_songs: 3; leave",
        ),
        (elsewhere, r"was built from .*sample, not from .*own; leave out --raw-dir"),
    ):
        for verb in (
            predict,
            lambda config: evaluate(config, ["majority"], "seed"),
            lambda config: explain(config, "14"),
            lambda config: export(config, "songs", tmp_path / "songs.csv"),
        ):
            with pytest.raises(UsageError, match=message):
                verb(config)
    agreeing = settled(vars={"min_genre_songs": 3}, raw_dir=settled().raw_dir, target="dev")
    assert export(agreeing, "songs", tmp_path / "songs.csv").rows == 16


@pytest.mark.slow
def test_the_target_of_the_build_holds_for_the_commands_after_it(submitted: Config, tmp_path: Path) -> None:
    """One database file may be built for either target; what reads it takes the one it was built for."""
    (tmp_path / "profiles.yml").write_text(
        "genredb:\n  target: dev\n  outputs:\n"
        "    dev: {type: duckdb, path: x.duckdb}\n    prod: {type: duckdb, path: x.duckdb}\n",
        encoding="utf-8",
    )
    stated = Settings(submitted.root, profiles_dir=tmp_path, database=tmp_path / "x.duckdb")
    build(read_config(replace(stated, target="prod")))
    assert kept(read_config(stated))["target"] == "prod"
    assert read_unbuilt(read_config(stated)) is None
    assert train(read_config(stated), name="majority").songs == 12
    with pytest.raises(UsageError, match="x.duckdb was built for the target 'prod', not 'dev'; leave out"):
        train(read_config(replace(stated, target="dev")), name="majority")


@pytest.mark.slow
def test_an_id_covers_the_features_and_the_parameters_and_not_what_decides_nothing(settled: Settled) -> None:
    build(settled())
    first = train(settled(), name="logistic").classifier_id
    models = settled().root / "sql" / "models" / "features"
    edit(models / "train_common.sql", "where genres.is_common", "where genres.is_common and train.id > 1")
    build(settled())
    assert train(settled(), name="logistic").classifier_id == first
    bpm = "Tempo, beats per minute.\n        config: {meta: {role: feature}}"
    edit(models / "features.yml", bpm, "Tempo, beats per minute.")
    build(settled())
    second = train(settled(), name="logistic").classifier_id
    assert second != first
    ((names,),) = rows(
        settled().database,
        "select manifest ->> 'feature_names' from ml.classifiers order by fitted_at desc limit 1",
    )
    assert "bpm" not in json.loads(names)


def test_a_database_is_read_as_it_was_built_whatever_the_project_says_by_now(settled: Settled) -> None:
    """While files are edited, predictions are those of the last build, and no internal error."""
    build(settled())
    use_classifier(settled(), "majority")
    first = predict(settled())
    (settled().root / "sql" / "models" / "features" / "features.yml").write_text(
        "models: [", encoding="utf-8"
    )
    assert predict(settled()).classifier_id == first.classifier_id
    assert explain(settled(), "14")


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The songs project in a folder of its own, built and predicted from songs in data/raw."""
    folder = tmp_path_factory.mktemp("submitted")
    project = lay_out(folder)
    shutil.copytree(folder / "own", project / "data" / "raw")
    config = read_config(Settings(project_dir=project))
    build(config)
    use_classifier(config, "majority")
    predict(config)
    return config


@pytest.mark.parametrize(
    ("name", "edited", "change"),
    [
        ("dbt_project.yml", ("min_genre_songs: 3", "min_genre_songs: 5"), "min_genre_songs changed"),
        (STAGING, ("with\n", "with one as (select 1),\n"), "staging.stg_songs changed"),
        (FEATURES, ("role: feature", "role: id"), "the roles of feature columns changed"),
        (FEATURES, ("models:", "models: ["), "the project can no longer be built"),
        (f"data/raw/{REAL_FILES[1]}", ("1999,115", "1999,116"), f"{REAL_FILES[1]} changed"),
        (STAGING, ("with\n", "-- a comment\nwith\n"), ""),
        ("sql/models/marts/numeric_summary.sql", ("with\n", "with one as (select 1),\n"), ""),
    ],
)
def test_a_submission_of_what_the_project_no_longer_says_is_refused(
    submitted: Config, tmp_path: Path, name: str, edited: tuple[str, str], change: str
) -> None:
    path = submitted.root / name
    text = path.read_text(encoding="utf-8")
    edit(path, *edited)
    try:
        if change:
            with pytest.raises(
                InputError, match=f"since genre.duckdb was built, {change}.*; run `genredb build &&"
            ):
                export(submitted, "submission", tmp_path / "submission.csv")
            assert change in str(read_unbuilt(submitted))
        else:
            assert export(submitted, "submission", tmp_path / "submission.csv").rows == 3
    finally:
        path.write_text(text, encoding="utf-8")


def test_raw_files_that_are_gone_say_nothing_but_what_else_changed_still_counts(
    submitted: Config, tmp_path: Path
) -> None:
    path, raw = submitted.root / STAGING, submitted.root / "data" / "raw"
    text = path.read_text(encoding="utf-8")
    for gone in (raw, raw / REAL_FILES[0]):
        gone.rename(tmp_path / "away")
        try:
            assert export(submitted, "submission", tmp_path / "submission.csv").rows == 3
            edit(path, "with\n", "with one as (select 1),\n")
            with pytest.raises(InputError, match=r"staging.stg_songs changed"):
                export(submitted, "submission", tmp_path / "submission.csv")
        finally:
            path.write_text(text, encoding="utf-8")
            (tmp_path / "away").rename(gone)


@pytest.mark.slow
def test_checks_and_doctor_go_by_what_was_built(submitted: Config, tmp_path: Path) -> None:
    database = tmp_path / "other.duckdb"
    stated = Settings(project_dir=submitted.root, database=database)
    build(read_config(replace(stated, vars={"baselines": True})))
    assert any("neighbor" in one.node.name for one in run_checks(read_config(stated)).results)
    found = {finding.about: finding for finding in examine(stated)}
    assert found["settings"].text == "built for the target 'dev' with --vars 'baselines: True' from data/raw"
    assert (found["relations"].level, found["relations"].text) == (
        "ok",
        "all match the project and the raw files",
    )
    told = {finding.about: finding.text for finding in examine(replace(stated, vars={"baselines": False}))}
    assert told["settings"] == "--vars sets baselines: false, but other.duckdb was built with baselines: true"
