"""docs/notebook.ipynb runs from its first cell to its last, and says what is known of the competition's songs."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from genredb.songs.predict import predict
from tests.conftest import ROOT, Cli, config_for
from tests.verbs import build

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def executed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The notebook as it is after it ran in a folder with a database."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def text_of(notebook: Any) -> str:
    """All that the cells gave as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(one.get("text", "") or one.get("data", {}).get("text/plain", "") for one in outputs)


def test_no_output_is_kept_with_the_notebook() -> None:
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_it_runs_on_the_sample(sample_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = executed(sample_folder, monkeypatch)
    charts = [
        output["data"]["image/svg+xml"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(charts) == 8
    assert all(len(chart) > 5_000 for chart in charts)
    assert "artist_vote" in text_of(notebook)
    assert (sample_folder / "submission.csv").is_file()


def test_its_figures_are_those_of_the_competition(
    cli: Cli, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(real_data, tmp_path / "genre.duckdb")
    assert build(config).exit_code == 0
    predict(config)
    text = text_of(executed(tmp_path, monkeypatch))
    assert "358 songs in 26 genres" in text
    assert "113 songs" in text
    one_split = re.search(r"classifier +songs +accuracy.*?(?=classifier)", text, re.DOTALL)
    assert one_split
    for name, accuracy in (("seed_logistic", "0.347"), ("seed_svc", "0.167"), ("seed_boosting", "0.250")):
        assert re.search(rf"{name} +72 +{accuracy}", one_split[0]), one_split[0]
    assert re.search(r"453 +113 +0 +15 +3\b", text)
    assert re.search(r"year +438 +1990\.88 +16\.7", text)
    assert re.search(r"0 +adult standards +adult standards +68", text)
