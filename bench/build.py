"""Times `genredb build` of this project, cold and with nothing to do, against a plain DuckDB script.

All three run in turn as separate processes; the output is the medians of wall and CPU seconds and the medians
of the pairwise ratios.

    python -m bench.build [--rows N] [--runs N] [--raw-dir FOLDER]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from bench.by_hand import ByHand
from bench.projects import raw_folder
from bench.timing import Timing, paired, report, timed
from genredb.runner.project.config import Settings, read_config

ROOT = Path(__file__).parents[1]


def measure(raw_dir: Path, folder: Path, runs: int) -> dict[str, list[Timing]]:
    """Time the three in turn."""
    database = folder / "genre.duckdb"
    hand = folder / "hand"
    hand.mkdir()
    by_hand = ByHand(read_config(Settings(ROOT, raw_dir=raw_dir, database=hand / "genre.duckdb")), hand)
    build = [sys.executable, "-m", "genredb", "build", "--project-dir", str(ROOT)]
    build += ["--raw-dir", str(raw_dir), "--database", str(database)]

    def cold() -> Timing:
        database.unlink(missing_ok=True)
        return timed(build)

    return paired(runs, {"plain script": by_hand.run, "cold": cold, "no-op": lambda: timed(build)})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=453, help="songs of the synthetic training file")
    parser.add_argument("--runs", type=int, default=9, help="number of measured runs")
    parser.add_argument("--raw-dir", type=Path, help="folder of CSVs to use instead of synthetic ones")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw_dir = raw_folder(arguments.raw_dir, folder, arguments.rows)
        report("this project", measure(raw_dir, folder, arguments.runs), "plain script")


if __name__ == "__main__":
    main()
