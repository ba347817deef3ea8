"""The wheel carries all that the report needs, licenses included, and stays small."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

MOST_BYTES = 3_000_000


@pytest.mark.slow
def test_the_wheel_is_small_and_complete(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(wheel) as found:
        packed = {name: found.read(name) for name in found.namelist()}
    here = ROOT / "genredb" / "look"
    needed = [path for path in here.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {str(path.relative_to(ROOT)) for path in needed} <= packed.keys()
    assert b"vegaEmbed" in packed["genredb/look/site/assets/vega.js"]
    assert b"Interactive Data Lab" in packed["genredb/look/site/assets/vega-licenses.txt"]
