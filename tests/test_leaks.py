"""The leak guard: every form of leak is found, by lineage and by data, and nothing that is none."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from genredb.build.leak_guard import LeakGuard
from genredb.build.run import build
from genredb.compile.compiler import compile_project
from genredb.compile.leaks import find_leaks
from genredb.compile.lineage import Lineage
from genredb.errors import ProjectErrors
from genredb.project.config import Config
from genredb.project.discover import read_project
from tests.conftest import Cli, check_golden, rows
from tests.project_files import compiled, write_project

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
TRAIN = "select songs.song_key, songs.genre, songs.bpm, {x} as x from {{{{ ref('songs') }}}} as songs {rest} where songs.genre is not null"

# Each form of leak: the expression of the feature x, what is joined, further models.
LEAKS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "the value itself": ("length(songs.genre)", "", {}),
    "case": ("case when songs.genre = 'rock' then songs.pop else 0 end", "", {}),
    "target mean by join": (
        "means.mean_pop",
        "left join {{ ref('means') }} as means on songs.genre = means.genre",
        {"means": "select genre, avg(pop) as mean_pop from {{ ref('songs') }} group by genre"},
    ),
    "target mean by using": (
        "mean_pop",
        "left join {{ ref('means') }} using (genre)",
        {"means": "select genre, avg(pop) as mean_pop from {{ ref('songs') }} group by genre"},
    ),
    "correlated subquery": (
        "(select avg(others.pop) from {{ ref('songs') }} as others where others.genre = songs.genre)",
        "",
        {},
    ),
    "exists": (
        "exists (select 1 from {{ ref('songs') }} as others where others.genre = songs.genre and others.song_key = 'k4')",
        "",
        {},
    ),
    "window": ("avg(songs.pop) over (partition by songs.genre)", "", {}),
    "window over filtered rows": ("count(*) over (partition by songs.artist)", "", {}),
    "rank in the order of labels": ("row_number() over (order by songs.genre, songs.song_key)", "", {}),
    "artist statistics over labelled rows": (
        "coalesce(artists.n, 0)",
        "left join {{ ref('artists') }} as artists on songs.artist = artists.artist",
        {
            "artists": "select artist, count(*) as n from {{ ref('songs') }} where genre is not null group by artist"
        },
    ),
    "which half of a union": (
        "halves.is_rock",
        "inner join {{ ref('halves') }} as halves on songs.song_key = halves.song_key",
        {
            "halves": "select song_key, 1 as is_rock from {{ ref('songs') }} where genre = 'rock' "
            "union all select song_key, 0 from {{ ref('songs') }} where genre is distinct from 'rock'"
        },
    ),
    "a match that is missing": (
        "(rocks.song_key is null)::int",
        "left join {{ ref('rocks') }} as rocks on songs.song_key = rocks.song_key",
        {"rocks": "select song_key from {{ ref('songs') }} where genre = 'rock'"},
    ),
    "two models away": (
        "artists.share",
        "left join {{ ref('artists') }} as artists on songs.artist = artists.artist",
        {
            "flags": "select artist, (genre = 'rock')::int as flag from {{ ref('songs') }}",
            "artists": "select artist, avg(flag) as share from {{ ref('flags') }} group by artist",
        },
    ),
    "through an ephemeral model": (
        "means.mean_pop",
        "left join {{ ref('means') }} as means on songs.genre = means.genre",
        {
            "means": "{{ config(materialized='ephemeral') }} "
            "select genre, avg(pop) as mean_pop from {{ ref('songs') }} group by genre"
        },
    ),
}
NO_LEAKS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "a column": ("songs.pop", "", {}),
    "an artist's statistics over all rows": (
        "artists.n",
        "left join {{ ref('artists') }} as artists on songs.artist = artists.artist",
        {"artists": "select artist, count(*) as n from {{ ref('songs') }} group by artist"},
    ),
    "a constant": ("1", "", {}),
    "a filter by a semi join": (
        "songs.pop",
        "semi join (select genre from {{ ref('songs') }} group by genre having count(*) > 2) as common "
        "on songs.genre = common.genre",
        {},
    ),
}


def project(folder: Path, x: str, rest: str, models: Mapping[str, str], yml: str = YML) -> dict[str, str]:
    train = TRAIN.format(x=x, rest=rest).replace("{{{{", "{{").replace("}}}}", "}}")
    texts = {f"models/{name}.sql": text for name, text in {**models, "train": train}.items()}
    return {"seeds/songs.csv": SONGS, "models/train.yml": yml, **texts}


@pytest.mark.parametrize("form", LEAKS)
def test_lineage_finds_the_leak_and_the_build_fails(form: str, tmp_path: Path) -> None:
    config = write_project(tmp_path, project(tmp_path, *LEAKS[form]))
    with pytest.raises(ProjectErrors) as raised:
        build(config)
    assert len(raised.value.errors) == 1, "bpm does not leak"
    assert "the feature x of train depends on a label: train.x ← " in str(raised.value)
    assert str(raised.value).endswith("songs.genre.") or "songs.genre (" in str(raised.value)
    assert not config.database.exists()


@pytest.mark.parametrize("form", LEAKS)
def test_permuted_labels_find_the_leak_by_themselves(form: str, tmp_path: Path) -> None:
    files = project(tmp_path, *LEAKS[form])
    built = build(write_project(tmp_path, {**files, "models/train.yml": ""}))
    assert built.exit_code == 0, built
    compilation = compiled(tmp_path, files)
    with duckdb.connect(str(tmp_path / "small.duckdb")) as connection:
        with pytest.raises(ProjectErrors) as raised:
            LeakGuard(compilation, connection).prove_on_data(connection)
        assert len(raised.value.errors) == 1
        assert "the feature x of train depends on a label: with the labels permuted" in str(raised.value)
        assert connection.execute("select current_database()").fetchall() == [("small",)]


@pytest.mark.parametrize("form", NO_LEAKS)
def test_what_does_not_leak_is_built(form: str, tmp_path: Path) -> None:
    config = write_project(tmp_path, project(tmp_path, *NO_LEAKS[form]))
    assert build(config).is_published
    assert len(rows(config.database, "from train")) == 45


def test_a_row_filter_by_label_is_to_be_declared(tmp_path: Path) -> None:
    files = project(tmp_path, "songs.pop", "", {})
    undeclared = YML.replace("    config: {meta: {row_filter: label}}\n", "")
    with pytest.raises(ProjectErrors, match="which rows train has depends on a label.*row_filter: label"):
        build(write_project(tmp_path, {**files, "models/train.yml": undeclared}))
    with duckdb.connect(str(tmp_path / "small.duckdb")) as connection:
        connection.execute("create table songs as from read_csv(?)", [str(tmp_path / "seeds" / "songs.csv")])
        with pytest.raises(ProjectErrors, match="permuted, others are there"):
            LeakGuard(
                compiled(tmp_path, {**files, "models/train.yml": undeclared}), connection
            ).prove_on_data(connection)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("pivot {{ ref('songs') }} on artist using avg(pop) group by song_key", "PIVOT"),
        ("select * from read_csv('songs.csv')", "it reads by read_csv"),
        (
            "{% set y = run_query('select 1 as y') %} select song_key, 1 as y from {{ ref('songs') }}",
            "it calls run_query",
        ),
    ],
)
def test_what_cannot_be_read_cannot_be_proved(model: str, reason: str, tmp_path: Path) -> None:
    files = project(
        tmp_path,
        "odd.y",
        "left join {{ ref('odd') }} as odd on songs.song_key = odd.song_key",
        {"odd": model},
    )
    with pytest.raises(ProjectErrors, match="cannot be proved") as raised:
        build(write_project(tmp_path, {**files, "songs.csv": SONGS}))
    assert reason in str(raised.value)


def test_a_macro_that_hides_a_query_cannot_be_proved(tmp_path: Path) -> None:
    files = project(tmp_path, "mean_of(songs.song_key)", "", {})
    start = 'on-run-start: "create or replace macro mean_of(k) as k"\n'
    files["dbt_project.yml"] = "name: small\nversion: '1'\nprofile: small\n" + start
    with pytest.raises(ProjectErrors, match=r"calls the macro mean_of\(\)"):
        build(write_project(tmp_path, files))


def test_a_role_that_changes_is_proved_anew(tmp_path: Path) -> None:
    files = project(tmp_path, "length(songs.genre)", "", {})
    harmless = YML.replace("name: x, config: {meta: {role: feature}}", "name: x")
    config = write_project(tmp_path, {**files, "models/train.yml": harmless})
    assert build(config).is_published
    write_project(tmp_path, files)
    with pytest.raises(ProjectErrors, match="the feature x of train depends on a label"):
        build(config)


def test_predictions_are_no_features(tmp_path: Path) -> None:
    """What a classifier learned from labels leads back to them."""
    files = project(
        tmp_path,
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
    assert find_leaks(Lineage(compilation)) == [
        "models/train.sql: the feature x of train depends on a label: train.x ← other.guesses.guess ← labelled.genre (classifier)."
    ]


def test_the_messages_of_leaks(cli: Cli, tmp_path: Path) -> None:
    for name, form in (
        ("join", "target mean by join"),
        ("union", "which half of a union"),
        ("away", "two models away"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        write_project(folder, project(folder, *LEAKS[form]))
    ran = [cli("build", cwd=tmp_path / name) for name in ("join", "union", "away")]
    assert [r.code for r in ran] == [3, 3, 3]
    check_golden("leaks.txt", "".join(r.err for r in ran))


def test_this_projects_features_are_free_of_labels(config: Config) -> None:
    assert build(config).is_published
    views = {"features.train", "features.train_common", "features.predict"}
    with duckdb.connect(str(config.database), read_only=True) as connection:
        proof = LeakGuard(compile_project(read_project(config)), connection).prove_on_data(connection)
    assert proof is not None
    assert (proof.views, proof.features) == (len(views), 33)
