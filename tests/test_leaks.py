"""The leak guard: every form of leak is found, by lineage and by data, and nothing that is none."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from genredb.errors import ProjectErrors
from genredb.runner.execution.duckdb_executor import DuckDBExecutor
from genredb.runner.execution.leak_guard import LeakGuard
from genredb.runner.extension import PLAIN
from genredb.runner.flow.leaks import find_leaks
from genredb.runner.flow.lineage import Lineage
from genredb.runner.graph.compiler import Compilation, compile_project
from genredb.runner.planning.state import read_proof
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.runner.results import Proof
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import connect, open_reader
from tests.cases import case_names, read_case
from tests.conftest import Cli, check_golden, rows
from tests.project_files import compiled, write_project
from tests.verbs import build

SONGS = "song_key,artist,genre,pop,bpm\n" + "".join(
    f"k{i},artist {i % 9},{('rock', 'pop', '', 'disco')[i % 4]},{(i * 37) % 101},{90 + (i * 53) % 97}\n"
    for i in range(60)
)
YML = """
models:
  - name: train
    config: {meta: {row_filter: label}}
    columns:
      - {name: song_key, config: {meta: {role: id}}}
      - {name: genre, config: {meta: {role: label}}}
      - {name: bpm, config: {meta: {role: feature}}}
      - {name: x, config: {meta: {role: feature}}}
"""
BASE = {"seeds/songs.csv": SONGS, "models/train.yml": YML}
TRAIN = "select songs.song_key, songs.genre, songs.bpm, {x} as x from {{{{ ref('songs') }}}} as songs {rest} where songs.genre is not null"
LEAKS, NO_LEAKS, REFUSED = "leaks/found", "leaks/none", "leaks/refused"


def case(folder: str, form: str) -> dict[str, str]:
    """The files of a case, the songs and the roles of train's columns."""
    return {**BASE, **read_case(folder, form)}


def prove_on_data(compilation: Compilation, connection: Connection) -> Proof | None:
    """Run the leak guard's proof on data."""
    executor = DuckDBExecutor(connection)
    return LeakGuard(compilation, executor, PLAIN).prove_on_data(connection, executor)


def project(x: str, rest: str, models: Mapping[str, str]) -> dict[str, str]:
    """Files in which train has the feature x, joined to ``rest``."""
    train = TRAIN.format(x=x, rest=rest).replace("{{{{", "{{").replace("}}}}", "}}")
    return BASE | {f"models/{name}.sql": text for name, text in {**models, "train": train}.items()}


@pytest.mark.parametrize("form", case_names(REFUSED))
def test_what_is_refused_in_another_way(form: str, tmp_path: Path) -> None:
    """By another sentence than that of a leak, or for another column."""
    files = case(REFUSED, form)
    message = files.pop("message")
    with pytest.raises(ProjectErrors, match=message):
        build(write_project(tmp_path, files))


def test_the_refusal_of_counts_names_the_relation_that_may_be_counted(tmp_path: Path) -> None:
    counts = "left join {{ ref('counts') }} as counts on songs.artist = counts.artist"
    models = {
        "plain": "select song_key, artist, genre from {{ ref('songs') }}",
        "known": "select plain.* from {{ ref('plain') }} as plain inner join {{ ref('names') }} using (genre)",
        "names": "select distinct genre from {{ ref('songs') }}",
        "counts": "select artist, count(*) as n from {{ ref('known') }} group by artist",
    }
    with pytest.raises(ProjectErrors, match="; no label decides which rows plain has: count these"):
        build(write_project(tmp_path, project("counts.n", counts, models)))


def test_labels_made_by_a_mapping_are_labels_too(tmp_path: Path) -> None:
    files = case(LEAKS, "the_value_itself")
    files["models/info.sql"] = (
        "select * from (values ('rock', 1), ('pop', 2), ('disco', 3)) as info (genre, weight)"
    )
    files["models/train.sql"] = (
        "select songs.song_key, info.weight as genre, songs.bpm, length(songs.genre) as x from {{ ref('songs') }} as songs "
        "inner join {{ ref('info') }} as info on songs.genre = info.genre"
    )
    with pytest.raises(ProjectErrors, match="the feature x of train depends on a label"):
        build(write_project(tmp_path, files))


def test_hooks_that_change_what_features_are_made_of_are_refused(tmp_path: Path) -> None:
    files = project("songs.pop", "", {})
    files["models/other.sql"] = (
        '{{ config(post_hook="update songs set pop = coalesce(length(genre), 0)") }} select 1 as one'
    )
    with pytest.raises(ProjectErrors, match="models/other.sql: .* a hook may change songs"):
        build(write_project(tmp_path, files))


def test_what_changes_by_itself_is_not_called_a_leak(tmp_path: Path) -> None:
    files = project("random()", "", {})
    with pytest.raises(ProjectErrors, match="features differ each time"):
        build(write_project(tmp_path, files))
    # The same number of rows differs each time where no label filters them.
    files["models/train.sql"] = files["models/train.sql"].replace(" where songs.genre is not null", "")
    with pytest.raises(ProjectErrors, match="features differ each time"):
        build(write_project(tmp_path, files))


def test_an_id_that_stands_twice_is_not_called_a_leak(tmp_path: Path) -> None:
    files = project("songs.pop", "", {})
    files["seeds/songs.csv"] += "k1,artist 1,rock,3,100\n"
    with pytest.raises(ProjectErrors, match="several rows of train have the same song_key"):
        build(write_project(tmp_path, files))


@pytest.mark.parametrize("form", case_names(LEAKS))
def test_lineage_finds_the_leak_and_the_build_fails(form: str, tmp_path: Path) -> None:
    config = write_project(tmp_path, case(LEAKS, form))
    with pytest.raises(ProjectErrors) as raised:
        build(config)
    assert len(raised.value.errors) == 1, "bpm does not leak"
    assert "the feature x of train depends on a label: train.x ← " in str(raised.value)
    assert ".genre" in str(raised.value)
    assert not config.database.exists()


@pytest.mark.parametrize("form", case_names(LEAKS))
def test_permuted_labels_find_the_leak_by_themselves(form: str, tmp_path: Path) -> None:
    files = case(LEAKS, form)
    built = build(write_project(tmp_path, {**files, "models/train.yml": ""}))
    assert built.exit_code == 0, built
    compilation = compiled(tmp_path, files)
    with closing(connect(tmp_path / "small.duckdb")) as connection:
        with pytest.raises(ProjectErrors) as raised:
            prove_on_data(compilation, connection)
        assert len(raised.value.errors) == 1
        assert "the feature x of train depends on a label: with the labels permuted" in str(raised.value)
        assert connection.rows("select current_database()") == [("small",)]


@pytest.mark.parametrize("form", case_names(NO_LEAKS))
def test_what_does_not_leak_is_built(form: str, tmp_path: Path) -> None:
    config = write_project(tmp_path, case(NO_LEAKS, form))
    assert build(config).is_published
    assert len(rows(config.database, "from train")) == 45


def test_a_row_filter_by_label_is_to_be_declared(tmp_path: Path) -> None:
    files = project("songs.pop", "", {})
    undeclared = YML.replace("    config: {meta: {row_filter: label}}\n", "")
    with pytest.raises(ProjectErrors, match="which rows train has depends on a label.*row_filter: label"):
        build(write_project(tmp_path, {**files, "models/train.yml": undeclared}))
    with closing(connect(tmp_path / "small.duckdb")) as connection:
        connection.execute("create table songs as from read_csv(?)", [str(tmp_path / "seeds" / "songs.csv")])
        with pytest.raises(ProjectErrors, match="permuted, they differ"):
            prove_on_data(compiled(tmp_path, {**files, "models/train.yml": undeclared}), connection)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("pivot {{ ref('songs') }} on artist using avg(pop) group by song_key", "PIVOT"),
        ("select *, pop as y from read_csv('songs.csv')", "it reads by read_csv"),
        (
            "{% set y = run_query('select 1 as y') %} select song_key, 1 as y from {{ ref('songs') }}",
            "it calls run_query",
        ),
    ],
)
def test_what_cannot_be_read_cannot_be_proved(model: str, reason: str, tmp_path: Path) -> None:
    files = project(
        "odd.y",
        "left join {{ ref('odd') }} as odd on songs.song_key = odd.song_key",
        {"odd": model},
    )
    with pytest.raises(ProjectErrors, match="cannot rule out") as raised:
        build(write_project(tmp_path, {**files, "songs.csv": SONGS}))
    assert reason in str(raised.value)


def test_a_macro_that_hides_a_query_cannot_be_proved(tmp_path: Path) -> None:
    files = project("mean_of(songs.song_key)", "", {})
    start = 'on-run-start: "create or replace macro mean_of(k) as k"\n'
    files["dbt_project.yml"] = "name: small\nversion: '1'\nprofile: small\n" + start
    with pytest.raises(ProjectErrors, match=r"calls the macro mean_of\(\)"):
        build(write_project(tmp_path, files))


def test_a_role_that_changes_is_proved_anew(tmp_path: Path) -> None:
    files = project("length(songs.genre)", "", {})
    harmless = YML.replace("name: x, config: {meta: {role: feature}}", "name: x")
    config = write_project(tmp_path, {**files, "models/train.yml": harmless})
    assert build(config).is_published
    write_project(tmp_path, files)
    with pytest.raises(ProjectErrors, match="the feature x of train depends on a label"):
        build(config)


def test_predictions_are_no_features(tmp_path: Path) -> None:
    """What a classifier learned from labels leads back to them."""
    files = project(
        "guesses.guess",
        "left join {{ source('ml', 'guesses') }} as guesses on songs.song_key = guesses.song_key",
        {},
    )
    sources = "sources: [{name: ml, schema: other, tables: [{name: guesses, columns: [{name: song_key}, {name: guess, config: {meta: {learned_from: [labelled]}}}]}]}]\n"
    labelled = "models: [{name: labelled, columns: [{name: genre, config: {meta: {role: label}}}]}]\n"
    compilation = compiled(
        tmp_path,
        {
            **files,
            "models/s.yml": sources,
            "models/l.yml": labelled,
            "models/labelled.sql": "select genre from {{ ref('songs') }}",
        },
    )
    assert [*map(str, find_leaks(Lineage(compilation)))] == [
        "models/train.sql: the feature x of train depends on a label: train.x ← other.guesses.guess ← labelled.genre (classifier)."
    ]


def test_the_messages_of_leaks(cli: Cli, tmp_path: Path) -> None:
    for name, form in (
        ("join", "target_mean_by_join"),
        ("union", "which_half_of_a_union"),
        ("away", "two_models_away"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        write_project(folder, case(LEAKS, form))
    ran = [cli("build", cwd=tmp_path / name) for name in ("join", "union", "away")]
    assert [r.code for r in ran] == [3, 3, 3]
    check_golden("leaks.txt", "".join(r.err for r in ran))


def test_this_projects_features_are_free_of_labels(config: Config) -> None:
    assert build(config).is_published
    views = ("song_features", "train", "train_common", "predict")
    with open_reader(config.database) as connection:
        proof = prove_on_data(compile_project(read_project(config)), connection)
    assert proof is not None
    assert {view.name for view in proof.views} == {f"features.{name}" for name in views}
    assert [len(view.features) for view in proof.views] == [11] * len(views)
    assert {"raw.songs_train.top_genre", "seeds.genre_groups.genre_group"} <= set(proof.labels)


def test_the_database_keeps_what_was_proved_until_it_is_proved_anew(tmp_path: Path) -> None:
    """A build that needs no proof keeps the last one; a build that proves replaces it."""
    proofs = []
    for x in ("songs.pop", "songs.pop", "songs.pop + 1"):
        config = write_project(tmp_path, project(x, "", {}))
        assert not build(config).exit_code
        with open_reader(config.database) as connection:
            proofs.append(read_proof(connection))
    first, second, third = proofs
    assert first == second
    assert first
    assert third
    assert first.run_id < third.run_id
    [view] = first.views
    assert (view.name, view.features, view.is_filtered_by_label) == ("main.train", ("bpm", "x"), True)
    assert 0 < view.rows < 45  # of the labelled songs, those that are labelled with permuted labels, too
    assert third.views == first.views
    assert first.labels == ("main.songs.genre",)
