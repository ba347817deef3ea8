"""Writes what ``bench.scale`` and ``bench.spark`` measured into docs/scale.md: tables and a chart.

    python -m bench.scale_figures

It reads docs/figures/scale.json and docs/figures/spark.json and replaces what stands between the marks.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE, CHART = DOCS / "scale.md", DOCS / "images" / "scale.svg"
SCALE, SPARK = DOCS / "figures" / "scale.json", DOCS / "figures" / "spark.json"
SHOWN_SONGS = 1_000_000  # the size whose stages are listed
SECOND = "second build, 1 % added, beside the first"
# What a size is judged by: its name, where bench.scale reports it, and the stage.
JUDGED = {
    "load ÷ `read_csv`": ("build", "load"),
    "build ÷ by hand": ("build", "total"),
    "build ÷ dbt": ("build beside dbt", "total"),
    "predict ÷ forest": ("predict", "total"),
    "export ÷ `COPY`": ("export", "total"),
    "1 % more ÷ first build": (SECOND, "total"),
}
Found = Mapping[str, Sequence[Mapping[str, Any]]]


def sizes(results: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str, float]]:
    """Yield the number of songs, what was judged and its ratio of CPU seconds."""
    for result in results:
        for name, (what, stage) in JUDGED.items():
            row = next((row for row in result["found"].get(what, ()) if row["stage"] == stage), None)
            if row and row["cpu_ratio"]:
                yield result["songs"], name, row["cpu_ratio"]


def size_table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the ratios of every size."""
    found = {(songs, name): ratio for songs, name, ratio in sizes(results)}
    rows = [
        [
            f"{result['songs']:,}",
            *(_number(found.get((result["songs"], name))) for name in JUDGED),
            _peak(result["found"]),
        ]
        for result in results
    ]
    return _table(["songs", *JUDGED, "peak of the build, MiB"], rows)


def stage_table(found: Found) -> str:
    """Return what each stage cost beside its limit."""
    rows = [
        [stage, *(_number(cost["cpu"]) if cost else "" for cost in sides), _number(ratio)]
        for stage, *sides, ratio in _stages(found)
    ]
    return _table(["stage", "cpu s", "beside", "×"], rows)


def spark_table(measured: Mapping[str, Any]) -> str:
    """Return what Spark cost beside DuckDB."""
    rows = [
        [f"{of['songs']:,}", engine, one["stage"], f"{one['wall']:,.0f}", f"{one['cpu']:,.0f}", *_work(one)]
        for of in measured["results"]
        for engine, costs in of["costs"].items()
        for one in costs
    ]
    did = [f"MiB {what}" for what in ("shuffled", "spilled")]
    heads = ["songs", "engine", "stage", "wall s", "cpu s", "tasks", *did]
    return _table(heads, rows)


def draw_chart(results: Sequence[Mapping[str, Any]]) -> None:
    """Draw the ratios by number of songs."""
    import vl_convert  # noqa: PLC0415 - the test of the tables needs no chart

    values = [
        {"songs": songs, "of": name.replace("`", ""), "ratio": ratio} for songs, name, ratio in sizes(results)
    ]
    logarithmic = {"type": "log"}
    all_songs = sorted({result["songs"] for result in results})
    spec = {
        "width": 560,
        "height": 320,
        "background": "white",
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "line", "point": True},
                "encoding": {
                    "x": {
                        "field": "songs",
                        "type": "quantitative",
                        "scale": logarithmic,
                        "axis": {"values": all_songs, "format": "~s"},
                    },
                    "y": {
                        "field": "ratio",
                        "type": "quantitative",
                        "scale": logarithmic,
                        "title": "ratio of CPU seconds",
                        "axis": {"values": [0.25, 0.5, 1, 2, 4, 8], "format": "~g"},
                    },
                    "color": {
                        "field": "of",
                        "type": "nominal",
                        "title": None,
                        "sort": [name.replace("`", "") for name in JUDGED],
                    },
                },
            },
            {"data": {"values": [{"at": 1}]}, "mark": "rule", "encoding": {"y": {"datum": 1}}},
        ],
    }
    CHART.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")


def written(page: str) -> str:
    """Return the page with the tables of the figures between their marks."""
    scale, spark = (json.loads(path.read_text(encoding="utf-8")) for path in (SCALE, SPARK))
    shown = next(result for result in scale["results"] if result["songs"] == SHOWN_SONGS)
    tables = {
        "machine": _machine(scale["machine"]),
        "sizes": size_table(scale["results"]),
        "stages": stage_table(shown["found"]),
        "spark": spark_table(spark),
    }
    for name, table in tables.items():
        begin = page.index(mark := f"<!-- {name} -->\n") + len(mark)
        page = page[:begin] + table + "\n" + page[page.index("<!-- end -->", begin) :]
    return page


def _stages(found: Found) -> Iterator[tuple[str, Any, Any, float | None]]:
    for row in found["build"]:
        if row["stage"] != "total":
            yield row["stage"], row["ours"], row["beside"], row["cpu_ratio"]
    wholes = {
        "whole build": "build",
        "whole build ÷ dbt": "build beside dbt",
        "predict": "predict",
        "export": "export",
        "build after 1 % more": SECOND,
    }
    for name, what in wholes.items():
        for row in found.get(what, ()):
            if row["stage"] == "total":
                yield f"**{name}**", row["ours"], row["beside"], row["cpu_ratio"]


def _peak(found: Found) -> str:
    return next(f"{row['ours']['peak_mib']:,.0f}" for row in found["build"] if row["stage"] == "total")


def _work(cost: Mapping[str, Any]) -> list[str]:
    keys = ("tasks", "shuffled", "spilled")
    return [f"{cost[key]:,}" if cost["tasks"] else "" for key in keys]


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['cores']} cores, {machine['memory_mib'] / 1024:.0f} GiB, {machine['system']}, Python"
        f" {machine['python']}, DuckDB {machine['duckdb']}, scikit-learn {machine['scikit-learn']}."
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    draw_chart(json.loads(SCALE.read_text(encoding="utf-8"))["results"])
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
