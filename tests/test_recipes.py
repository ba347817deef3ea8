"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the package, as a stranger would."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, write_raw

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the checkout, in which the recipe is followed."""
    for name in ("genredb", "sql", "data/seeds", "data/sample", "dbt_project.yml", "profiles.yml"):
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    (tmp_path / "data/raw").mkdir()
    return tmp_path


def insert(file: Path, before: str, lines: str) -> None:
    """Write lines into a file, before the one line that begins so."""
    text = file.read_text(encoding="utf-8")
    assert text.count(f"\n{before}") == 1, (file, before)
    file.write_text(text.replace(f"\n{before}", f"\n{lines}{before}"), encoding="utf-8")


def run(copy: Path, *arguments: str, code: int = 0) -> str:
    """Run a command of the copy in its project; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "genredb", *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_a_classifier_is_a_function_and_a_line(copy: Path) -> None:
    """It is listed, judged, fitted, kept, read back in a new process, explained."""
    registry = copy / "genredb/songs/learn/classifiers.py"
    insert(registry, "from sklearn.impute", "from sklearn.ensemble import HistGradientBoostingClassifier\n")
    insert(
        registry,
        "CLASSIFIERS: ",
        "def _boosting(_songs: int) -> Any:\n"
        "    return HistGradientBoostingClassifier(max_iter=5, random_state=SEED)\n\n\n",
    )
    types = [
        "numpy.dtype",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    ]
    entry = f'        ClassifierSpec("boosting", "Boosted trees.", _boosting, trusts={tuple(types)}),\n'
    insert(registry, '        ClassifierSpec("majority"', entry)
    run(copy, "build", "--sample")
    assert "boosting" in run(copy, "classifiers", "available")
    assert "boosting" in run(copy, "evaluate", "boosting", "--protocol", "seed")
    assert "Fitted boosting-" in run(copy, "predict", "--classifier", "boosting")
    assert "nothing was written" in run(copy, "predict")
    assert "boosting" in run(copy, "doctor")
    assert "by audio" in run(copy, "explain", "454")
    run(copy, "export", "-o", "submission.csv")
    assert (copy / "submission.csv").exists()


def test_a_check_is_a_function_and_a_line(copy: Path) -> None:
    """With an argument of its own, which is named where it is missing or misspelt."""
    registry = copy / "genredb/runner/graph/generic_checks.py"
    insert(
        registry,
        "GENERIC: ",
        "def _at_least(relation: str, column: str, arguments: Mapping[str, Any]) -> str:\n"
        "    return f\"select * from {relation} where {column} < {arguments['least']}\"\n\n\n",
    )
    insert(registry, '    "unique": ', '    "at_least": GenericCheck(_at_least, needed=("least",)),\n')
    stated = copy / "sql/models/at_least.yml"
    text = (
        "models: [{name: songs, columns: [{name: bpm, data_tests: [at_least: {arguments: {LEAST: 300}}]}]}]"
    )
    write_raw(copy / "data/raw")
    (copy / "sql/models/at_least.sql").write_text("select * from {{ ref('songs') }}", encoding="utf-8")
    text = text.replace("name: songs", "name: at_least")
    stated.write_text(text.replace("LEAST", "leest"), encoding="utf-8")
    assert "has no argument 'leest'. Did you mean 'least'?" in run(copy, "build", code=3)
    stated.write_text(text.replace("LEAST: 300", "least: 1"), encoding="utf-8")
    run(copy, "build")
    stated.write_text(text.replace("LEAST", "least"), encoding="utf-8")
    assert "Failed: 1 check failed" in run(copy, "build", code=1)


def test_a_materialization_is_a_function_and_an_entry(copy: Path) -> None:
    execution = copy / "genredb/runner/execution/materialize.py"
    insert(
        execution,
        "def load_seed(",
        "def sorted_table(runtime: Runtime, node: Model) -> int | None:\n"
        '    """Make a table of the query, its rows in order."""\n'
        '    sql = f"from ({model_sql(runtime, node)}) order by all"\n'
        '    return runtime.executor.create(node.relation, "table", sql)\n\n\n',
    )
    entry = '        Materialization("sorted_table", "genredb.runner.execution.materialize:sorted_table"),\n'
    insert(copy / "genredb/runner/graph/materializations.py", '        Materialization("table"', entry)
    model = "{{ config(materialized='sorted_table') }} select bpm from {{ ref('songs') }}"
    (copy / "sql/models/by_bpm.sql").write_text(model, encoding="utf-8")
    write_raw(copy / "data/raw")
    run(copy, "build")
    shown = run(copy, "query", "select bpm from by_bpm limit 3", "--format", "csv").split()[1:]
    assert shown == sorted(shown, key=float)


def test_a_raw_file_format_is_a_module_and_an_entry(copy: Path) -> None:
    """Text with a bar between the fields: loaded, and its bad rows kept, like any other."""
    readers = copy / "genredb/warehouse/readers"
    (readers / "bars.py").write_text(
        "from genredb.warehouse.readers import csv\n\n\n"
        "def read(connection, content, path, separator):\n"
        '    return csv.read(connection, content, path, "|")\n',
        encoding="utf-8",
    )
    entry = '    SourceFormat("bars", (".psv",), "genredb.warehouse.readers.bars", may_be_gzipped=True),\n'
    insert(readers / "formats.py", "    CSV,\n", entry)
    raw = copy / "data/raw"
    write_raw(raw)
    for path in raw.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [*csv.reader(file)]
        with path.with_suffix(".psv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="|").writerows([*rows, rows[1]])
        path.unlink()
    run(copy, "build")
    shown = run(copy, "query", "from meta.loads", "--format", "json")
    assert shown.count(".psv") == 2
    assert "duplicates an earlier record" in run(copy, "query", "select reason from raw.quarantine")


def test_an_export_format_is_a_line(copy: Path) -> None:
    registry = copy / "genredb/warehouse/file_formats.py"
    line = '        FileFormat("tsv", "format csv, header, delimiter \'\\\\t\'", guards_formulas=True),\n'
    insert(registry, '        FileFormat("csv"', line)
    write_raw(copy / "data/raw")
    run(copy, "build")
    run(copy, "export", "genres", "-o", "genres.tsv")
    assert (copy / "genres.tsv").read_text(encoding="utf-8").startswith("genre\t")
    assert "tsv" in run(copy, "export", "--help")


def test_a_kind_of_plot_is_a_specification_a_function_and_an_entry(copy: Path) -> None:
    """It is drawn, listed where it was misspelt, and filled with the rows of the database."""
    spec = (
        '{"title": "Artists", "mark": "bar", "encoding": {"y": {"field": "artist"}, "x": {"field": "songs"}}}'
    )
    (copy / "genredb/look/specs/artists.json").write_text(spec, encoding="utf-8")
    function = (
        'def artists(catalog: "Catalog", _columns: tuple[str, ...]) -> Drawn:\n'
        '    return Drawn(rows_of(catalog, "select artist, song_count as songs from artists limit 5"))\n\n\n'
    )
    insert(copy / "genredb/look/of_songs.py", "def years(", function)
    insert(
        copy / "genredb/look/kinds.py",
        '    "years": ',
        '    "artists": Kind("Songs per artist.", of_songs.artists),\n',
    )
    run(copy, "build", "--sample")
    assert "Did you mean 'artists'?" in run(copy, "plot", "artist", code=2)
    run(copy, "plot", "artists", "-o", "artists.svg")
    assert "Artists" in (copy / "artists.svg").read_text(encoding="utf-8")


def test_a_page_of_the_report_is_a_module_a_template_and_an_entry(copy: Path) -> None:
    """It is written, and in the navigation of every page."""
    site = copy / "genredb/look/site"
    (site / "artists.py").write_text(
        '"""The artists."""\n\n'
        "from collections.abc import Iterator\n\n"
        "from genredb.look.site.frame import File, Site\n\n\n"
        "def write(site: Site) -> Iterator[File]:\n"
        '    """Yield the page."""\n'
        '    rows = site.rows("select artist from artists order by artist limit 5")\n'
        '    yield site.page("artists.html", "artists.html", artists=rows)\n',
        encoding="utf-8",
    )
    (site / "templates/artists.html").write_text(
        '{% extends "base.html" %}{% block title %}Artists{% endblock %}'
        "{% block content %}<h1>{{ artists[0].artist | text }}</h1>{% endblock %}",
        encoding="utf-8",
    )
    pages = site / "pages.py"
    text = pages.read_text(encoding="utf-8")
    entry = 'PAGES = {\n    "artists": Page("Artists", artists.write, needs_songs=True),'
    text = text.replace("from genredb.look.site import (", "from genredb.look.site import (\n    artists,", 1)
    pages.write_text(text.replace("PAGES = {", entry), encoding="utf-8")
    run(copy, "build", "--sample")
    run(copy, "site", "-o", "report")
    first = run(copy, "query", "select min(artist) from artists", "--format", "csv").splitlines()[1]
    assert f"<h1><bdi>{first}</bdi></h1>" in (copy / "report/artists.html").read_text(encoding="utf-8")
    assert ">Artists</a>" in (copy / "report/index.html").read_text(encoding="utf-8")
