"""Models of many forms, brought up to date by changed rows: which can be, and that their rows are right."""

import random
from pathlib import Path

import pytest
import yaml

from genredb.runner.flow.locality import ByKey, ByRow
from genredb.runner.planning.state import read_state
from genredb.runner.project.config import Config, Settings, read_config
from genredb.runner.results import BuildResult
from genredb.warehouse.database import open_reader
from tests.built_anew import built_anew, contents
from tests.project_files import write_project
from tests.verbs import build, load, plan

pytestmark = pytest.mark.usefixtures("few_rows_are_enough")

MODELS: list[dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("incremental_models.yml").read_text(encoding="utf-8")
)
SOURCES = """
sources:
  - name: raw
    tables:
      - name: sales
        config: {meta: {file: sales.csv, key: id}}
        columns:
          - {name: id, data_type: integer}
          - {name: shop, data_type: varchar}
          - {name: item, data_type: varchar}
          - {name: amount, data_type: integer}
      - name: shops
        config: {meta: {file: shops.csv}}
        columns:
          - {name: shop, data_type: varchar}
          - {name: city, data_type: varchar}
"""
SALES, SHOPS = Path("data/raw/sales.csv"), Path("data/raw/shops.csv")


@pytest.fixture
def project(tmp_path: Path) -> Config:
    """A project of all the models, built once."""
    names = {"sales": "{{ source('raw', 'sales') }}", "shops": "{{ source('raw', 'shops') }}"}
    files = {"models/sources.yml": SOURCES, str(SALES): "id,shop,item,amount\n", str(SHOPS): "shop,city\n"}
    for model in MODELS:
        sql = model["sql"]
        for name, source in names.items():
            sql = sql.replace(f"{{{{ {name} }}}}", source)
        files[f"models/{model['name']}.sql"] = "{{ config(materialized='table') }}\n" + sql
        # Another model reads it, so that its own changes must be right, too.
        files[f"models/copy_{model['name']}.sql"] = (
            "{{ config(materialized='table') }}\nselect * from {{ ref('" + model["name"] + "') }}"
        )
        # It may be a view, too, which is a part of what reads it.
        files[f"models/view_{model['name']}.sql"] = "{{ config(materialized='view') }}\n" + sql
        files[f"models/seen_{model['name']}.sql"] = (
            "{{ config(materialized='table') }}\nselect * from {{ ref('view_" + model["name"] + "') }}"
        )
        files[f"tests/odd_{model['name']}.sql"] = (
            "{{ config(severity='warn') }}\nselect 1 as is_odd from {{ ref('view_"
            + model["name"]
            + "') }} as seen where hash(seen) % 19 = 0"
        )
    config = write_project(tmp_path, files)
    add_sales(config, random.Random(1), 12)
    add_shops(config, random.Random(2), 4)
    assert built(config).exit_code == 0
    return config


def add_sales(config: Config, rng: random.Random, count: int) -> None:
    path = config.home / SALES
    held = len(path.read_text().splitlines()) - 1
    with path.open("a") as file:
        for number in range(held + 1, held + 1 + count):
            shop, item = rng.choice(["a", "b", "c", "Rome", ""]), rng.choice(["a", "banana", "pear", ""])
            file.write(f"{number},{shop},{item},{rng.choice(['', 1, 2, 3, 4, 5])}\n")


def add_shops(config: Config, rng: random.Random, count: int) -> None:
    with (config.home / SHOPS).open("a") as file:
        for _ in range(count):
            file.write(
                f"{rng.choice(['a', 'b', 'd', 'pear', ''])},{rng.choice(['Rome', 'Oslo', 'a', 'x', ''])}\n"
            )


def built(config: Config) -> BuildResult:
    result = build(config)
    assert result.exit_code == 0, [one.message for one in result.results if one.message]
    return result


def warnings(config: Config) -> set[str]:
    """The checks that warned."""
    with open_reader(config.database) as connection:
        state = read_state(connection)
    return {unique_id for unique_id, node in state.nodes.items() if node.has_warned}


def hows(config: Config) -> dict[str, str]:
    """How the plan brings each model up to date."""
    found: dict[str, str] = {}
    for unique_id, how in plan(config).updates.localities.items():
        words = {ByRow: "rows", ByKey: "keys"}
        found[unique_id.rpartition(".")[2]] = words.get(type(how), "anew")
    return found


def test_the_plan_knows_which_models_can_be_brought_up_to_date(project: Config) -> None:
    add_sales(project, random.Random(3), 2)
    alone = hows(project)
    add_shops(project, random.Random(3), 2)
    both = hows(project)
    found = {m["name"]: f"{alone.get(m['name'], 'rows')}/{both.get(m['name'])}" for m in MODELS}
    assert found == {model["name"]: model["how"] for model in MODELS}


def test_hooks_of_the_project_might_change_any_table(project: Config) -> None:
    path = project.home / "dbt_project.yml"
    path.write_text(path.read_text() + "on-run-start: create or replace temp table t as select 1\n")
    config = read_config(Settings(project_dir=project.home))
    built(config)
    add_sales(config, random.Random(3), 2)
    found = plan(config).updates
    assert {found.hindrance(unique_id) for unique_id in found.localities} == {"the project has on-run-start"}
    assert not any(one.is_incremental for one in built(config).results)


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
def test_added_records_give_the_rows_of_a_build_from_nothing(project: Config, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(3):
        if rng.random() < 0.7:
            add_sales(project, rng, rng.randrange(1, 4))
        if rng.random() < 0.7:
            add_shops(project, rng, rng.randrange(1, 3))
        result = built(project)
        anew = built_anew(project)
        found, expected = contents(project, ["main"]), contents(anew, ["main"])
        wrong = {name: (found[name], expected[name]) for name in expected if found[name] != expected[name]}
        assert not wrong
        assert warnings(project) == warnings(anew)
    assert any(one.is_incremental for one in result.results) or not result.results


def test_rows_that_load_added_are_not_left_out(project: Config) -> None:
    rng = random.Random(4)
    add_sales(project, rng, 2)
    load(project)
    add_shops(project, rng, 1)
    built(project)
    assert contents(project, ["main"]) == contents(built_anew(project), ["main"])
    add_sales(project, rng, 1)
    load(project)
    add_sales(project, rng, 1)
    built(project)
    assert contents(project, ["main"]) == contents(built_anew(project), ["main"])


def test_ephemeral_models_are_a_part_of_what_reads_them(project: Config) -> None:
    models = {
        "recent": "{{ config(materialized='ephemeral') }} select id, shop from {{ source('raw', 'sales') }}",
        "kept": "{{ config(materialized='table') }} select * from {{ ref('recent') }} where id > 0",
        "counted": "{{ config(materialized='ephemeral') }}"
        " select shop, count(*) as n from {{ ref('kept') }} group by shop",
        "read_twice": "{{ config(materialized='table') }} select recent.id, counted.*"
        " from {{ ref('recent') }} as recent"
        " inner join {{ ref('counted') }} as counted on recent.shop = counted.shop",
    }
    for name, sql in models.items():
        (project.home / "models" / f"{name}.sql").write_text(sql)
    built(project)
    for seed in (5, 6):
        add_sales(project, random.Random(seed), 2)
        known = hows(project)
        assert (known["kept"], known["read_twice"]) == ("rows", "keys")
        built(project)
        assert contents(project, ["main"]) == contents(built_anew(project), ["main"])
