"""The leak guard after records were added: its proof on data holds while the rows it looked at are the same."""

from pathlib import Path

import pytest

from genredb.runner.planning import planner
from genredb.runner.planning.state import read_proof
from genredb.runner.project.config import Config
from genredb.warehouse.database import open_reader
from tests.conftest import REAL_FILES, config_for, song, write_raw
from tests.verbs import build, plan

pytestmark = pytest.mark.usefixtures("few_rows_are_enough")


@pytest.mark.parametrize(
    ("looked_at", "number", "is_planned", "is_proved_anew"),
    [
        pytest.param(5, 101, False, False, id="the first rows are the same"),
        pytest.param(14, 101, True, True, id="the new row is among the first"),
        pytest.param(5, 3, False, True, id="a repeated key has the file read anew"),
    ],
)
def test_added_rows_are_proved_if_the_proof_looks_at_them(
    looked_at: int,
    number: int,
    *,
    is_planned: bool,
    is_proved_anew: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planner, "PROOF_ROWS", looked_at)
    config = built(tmp_path)
    first = proved_by(config)
    with (tmp_path / REAL_FILES[0]).open("a", encoding="utf-8") as file:
        file.write(f"{number},Song 101,Artist 1,1999,{song(20)},pop\n")
    assert plan(config).is_proved is not is_planned
    assert build(config).exit_code == 0
    assert (proved_by(config) != first) is is_proved_anew
    assert plan(config).is_proved  # the next build needs no proof


def built(folder: Path) -> Config:
    write_raw(folder)
    config = config_for(folder, folder / "songs.duckdb")
    assert build(config).exit_code == 0
    return config


def proved_by(config: Config) -> str:
    """The run that last proved."""
    with open_reader(config.database) as connection:
        proof = read_proof(connection)
    assert proof
    return proof.run_id
