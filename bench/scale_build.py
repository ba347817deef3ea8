"""Builds a project in this process and prints what each stage cost as JSON, for ``bench.scale``.

The stages are those of ``bench.script``, measured between the events that a build reports.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from bench.script import Laps
from genredb.runner.graph.nodes import Node
from genredb.runner.results import Proof, SilentObserver


class StageObserver(SilentObserver):
    """Ends a stage whenever the build says that another begins."""

    def __init__(self, laps: Laps) -> None:
        self._laps = laps
        self._running = "start"

    def begin(self, nodes: Sequence[Node]) -> None:
        """End what comes before all nodes: imports, digests of the raw files, compilation, plan."""
        del nodes
        self._next("load")

    def start(self, what: str) -> None:
        """End the stage that ran until now."""
        self._next(what)

    def proved(self, proof: Proof) -> None:
        """End the proof on data; what follows is publication."""
        del proof
        self._next("publish")

    def _next(self, what: str) -> None:
        self._laps.end(self._running)
        self._running = what


def main() -> None:
    laps = Laps()
    from genredb.runner.build import build  # noqa: PLC0415 - imports are part of the first stage
    from genredb.runner.project.config import Settings, read_config  # noqa: PLC0415
    from genredb.songs.extension import SONGS  # noqa: PLC0415

    parser = argparse.ArgumentParser()
    for name in ("--project-dir", "--raw-dir", "--database"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--memory-limit")
    parser.add_argument("--threads", type=int)
    observer = StageObserver(laps)
    result = build(read_config(Settings(**vars(parser.parse_args()))), observer, extension=SONGS)
    observer.start("end")
    if result.exit_code:
        raise SystemExit(f"failed: {[str(one.error) for one in result.results if one.error]}")
    print(json.dumps(laps.done))


if __name__ == "__main__":
    main()
