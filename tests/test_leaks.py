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
LEAKS: dict[str, tuple[str, str, dict[str, str]]] = {
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
INFO = {"info": "select * from (values ('rock', 1), ('pop', 2), ('disco', 3)) as info (genre, weight)"}
LEAKS |= {
    "a condition in where": ("info.weight", ", {{ ref('info') }} as info", INFO),
    "unnest and a condition": ("names.name", ", unnest(['rock', 'pop', 'disco']) as names (name)", {}),
    "lateral": (
        "found.weight",
        ", lateral (select weight from {{ ref('info') }} as info where info.genre = songs.genre) as found",
        INFO,
    ),
    "having and a window": (
        "ranks.n",
        "inner join {{ ref('ranks') }} as ranks on songs.artist = ranks.artist",
        {
            "ranks": "select artist, count(*) over () as n from {{ ref('songs') }} group by artist "
            "having max(genre) = 'rock'"
        },
    ),
    "unnest that multiplies rows": (
        "counts.n",
        "inner join {{ ref('counts') }} as counts on songs.song_key = counts.song_key",
        {
            "counts": "select song_key, count(*) as n from (select song_key, unnest(range(length(genre))) "
            "from {{ ref('songs') }}) group by song_key"
        },
    ),
    "a key of a map": ("coalesce(map {coalesce(songs.genre, ''): 1}['rock'], 0)", "", {}),
    "a list comprehension": ("length([genre for genre in [songs.genre]][1])", "", {}),
}
# What the lineage refuses, though by another sentence or for another column.
REFUSED: Mapping[str, tuple[str, str, dict[str, str], str]] = {
    "a label of columns that cannot be followed": (
        "length(songs.genre)",
        "",
        {"labelled": "select columns('song_key|genre') from {{ ref('songs') }}"},
        "cannot be proved",
    ),
    "the songs joined to the labels": (
        "info.weight",
        "",
        INFO,
        "the id song_key of train depends on a label",
    ),
    "a variable": ("list_contains(getvariable('rocks'), songs.song_key)", "", {}, "cannot be proved"),
    "a feature that is not there": ("songs.pop as y, 1", "", {}, "it has no column gone"),
}

NO_LEAKS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "a column": ("songs.pop", "", {}),
    "an artist's statistics over all rows": (
        "artists.n",
        "left join {{ ref('artists') }} as artists on songs.artist = artists.artist",
        {"artists": "select artist, count(*) as n from {{ ref('songs') }} group by artist"},
    ),
    "an artist's statistics grouped by all": (
        "artists.n",
        "left join {{ ref('artists') }} as artists on songs.artist = artists.artist",
        {"artists": "select artist, count(*) as n from {{ ref('songs') }} group by all"},
    ),
    "a constant": ("1", "", {}),
    "a filter by a semi join": (
        "songs.pop",
        "semi join (select genre from {{ ref('songs') }} group by genre having count(*) > 2) as common "
        "on songs.genre = common.genre",
        {},
    ),
}


CONDITIONS = {
    "a condition in where": "songs.genre = info.genre",
    "unnest and a condition": "names.name = songs.genre",
}


def project(folder: Path, x: str, rest: str, models: Mapping[str, str], yml: str = YML) -> dict[str, str]:
    train = TRAIN.format(x=x, rest=rest).replace("{{{{", "{{").replace("}}}}", "}}")
    texts = {f"models/{name}.sql": text for name, text in {**models, "train": train}.items()}
    return {"seeds/songs.csv": SONGS, "models/train.yml": yml, **texts}


def with_condition(form: str, files: dict[str, str]) -> dict[str, str]:
    """Add the condition of a form to the model's WHERE."""
    if form in CONDITIONS:
        files["models/train.sql"] += f" and {CONDITIONS[form]}"
    return files


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_refused_in_another_way(form: str, tmp_path: Path) -> None:
    x, rest, models, message = REFUSED[form]
    files = project(tmp_path, x, rest, models)
    if form.startswith("the songs joined"):
        files["models/train.sql"] = (
            "select songs.song_key, songs.genre, songs.bpm, info.weight as x from {{ ref('info') }} as info "
            "inner join {{ ref('songs') }} as songs on songs.genre = info.genre"
        )
    if form.startswith("a label"):
        files["models/train.sql"] = (
            "select songs.song_key, labelled.genre, songs.bpm, length(songs.genre) as x from {{ ref('songs') }} as songs "
            "inner join {{ ref('labelled') }} as labelled on songs.song_key = labelled.song_key"
        )
        files["models/l.yml"] = "models: [{name: labelled, columns: [{name: song_key}, {name: genre}]}]"
    if form.startswith("a feature"):
        files["models/train.yml"] = YML.replace("name: x,", "name: gone,")
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
    with pytest.raises(ProjectErrors, match="No label decides which rows plain has: count these"):
        build(write_project(tmp_path, project(tmp_path, "counts.n", counts, models)))


def test_labels_made_by_a_mapping_are_labels_too(tmp_path: Path) -> None:
    files = project(tmp_path, "", "", INFO)
    files["models/train.sql"] = (
        "select songs.song_key, info.weight as genre, songs.bpm, length(songs.genre) as x from {{ ref('songs') }} as songs "
        "inner join {{ ref('info') }} as info on songs.genre = info.genre"
    )
    with pytest.raises(ProjectErrors, match="the feature x of train depends on a label"):
        build(write_project(tmp_path, files))


def test_hooks_that_change_what_features_are_made_of_are_refused(tmp_path: Path) -> None:
    files = project(tmp_path, "songs.pop", "", {})
    files["models/other.sql"] = (
        '{{ config(post_hook="update songs set pop = coalesce(length(genre), 0)") }} select 1 as one'
    )
    with pytest.raises(ProjectErrors, match="models/other.sql: .* a hook may change songs"):
        build(write_project(tmp_path, files))


def test_what_changes_by_itself_is_not_called_a_leak(tmp_path: Path) -> None:
    files = project(tmp_path, "random()", "", {})
    with pytest.raises(ProjectErrors, match="features are others each time"):
        build(write_project(tmp_path, files))
    # The same number of rows differs each time where no label filters them.
    files["models/train.sql"] = files["models/train.sql"].replace(" where songs.genre is not null", "")
    with pytest.raises(ProjectErrors, match="features are others each time"):
        build(write_project(tmp_path, files))


def test_an_id_that_stands_twice_is_not_called_a_leak(tmp_path: Path) -> None:
    files = project(tmp_path, "songs.pop", "", {})
    files["seeds/songs.csv"] += "k1,artist 1,rock,3,100\n"
    with pytest.raises(ProjectErrors, match="several rows of train have the same song_key"):
        build(write_project(tmp_path, files))


@pytest.mark.parametrize("form", LEAKS)
def test_lineage_finds_the_leak_and_the_build_fails(form: str, tmp_path: Path) -> None:
    config = write_project(tmp_path, with_condition(form, project(tmp_path, *LEAKS[form])))
    with pytest.raises(ProjectErrors) as raised:
        build(config)
    assert len(raised.value.errors) == 1, "bpm does not leak"
    assert "the feature x of train depends on a label: train.x ← " in str(raised.value)
    assert ".genre" in str(raised.value)
    assert not config.database.exists()


@pytest.mark.parametrize("form", LEAKS)
def test_permuted_labels_find_the_leak_by_themselves(form: str, tmp_path: Path) -> None:
    files = with_condition(form, project(tmp_path, *LEAKS[form]))
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
    views = ("song_features", "train", "train_common", "predict")
    with duckdb.connect(str(config.database), read_only=True) as connection:
        proof = LeakGuard(compile_project(read_project(config)), connection).prove_on_data(connection)
    assert proof is not None
    assert (proof.views, proof.features) == (len(views), 44)
