"""`genredb plot` and `db.plot`: what the pictures show, that they are well made, and where they go."""

import json
import os
import sys
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pexpect
import pytest

import genredb
from genredb.catalog import Catalog
from genredb.errors import ConsentError, GenredbError, UsageError
from genredb.look import drawn
from genredb.look.draw import DRAWN
from genredb.look.kinds import KINDS
from genredb.look.plot import Plot, plot, write_plot
from genredb.runner.project.config import Config
from genredb.songs.learn.sound_map import LANDMARKS, place_by_sound
from tests.conftest import ROOT, Cli, changed, rows

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>",
    "</script>",
    '"]};alert(1)',
    "javascript:alert(1)",
    "\u202ereversed",
    "$x",
)


def drawn_of(config: Config, kind: str, *columns: str) -> Plot:
    with Catalog(config) as catalog:
        return plot(catalog, kind, columns)


def values(found: Plot) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = found.spec["data"]["values"]
    return shown


def texts(svg: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_draws_what_the_database_holds(evaluated: Config, kind: str) -> None:
    found = drawn_of(evaluated, kind)
    picture = DRAWN["svg"](found.spec)
    words = texts(picture)
    assert values(found)
    assert ET.fromstring(picture).tag == f"{SVG}svg"
    assert not [
        word for word in words if "$" in word or word in ("undefined", "NaN", "null", "[object Object]")
    ]
    assert drawn_of(evaluated, kind).spec == found.spec
    assert DRAWN["png"](found.spec).startswith(b"\x89PNG")
    assert json.loads(DRAWN["json"](found.spec)) == found.spec


def test_rows_are_those_of_the_marts(evaluated: Config) -> None:
    database = evaluated.database
    [(labelled,)] = rows(database, "select count(*) from songs where genre is not null")
    [(songs,)] = rows(database, "select count(*) from songs")
    assert len(values(drawn_of(evaluated, "scatter"))) == labelled == 12
    assert sum(int(str(row["songs"])) for row in values(drawn_of(evaluated, "histogram", "bpm"))) == songs
    assert [row["genre"] for row in values(drawn_of(evaluated, "genres"))] == ["pop", "album rock", "disco"]
    assert {(row["x"], row["y"]): row["correlation"] for row in values(drawn_of(evaluated, "heatmap"))}[
        "bpm", "nrgy"
    ] == 1
    shown = values(drawn_of(evaluated, "map"))
    assert Counter(row["state"] for row in shown) == {"labelled": 12, "predicted": 4}
    assert all(row["group"] for row in shown)
    shares: defaultdict[str, float] = defaultdict(float)
    for row in values(drawn_of(evaluated, "confusion")):
        shares[str(row["actual"])] += float(str(row["share"]))
    assert list(shares.values()) == pytest.approx([1] * len(shares))


def test_the_leaderboard_marks_the_default_and_noise(evaluated: Config) -> None:
    verdicts = {row["classifier"]: row["verdict"] for row in values(drawn_of(evaluated, "leaderboard"))}
    with Catalog(evaluated) as catalog:
        expected = {one.classifier: one.is_noise for one in catalog.evaluations()}
    assert verdicts["artist_vote"] == "default"
    assert verdicts["majority"] == ("noise" if expected["majority"] else "differs")


def test_songs_of_a_group_at_one_height_lie_side_by_side(evaluated: Config) -> None:
    found = values(drawn_of(evaluated, "distribution", "year"))
    places = Counter((row["group"], row["x"], row["offset"]) for row in found)
    assert set(places.values()) == {1}


def test_groups_have_their_colour_in_every_plot(evaluated: Config) -> None:
    groups = rows(
        evaluated.database,
        "select genre_group from songs where genre is not null group by all order by count(*) desc, genre_group",
    )
    for kind in ("scatter", "years", "map", "genres"):
        color = drawn_of(evaluated, kind).spec["encoding"]["color"]
        assert [(name,) for name in color["scale"]["domain"]] == groups


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000])
def test_any_title_is_text(predicted: Config, tmp_path: Path, text: str) -> None:
    config = changed(
        predicted, tmp_path, "update songs set title = ?, artist = ?, genre = ?", text, text, text
    )
    found = drawn_of(config, "scatter")
    assert {row["title"] for row in values(found)} == {text}
    picture = ET.fromstring(DRAWN["svg"](found.spec))
    assert not [one for one in picture.iter() if one.tag.endswith("script")]


def test_of_very_many_songs_a_part_is_shown_and_said(
    predicted: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "MOST_SONGS", 5)
    found = drawn_of(predicted, "scatter")
    assert len(values(found)) == 5
    assert "5 of 12 songs, chosen at random" in texts(DRAWN["svg"](found.spec))


def test_songs_that_sound_alike_lie_near_each_other() -> None:
    generator = np.random.default_rng(0)
    kinds = np.repeat([0.0, 10.0, 20.0], LANDMARKS // 2)  # more than the landmarks
    numbers = kinds[:, np.newaxis] + generator.normal(size=(len(kinds), 4))
    numbers[0, 0] = np.nan
    places = place_by_sound(numbers)
    middles = np.array([places[kinds == kind].mean(axis=0) for kind in np.unique(kinds)])
    nearest = np.unique(kinds)[np.linalg.norm(places[:, np.newaxis] - middles, axis=2).argmin(axis=1)]
    assert np.mean(nearest == kinds) > 0.95
    assert np.array_equal(place_by_sound(numbers), places)


@pytest.mark.parametrize("songs", [0, 1, 2, 3, 4])
def test_a_few_songs_have_their_places(songs: int) -> None:
    places = place_by_sound(np.arange(songs * 3, dtype=float).reshape(songs, 3))
    assert places.shape == (songs, 2)
    assert np.isfinite(places).all()


@pytest.mark.parametrize("value", [np.nan, 1.0])
@pytest.mark.parametrize("columns", [1, 3])
def test_columns_without_values_or_spread_place_nothing(value: float, columns: int) -> None:
    numbers = np.random.default_rng(0).normal(size=(40, 3))
    numbers[:, :columns] = value
    places = place_by_sound(numbers)
    assert np.isfinite(places).all()
    assert (len(np.unique(places, axis=0)) > 30) == (columns == 1)


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        ("heatmp", (), "There is no plot 'heatmp'. Did you mean 'heatmap'?"),
        ("scatter", ("bpm",), "The plot scatter takes two columns, not 1."),
        ("heatmap", ("bpm",), "The plot heatmap takes no column, not 1."),
        ("histogram", ("bmp",), "songs has no numeric column 'bmp'. Did you mean 'bpm'?"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    predicted: Config, kind: str, columns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        drawn_of(predicted, kind, *columns)
    assert str(caught.value) == message


def test_a_mart_that_is_missing_is_named(predicted: Config, tmp_path: Path) -> None:
    config = changed(predicted, tmp_path, "drop table correlations")
    with pytest.raises(GenredbError, match="Table with name correlations does not exist"):
        drawn_of(config, "heatmap")


@pytest.mark.parametrize("kind", ["confusion", "calibration", "importance", "leaderboard"])
def test_without_evaluations_the_cure_is_said(predicted: Config, kind: str) -> None:
    with pytest.raises(UsageError, match="run `genredb evaluate`"):
        drawn_of(predicted, kind)


def test_without_the_drawing_library_json_is_written(
    predicted: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    found = drawn_of(predicted, "years")
    with pytest.raises(UsageError, match=r"pip install 'genredb\[plot\]'.*-o FILE.json"):
        write_plot(predicted, found, tmp_path / "years.svg")
    assert not (tmp_path / "years.svg").exists()
    write_plot(predicted, found, tmp_path / "years.json")
    assert json.loads((tmp_path / "years.json").read_text())["title"] == "Songs per year"
    assert "image/svg+xml" not in found._repr_mimebundle_()


def test_a_file_of_ones_own_is_kept(predicted: Config, tmp_path: Path) -> None:
    path = tmp_path / "mine.svg"
    path.write_text("mine")
    with pytest.raises(ConsentError):
        write_plot(predicted, drawn_of(predicted, "years"), path)
    assert path.read_text() == "mine"
    with pytest.raises(UsageError, match=r"end the name in .svg, .png or .json"):
        write_plot(predicted, drawn_of(predicted, "years"), tmp_path / "years.gif")


def test_the_command_writes_and_says_where(cli: Cli, built: Path) -> None:
    done = cli("plot", "histogram", "BPM", cwd=built)
    assert (done.code, done.out, done.err) == (0, "", "Wrote histogram.svg.\n")
    assert "bpm of all songs" in texts((built / "histogram.svg").read_bytes())
    done = cli("plot", "years", "-o", "years.png", "--json", cwd=built)
    assert json.loads(done.out) == {"kind": "years", "columns": [], "path": "years.png", "is_sample": False}


def test_notebooks_show_the_picture(predicted: Config) -> None:
    db = genredb.open(predicted.database, project_dir=ROOT, raw_dir=predicted.raw_dir)
    found = db.plot("scatter", "nrgy", "db")
    assert repr(found) == "<plot scatter: 12 rows>"
    bundle = found._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["application/vnd.vegalite.v6+json"]["data"]["values"] == values(found)


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ({b"\x1b[c": b"\x1b[?62;4c"}, b"\x1bP"),  # sixel, by the device's attributes
        ({b"\x1b[c": b"\x1b[?62c"}, b"Wrote heatmap.svg"),
    ],
)
def test_a_terminal_with_graphics_shows_the_plot(
    built: Path, answers: dict[bytes, bytes], shown: bytes
) -> None:
    command = [sys.executable, "-m", "genredb", "plot", "heatmap"]
    terminal: pexpect.spawn[bytes] = pexpect.spawn(
        command[0],
        command[1:],
        cwd=str(built),
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
        dimensions=(40, 100),
    )
    seen = b""
    while True:
        try:
            seen += terminal.read_nonblocking(65_536, timeout=60)
        except pexpect.EOF:
            break
        for question, answer in list(answers.items()):
            if question in seen:
                terminal.send(answer)
                del answers[question]
    assert shown in seen
