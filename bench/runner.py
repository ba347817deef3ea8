"""Times the runner against a plain script and against dbt: start-up, a small project, generated projects.

All of it in one run, each command a process of its own, in turn; printed are medians, and the medians of
the ratios pair by pair. GENREDB_DBT names the ``dbt`` of an environment that holds dbt-core and dbt-duckdb.

    GENREDB_DBT=…/bin/dbt python -m bench.runner [--runs N] [--models 100 --models 1000]
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench.by_hand import ByHand
from bench.projects import write_generated
from bench.timing import Timing, paired, report, timed
from genredb.runner.project.config import Settings, read_config

SMALL = Path(__file__).parent / "small"
GENREDB = [sys.executable, "-m", "genredb"]


# A plan that leaves mistakes in SQL to the run, to show what looking for them costs.
UNBOUND = (
    "from genredb.__main__ import main; from genredb.runner.execution.engine import Engine;"
    " Engine.binds = False; main()"
)


def start_up(runs: int) -> None:
    """Time `genredb --help` beside a Python that does nothing."""
    steps = {
        "python -c pass": lambda: timed([sys.executable, "-c", "pass"]),
        "genredb --help": lambda: timed([*GENREDB, "--help"]),
    }
    report("start-up", paired(runs, steps), "python -c pass")


def small_project(runs: int, dbt: str, folder: Path) -> None:
    """Time a build from nothing, one with nothing to do, and dbt's with its parse at hand."""
    shutil.copytree(SMALL, folder / "ours")
    shutil.copytree(SMALL, folder / "dbt")
    hand = folder / "hand"
    hand.mkdir()
    by_hand = ByHand(read_config(Settings(folder / "ours", database=hand / "bench.duckdb")), hand)
    database = folder / "ours" / "bench.duckdb"

    def cold() -> Timing:
        database.unlink(missing_ok=True)
        return timed([*GENREDB, "build"], folder / "ours")

    steps = {
        "plain script": by_hand.run,
        "genredb build, cold": cold,
        "genredb build, no-op": lambda: timed([*GENREDB, "build"], folder / "ours"),
        "dbt build, warm": lambda: timed([dbt, "build"], folder / "dbt"),
    }
    report("small project: 3 seeds, 3 views, 2 tables, 20 checks", paired(runs, steps), "plain script")


def generated_project(models: int, runs: int, dbt: str, folder: Path) -> None:
    """Time plans and a build with nothing to do, beside dbt's parse."""
    for name in ("new", "built", "edited", "dbt"):
        write_generated(folder / name, models)
    for name in ("built", "edited"):
        timed([*GENREDB, "build"], folder / name)
    with next((folder / "edited" / "models").rglob(f"model_{models - models // 5}.sql")).open("a") as file:
        file.write("where true\n")
    steps = {
        "dbt parse": lambda: timed([dbt, "parse", "--no-partial-parse"], folder / "dbt"),
        "genredb plan": lambda: timed([*GENREDB, "plan"], folder / "new"),
        "genredb plan, unbound": lambda: timed([sys.executable, "-c", UNBOUND, "plan"], folder / "new"),
        "genredb plan, one edit": lambda: timed([*GENREDB, "plan"], folder / "edited"),
        "genredb plan, no-op": lambda: timed([*GENREDB, "plan"], folder / "built"),
        "genredb build, no-op": lambda: timed([*GENREDB, "build"], folder / "built"),
    }
    report(f"{models} generated models, a check each", paired(runs, steps), "dbt parse")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7, help="number of measured runs")
    parser.add_argument("--models", type=int, action="append", help="sizes of the generated projects")
    arguments = parser.parse_args()
    dbt = os.environ.get("GENREDB_DBT")
    if not dbt:
        parser.error("set GENREDB_DBT to the dbt of dbt-core 1.11.16 with dbt-duckdb 1.11.1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start_up(arguments.runs)
        small_project(arguments.runs, dbt, folder / "small")
        for models in arguments.models or (100, 1000):
            generated_project(models, min(arguments.runs, 5), dbt, folder / f"of {models}")


if __name__ == "__main__":
    main()
