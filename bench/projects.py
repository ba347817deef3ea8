"""The inputs of benchmarks: raw songs, and dbt projects with any number of models."""

from pathlib import Path

from genredb.songs.sample.write import write_sample

_PROJECT = "name: bench\nversion: '1.0'\nconfig-version: 2\nprofile: bench\n"
_PROFILES = "bench:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: bench.duckdb, threads: 2}\n"


def raw_folder(given: Path | None, folder: Path, rows: int = 453) -> Path:
    """Return the given folder of CSVs, or one with synthetic songs."""
    if given is not None:
        return given.absolute()
    write_sample(folder / "raw", rows)
    return folder / "raw"


def write_generated(folder: Path, models: int) -> None:
    """Write a project of so many models; each reads one or two earlier ones and has a tested key."""
    files = {"dbt_project.yml": _PROJECT, "profiles.yml": _PROFILES}
    for number in range(models):
        part = f"models/part_{number // 50:02}"
        files[f"{part}/model_{number}.sql"] = _generated(number)
        described = (
            f"  - name: model_{number}\n    description: One row per number.\n    columns:\n"
            "      - {name: id, description: The number., data_tests: [not_null]}\n"
        )
        yml = f"{part}/models.yml"
        files[yml] = files.get(yml, "version: 2\n\nmodels:\n") + described
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _generated(number: int) -> str:
    # Every other one is a table, and models read tables: views of views would be computed again and again.
    config = "{{ config(materialized='table') }}\n\n" if number % 2 == 0 else ""
    if number < 10:
        return f"{config}select\n    range as id,\n    range * {number + 1} as amount\nfrom range(20)\n"
    first, second = (n - n % 2 for n in (number - 2 - number % 7, number // 2))
    return (
        f"{config}with\n\nfirst_part as (\n    select * from {{{{ ref('model_{first}') }}}}\n),\n\n"
        f"second_part as (\n    select * from {{{{ ref('model_{second}') }}}}\n)\n\n"
        "select\n    first_part.id,\n    first_part.amount + second_part.amount % 7 as amount\n"
        "from first_part\ninner join second_part on first_part.id = second_part.id\n"
    )
