"""Exports: a submission is valid or is not written; other relations keep their values."""

import csv
import json
import os
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from genredb.ask.export import export
from genredb.errors import InputError, UsageError
from genredb.runner.project.config import Config
from genredb.songs.classifiers import use_classifier
from genredb.songs.predict import predict
from genredb.spark.snapshots import warehouse_of
from tests.conftest import REAL_FILES, TRAIN_HEADER, Cli, changed, song
from tests.verbs import build, load


@pytest.fixture
def ready(predicted: Config, tmp_path: Path) -> Config:
    """A copy of the predicted database that a test may change."""
    return changed(predicted, tmp_path, "select 1")


def test_a_submission_has_header_ids_and_labels(ready: Config, tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    result = export(ready, "submission", path)
    header, *lines = path.read_text().splitlines()
    assert header == "Id,top genre"
    assert [line.split(",")[0] for line in lines] == ["14", "15", "16"]
    assert all(line.split(",")[1] for line in lines)
    assert (result.rows, result.is_sample) == (3, False)


def test_a_label_is_never_altered(config: Config, raw_dir: Path, tmp_path: Path) -> None:
    train = raw_dir / REAL_FILES[0]
    train.write_text(train.read_text().replace("disco", "=disco"))
    build(config)
    predict(config)
    export(config, "submission", tmp_path / "submission.csv")
    assert "14,=disco" in (tmp_path / "submission.csv").read_text()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "delete from ml.predictions where song_key = 'test:15'",
            "1 of 4 songs without a genre have no prediction",
        ),
        ("delete from ml.predictions", "4 of 4 songs without a genre have no prediction"),
        (
            "update ml.predictions set genre = ' ' where song_key = 'test:15'",
            r"1 songs .* \(the first is Id 15\)",
        ),
        ("update ml.predictions set genre = 'polka'", "'polka' is predicted but occurs in no labelled song"),
        ("update songs set bpm = 1 where id = 1", "fitted on other training data"),
        ("update songs set bpm = 1 where id = 15", "before the songs to predict or the settings changed"),
        (
            "insert into raw.quarantine values ('raw.songs_test', 'x.csv', 5, 'bpm: ''x'' is not an integer', 'x')",
            r"1 row.s. of the test file are quarantined.*\(line 5: bpm: 'x' is not an integer\); fix the file",
        ),
        ("insert into raw.songs_test (id) values (99)", "are not those of the"),
        ("delete from songs where id = 16", "before the songs to predict or the settings changed"),
    ],
)
def test_an_invalid_submission_is_not_written(
    ready: Config, tmp_path: Path, statement: str, message: str
) -> None:
    path = tmp_path / "submission.csv"
    path.write_text("what was there before")
    with duckdb.connect(str(ready.database)) as connection:
        connection.execute(statement)
        connection.execute("checkpoint")
    with pytest.raises(InputError, match=message) as error:
        export(ready, "submission", path, is_forced=True)
    assert "genredb" in str(error.value)
    assert path.read_text() == "what was there before"
    assert not list(tmp_path.glob(".*part*"))


def test_an_export_before_any_prediction_says_predict(config: Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run `genredb build` first"):
        export(config, "submission", tmp_path / "s.csv")
    build(config)
    with pytest.raises(InputError, match="run `genredb predict`"):
        export(config, "submission", tmp_path / "s.csv")


def test_a_quarantined_test_row_makes_the_export_fail(config: Config, raw_dir: Path, tmp_path: Path) -> None:
    with (raw_dir / REAL_FILES[1]).open("a") as file:
        file.write("17,Asked 17,Artist 6,1999,fast,1,1,-1,1,1,1,1,1,1\n")
    build(config)
    use_classifier(config, "majority")
    predict(config)
    with pytest.raises(InputError, match=r"line 5: bpm: 'fast' is not an integer"):
        export(config, "submission", tmp_path / "s.csv")


def test_what_is_no_file_to_write_is_refused(ready: Config, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/null")):
        with pytest.raises(UsageError, match="is not a regular file"):
            export(ready, "songs", path, "csv")
    snapshot = warehouse_of(ready.database) / "snap-1"
    snapshot.mkdir(parents=True)
    lock = ready.database.with_name(ready.database.name + ".lock")
    for path in (ready.database, lock, snapshot.parent / "CURRENT", snapshot / "manifest.json"):
        with pytest.raises(UsageError, match="is the database or belongs to it"):
            export(ready, "songs", path, "csv")
    target = tmp_path / "target.csv"
    (tmp_path / "link.csv").symlink_to(target)
    export(ready, "genres", tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert target.read_text().startswith("genre,")


@pytest.mark.slow
def test_raw_files_that_were_only_loaded_stop_predictions_and_exports(
    built_config: Config, raw_dir: Path, tmp_path: Path
) -> None:
    use_classifier(built_config, "majority")
    predict(built_config)
    train = raw_dir / REAL_FILES[0]
    train.write_text(train.read_text().replace("album rock", "polka"))
    load(built_config)
    for verb in (
        lambda: predict(built_config),
        lambda: export(built_config, "submission", tmp_path / "s.csv"),
    ):
        with pytest.raises(
            UsageError,
            match="Some models are older than the loaded raw files; run `genredb build`",
        ):
            verb()
    assert build(built_config).forgotten == {"ml.predictions": 4}
    predict(built_config)
    export(built_config, "submission", tmp_path / "s.csv")


def test_a_submission_in_any_format_is_proved(ready: Config, tmp_path: Path) -> None:
    with duckdb.connect(str(ready.database)) as connection:
        connection.execute("insert into ml.predictions from ml.predictions where song_key = 'test:15'")
    for name in ("s.csv", "s.json", "s.parquet"):
        with pytest.raises(InputError, match="4 Ids of the submission are not those of the 3 songs"):
            export(ready, "submission", tmp_path / name)


def test_other_relations_go_to_csv_parquet_and_json(ready: Config, tmp_path: Path) -> None:
    with duckdb.connect(str(ready.database)) as connection:
        connection.execute("update songs set title = '=1+1' where id = 1")
        connection.execute("update songs set title = 'a, \"b\"\nc' where id = 2")
    for name, raw in (("guarded.csv", False), ("raw.csv", True)):
        assert export(ready, "songs", tmp_path / name, raw=raw).rows == 16
    with (tmp_path / "guarded.csv").open(newline="") as file:
        titles = {row["id"]: row["title"] for row in csv.DictReader(file)}
    assert (titles["1"], titles["2"]) == ("'=1+1", 'a, "b"\nc')
    with (tmp_path / "raw.csv").open(newline="") as file:
        assert {row["id"]: row["title"] for row in csv.DictReader(file)}["1"] == "=1+1"
    export(ready, "features.train", tmp_path / "train.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "train.parquet").num_rows == 12
    export(ready, "predictions", tmp_path / "out", "json")
    found = json.loads((tmp_path / "out").read_text())
    assert {row["song_key"] for row in found} == {"train:13", "test:14", "test:15", "test:16"}


def test_names_formats_and_folders_that_do_not_exist(ready: Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no table or view 'song'. Did you mean 'songs'?"):
        export(ready, "song", tmp_path / "x.csv")
    with pytest.raises(UsageError, match="There is no format 'xlsx'"):
        export(ready, "songs", tmp_path / "x.xlsx")
    with pytest.raises(UsageError, match="does not exist; create it first"):
        export(ready, "songs", tmp_path / "no" / "x.csv")


@pytest.mark.parametrize("name", ["it's.csv", "a b*.csv", "[x].csv", "$(x).csv"])
def test_a_file_name_is_only_a_name(ready: Config, tmp_path: Path, name: str) -> None:
    export(ready, "genres", tmp_path / name)
    assert (tmp_path / name).read_text().startswith("genre,")


def test_a_submission_learned_from_further_songs_is_written_with_a_warning(
    config: Config, raw_dir: Path, cli: Cli
) -> None:
    """The competition forbids songs beyond its own."""
    extra = f"{TRAIN_HEADER}\n1,Another,Artist 9,1990,{song(20)},disco\n"
    (raw_dir / "songs_extra.csv").write_text(extra, encoding="utf-8")
    build(config)
    use_classifier(config, "majority")
    predict(config)
    done = cli("export", "-o", "submission.csv", cwd=raw_dir.parent)
    assert "warning: The training data includes 1 labelled song from outside the competition" in done.err
    done = cli("export", "ml.chosen", "-o", "chosen.csv", cwd=raw_dir.parent)
    assert done.err == "Wrote 1 row of ml.chosen to chosen.csv.\n"
