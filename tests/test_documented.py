"""Every documented command line works, and every option of every command."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.cli_reference import commands, examples, own_options
from tests.conftest import ROOT, write_raw
from tests.songs_from_elsewhere import write_playlist

pytestmark = pytest.mark.slow

# What must have happened before a line can work, as lines of shell.
BEFORE = {
    "genredb evaluate --compare-to HEAD": (
        "git init -q && git add dbt_project.yml profiles.yml sql data"
        " && git -c user.name=me -c user.email=me@example.org commit -qm 'as it was'"
        " && sed -i 's/min_genre_songs: 3/min_genre_songs: 4/' dbt_project.yml && genredb build"
    ),
    "genredb pull --database songs.duckdb -o genre.duckdb": (
        "rm genre.duckdb && genredb build --engine spark --database songs.duckdb"
    ),
    "genredb retry": "echo 'select 1' > sql/tests/fails.sql; genredb build || rm sql/tests/fails.sql",
    "genredb freshness --select source:shop": (
        "echo 'sources: [{name: shop, schema: main, tables: [{name: songs, loaded_at_query: select now(),"
        " freshness: {warn_after: {count: 1, period: day}}}]}]' > sql/models/shop.yml"
    ),
    "genredb run-operation clean_up --args 'schema: staging'": (
        "echo '{% macro clean_up(schema) %}{% do run_query(\"drop schema if exists old_\" ~ schema) %}{% endmacro %}'"
        " > sql/macros/clean_up.sql"
    ),
    "genredb classifiers rm artist_forest": "genredb train --classifier artist_forest",
}
# At least one line for every option that a command has beside those of every command.
OPTIONS = {
    "build": [
        "genredb build --select songs+ --exclude submission -f",
        "timeout --preserve-status --signal INT 10 genredb build --watch",
        "genredb build --full-refresh --store-failures --warn-error",
        "genredb build --allow-drops --raw-dir cs98x && genredb build && genredb build --sample",
        "cp target/manifest.json . && echo '-- x' >> sql/models/marts/genres.sql &&"
        " genredb build -s state:modified+ --state .",
        "genredb build --empty --fail-fast && genredb build -x",
        "cp target/manifest.json . && genredb build --defer --favor-state --state . -s songs",
        "genredb build --engine duckdb && ! genredb build --engine duckdb --master local",  # Spark alone has one
    ],
    "deps": ["genredb deps --upgrade"],
    "load": ["genredb load --sample --engine duckdb && ! genredb load --engine duckdb --master local"],
    "plan": ["genredb plan --sample", "genredb plan -s songs --exclude genres --full-refresh", "genredb plan -f --state target --select state:old", "genredb plan --engine duckdb && ! genredb plan --engine duckdb --master local"],
    "retry": ["genredb retry --store-failures --allow-drops", "genredb retry --warn-error --fail-fast"],
    "test": [
        "genredb test --select songs --exclude genres --store-failures",
        "genredb test --fail-fast",
        "genredb test songs --engine duckdb && ! genredb test --engine duckdb --master local",
        "genredb test -s state:modified --state target --warn-error || test $? = 2",  # which matches nothing
    ],
    "freshness": ["! genredb freshness --select source:raw --exclude songs --state target"],  # which has no limit
    "run-operation": ["! genredb run-operation nothing --args 'a: 1'"],  # this project has no macro for it
    "ls": ["genredb ls --select songs --exclude genres --resource-type model", "genredb ls -s state:old --state target"],
    "show": ["genredb show songs --limit 2", "genredb show --inline 'select 1 as x'"],
    "compile": ["genredb compile --inline \"select * from {{ ref('songs') }}\""],
    "lineage": ["genredb lineage raw.songs_train.id --downstream"],
    "train": ["genredb train --classifier forest --set n_estimators=9 --set min_samples_leaf=2"],
    "evaluate": [
        "genredb evaluate --all --help",
        "genredb evaluate majority --protocol seed --label genre_group",
        "genredb evaluate majority --by genre && genredb evaluate majority --learning-curve",
        "cp genre.duckdb before.duckdb && ! genredb evaluate majority --compare-to before.duckdb",  # the same
    ],
    "predict": [
        "genredb predict --min-probability 0.5 --classifier logistic",
        "genredb predict --engine duckdb && ! genredb predict --engine duckdb --master local",
    ],
    "explain": ["genredb explain --title \"$(genredb query 'select title from songs limit 1' --format csv | tail -1)\""],
    "export": [
        "genredb export songs -o s.csv --engine duckdb && ! genredb export songs -o s.csv --engine duckdb --master local",
        "genredb export songs --output songs.parquet && test -s songs.parquet",
        "echo mine > songs.txt && genredb export songs -o songs.txt --force --format csv --raw && test -s songs.txt",
    ],
    "pull": ["! genredb pull --output there.duckdb --force"],  # nothing was built on Spark
    "query": [
        "genredb query 'select 1' --engine duckdb && ! genredb query 'select 1' --engine duckdb --master local",
        "test $(genredb query -f songs.sql --format csv | tail -1) -gt 500",
        "genredb query --format vertical -f songs.sql | grep -q 5",
        "genredb query --file songs.sql --output out.json --format json && test -s out.json",
        "echo mine > kept.csv && ! genredb query 'select 1' -o kept.csv && genredb query 'select 1' -o kept.csv --force",
        "genredb query 'select $x as x' --param x=7 --limit 1 --timeout 9 --trusted | grep -q 7",
    ],
    "shell": ["echo \"select count(*) from 'songs.sql.csv'\" | genredb shell --trusted | grep -q 2"],
    "describe": ["genredb describe --limit 3"],
    "plot": [
        "genredb plot heatmap && test -s heatmap.svg",
        "echo mine > mine.png && genredb plot map --output mine.png --force && grep -q PNG mine.png",
    ],
    "site": [
        "genredb site --output there --open && test -s there/index.html",
        "timeout -s INT 5 genredb site --serve || test $? = 124",
        "! genredb site --with-sql data 2> said; grep -q 'npm install @duckdb/duckdb-wasm' said",
    ],
    "mcp": ["genredb mcp --timeout 5"],
    "sample": ["genredb sample --output made --rows 20 --seed 3 --defects && genredb build --raw-dir made"],
}  # fmt: skip
COMMON = [
    "genredb ls --project-dir . --profiles-dir . --target dev --vars 'baselines: true' --json -q",
    "genredb build --database other.duckdb --raw-dir cs98x --quiet && test -s other.duckdb",
    "genredb build -t dev -v --verbose",
    "genredb build --memory-limit 1GB --threads 1 && GENREDB_MEMORY_LIMIT=50% GENREDB_THREADS=2 genredb predict",
    "GENREDB_DATABASE=other.duckdb GENREDB_RAW_DIR=cs98x GENREDB_QUIET=1 genredb build && test -s other.duckdb",
]


def documented() -> Iterator[str]:
    """Every command line of the documents, and every example of a help text."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if path.name != "cli.md":  # whose examples are those of the help texts
            for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
                yield from (line for line in block.splitlines() if re.match(r"(genredb|echo) ", line))
    for command in commands().values():
        yield from examples(command)


def test_every_option_is_tried() -> None:
    for name, command in commands().items():
        lines = " ".join(OPTIONS.get(name, []))
        for option in own_options(command):
            missing = [one for one in option.opts if not re.search(rf"(?<![\w-]){one}(?![\w-])", lines)]
            assert len(missing) < len(option.opts), f"{name} {missing}"
    known = {one for command in commands().values() for param in command.params for one in param.opts}
    common = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", " ".join(COMMON)))
    assert common <= known
    assert len(common) == 15


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was laid out, built on the sample and a playlist, and predicted."""
    folder = tmp_path_factory.mktemp("documented") / "here"
    assert (
        run(f"genredb init {folder} && cp {folder}/data/sample/*.csv {folder}/data/raw", ROOT).returncode == 0
    )
    write_playlist(folder / "data" / "raw" / "playlist_something.csv", 5)
    (folder / "cs98x").mkdir()
    write_raw(folder / "cs98x")
    for name in ("customers.csv", "orders.csv", "songs.sql.csv"):
        (folder / name).write_text("id,name\n1,a\n2,b\n")
    (folder / "songs.sql").write_text("select count(*) from songs\n")
    done = run("genredb build && genredb predict", folder)
    assert done.returncode == 0, done.stderr
    return folder


def run(line: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a line of shell as a user who has genredb on the path, and whose home is the folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GENREDB_")}
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-ec", line],
        cwd=folder,
        env=clean | {"PATH": paths, "HOME": str(folder), "BROWSER": "true"},  # which opens nothing
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("line", [*dict.fromkeys(documented()), *chain(*OPTIONS.values()), *COMMON])
def test_it_works(line: str, project: Path, tmp_path: Path) -> None:
    if line.startswith("genredb mcp"):
        pytest.importorskip("mcp", reason="needs genredb[mcp]")
    if "spark" in BEFORE.get(line, ""):
        pytest.importorskip("pyspark", reason="needs genredb[spark]; tests/spark/test_verbs.py runs the like")
    here = tmp_path / "here"
    shutil.copytree(project, here)
    before = BEFORE.get(line, BEFORE["genredb retry"] if line.startswith("genredb retry") else "")
    if before:
        assert run(before, here).returncode == 0
    done = run(line, here)
    assert done.returncode == 0, done.stderr
