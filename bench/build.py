"""Times `genredb build`, cold and with nothing to do, beside a plain DuckDB script that does the same.

The script loads the same CSVs into typed tables, runs the same SQL of every seed, model and check in
the same order, checkpoints, closes and flushes the file, and does nothing else: it is what one would
write by hand, its statements taken from the compiled project. All three run as processes of their own,
in turn; printed are the medians of wall and cpu seconds and the medians of the ratios pair by pair.

    python -m bench.build [--rows N] [--runs N] [--raw-dir FOLDER]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from genredb.compile import Compilation, NodeKind, compile_project
from genredb.project import Settings, read_config, read_project
from genredb.sample import write_sample
from genredb.warehouse import source_file

ROOT = Path(__file__).parents[1]

BY_HAND = """
import json, os, sys
import duckdb
path, statements = sys.argv[1], json.load(open(sys.argv[2]))
connection = duckdb.connect(path)
for kind, sql in statements:
    rows = connection.execute(sql).fetchall()
    if kind == "check" and rows:
        sys.exit(f"failing: {sql}")
connection.execute("checkpoint")
connection.close()
handle = os.open(path, os.O_RDONLY)
os.fsync(handle)
"""

Timing = tuple[float, float]


def statements(compilation: Compilation) -> list[tuple[str, str]]:
    """Write down what the build of a project does, statement by statement."""
    project = compilation.project
    found = [
        ("setup", f"create schema if not exists {schema}")
        for schema in ("raw", "seeds", "staging", "features", "ml")
    ]
    found.append(
        (
            "setup",
            "create table ml.predictions (song_key varchar, genre varchar, probability double, basis varchar,"
            " runner_ups struct(genre varchar, probability double)[], classifier_id varchar)",
        )
    )
    for source in project.loaded_sources:
        types = ", ".join(f"'{column.name}': '{column.data_type}'" for column in source.columns)
        path = source_file(source, project.config.raw_dir)
        sql = f"from read_csv('{path}', header = true, auto_detect = false, columns = {{{types}}})"
        found.append(("load", f"create table {source.qualified_name} as {sql}"))
    for node in compilation.nodes.values():
        if node.kind is NodeKind.SEED:
            sql = f"from read_csv('{project.seeds[node.name].file}', header = true, all_varchar = true)"
            found.append(("seed", f"create table {node.relation} as {sql}"))
        elif node.kind is NodeKind.MODEL:
            found.append(("model", f"create {node.materialized} {node.relation} as {node.sql}"))
        elif node.kind is NodeKind.CHECK and node.severity == "error":
            found.append(("check", node.sql))
    return found


def timed(command: list[str]) -> Timing:
    """Run a command; return its wall and cpu seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        message = process.stderr.read().decode() if process.stderr else ""
        raise SystemExit(f"{command} failed: {message}")
    if process.stderr:
        process.stderr.close()
    return wall, usage.ru_utime + usage.ru_stime


def measure(raw_dir: Path, folder: Path, runs: int) -> dict[str, list[Timing]]:
    """Time the three, one after another, ``runs`` times after one run that does not count."""
    database, by_hand = folder / "genre.duckdb", folder / "hand" / "genre.duckdb"
    by_hand.parent.mkdir()
    config = read_config(Settings(project_dir=ROOT, raw_dir=raw_dir, database=by_hand))
    script, listing = folder / "by_hand.py", folder / "statements.json"
    script.write_text(BY_HAND)
    listing.write_text(json.dumps(statements(compile_project(read_project(config)))))
    build = [sys.executable, "-m", "genredb", "build", "--project-dir", str(ROOT)]
    build += ["--raw-dir", str(raw_dir), "--database", str(database)]
    timings: dict[str, list[Timing]] = {"by hand": [], "cold": [], "no-op": []}
    for run in range(runs + 1):
        by_hand.unlink(missing_ok=True)
        database.unlink(missing_ok=True)
        found = {
            "by hand": timed([sys.executable, str(script), str(by_hand), str(listing)]),
            "cold": timed(build),
            "no-op": timed(build),
        }
        if run:
            for name, timing in found.items():
                timings[name].append(timing)
    return timings


def report(timings: dict[str, list[Timing]]) -> None:
    """Print medians, and medians of the ratios to the script by hand."""
    print(f"{'':<10}{'wall s':>9}{'cpu s':>9}{'wall ×':>9}{'cpu ×':>9}")
    for name, runs in timings.items():
        wall, cpu = (statistics.median(run[i] for run in runs) for i in (0, 1))
        pairs = list(zip(runs, timings["by hand"], strict=True))
        ratios = [statistics.median(run[i] / other[i] for run, other in pairs) for i in (0, 1)]
        print(f"{name:<10}{wall:>9.3f}{cpu:>9.3f}{ratios[0]:>9.2f}{ratios[1]:>9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=453, help="songs of the synthetic training file")
    parser.add_argument("--runs", type=int, default=9, help="runs that count")
    parser.add_argument("--raw-dir", type=Path, help="folder of CSVs to use in place of synthetic ones")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw_dir = arguments.raw_dir
        if raw_dir is None:
            raw_dir = folder / "raw"
            write_sample(raw_dir, arguments.rows)
        report(measure(raw_dir.absolute(), folder, arguments.runs))


if __name__ == "__main__":
    main()
