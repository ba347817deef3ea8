"""The page "Lineage" and the pages of nodes: the graph, the path of a column, search, any dbt project."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bench.projects import write_generated
from genredb.catalog import Catalog
from genredb.look.site.dag import addresses, read_dag
from genredb.look.site.frame import Site
from genredb.look.site.write import write_site
from genredb.runner.project.config import Config, Settings, read_config
from tests.conftest import Shared
from tests.project_files import write_project
from tests.site.browser import Opened, follow, opened
from tests.verbs import build

# The way of the column nrgy from the file of training songs to the submission.
WAY = (
    "CS98XClassificationTrain.csv",
    "raw.songs_train",
    "staging.stg_songs",
    "songs",
    "features.song_features",
    "features.train",
    "genredb train",
    "genredb predict",
    "ml.predictions",
    "submission",
)
HOSTILE = "<script>alert(1)</script>"
REVERSED = "\u202eevil"
ODD = 'a&b=c#d "e"/%41'
ALL = " || ".join(f"'{text}'" for text in (HOSTILE, REVERSED, "x" * 10_000))

FOREIGN = {
    "seeds/people.csv": "id,name\n1,Ada\n2,Bob\n3,\n",
    "models/staging/stg_people.sql": (
        "/* </script><script>alert(2)</script> */\n"
        f'select id, upper(name) as "{REVERSED}", name, {ALL} as "{HOSTILE}"\n'
        "from {{ ref('people') }}"
    ),
    "models/marts/greetings.sql": (
        f"select id, 'hello ' || name as greeting, id + 1 as \"{ODD.replace(chr(34), chr(34) * 2)}\"\n"
        "from {{ ref('stg_people') }} where id > 0"
    ),
    "models/marts/drawn.sql": "{{ config(materialized='view') }} select * from range(3) as t(number)",
    "models/marts/alike.sql": "{{ config(alias='alike_2', tags=['<b>tag</b>']) }} select 1 as a",
    "models/marts/a.b.sql": "select 1 as a",
    "models/models.yml": f"""
models:
  - name: stg_people
    description: {json.dumps(f"{HOSTILE} {REVERSED} " + "long " * 2_000)}
    columns:
      - name: name
        description: The name.
        data_tests: [{{not_null: {{config: {{severity: warn}}}}}}]
  - {{name: greetings, columns: [{{name: id, data_tests: [unique]}}]}}
""",
}


def paths_of(page: Page) -> list[str]:
    """The nodes on the path shown, in its order; the address changes first, and the list with the next event."""
    page.wait_for_selector("[data-path-list] > li", state="attached")
    return page.locator("[data-path-list] > li > a:first-child").all_inner_texts()


def box(page: Page, address: str) -> Locator:
    return page.locator(f"a.node[href='{address}']")


def is_led(page: Page, start: str, end: str) -> bool:
    """Whether lines that are lit lead from one node to another."""
    lines = [
        tuple(value.split())
        for value in page.locator(".lines path.lit").evaluate_all("all => all.map((one) => one.dataset.line)")
    ]
    reached = {page.locator(f"a.node[href='{start}']").get_attribute("data-node")}
    for _ in lines:
        reached |= {target for source, target in lines if source in reached}
    return page.locator(f"a.node[href='{end}']").get_attribute("data-node") in reached


@pytest.fixture(scope="module")
def foreign(shared: Shared) -> Config:
    """A dbt project without songs, with texts that look like markup and a check that warns, and its report."""

    def fill(folder: Path) -> None:
        config = write_project(folder, FOREIGN)
        assert build(config).is_published
        with Catalog(config) as catalog:
            write_site(catalog, folder / "site")

    return read_config(Settings(project_dir=shared("foreign-lineage", fill)))


@pytest.fixture
def foreign_tab(chrome: Browser, foreign: Config) -> Iterator[Opened]:
    with opened(chrome, foreign.root / "site") as found:
        yield found
        assert found.faults == []


@pytest.mark.slow
def test_a_click_on_a_column_lights_its_path_from_the_csv_to_the_submission(tab: Opened) -> None:
    tab.go("node/source-genredb-raw-songs-train.html")
    tab.page.get_by_role("link", name="nrgy", exact=True).click()
    found = paths_of(tab.page)
    assert [name for name in found if name in WAY] == list(WAY)
    assert "ml.group_sets" in found
    assert not {"CS98XClassificationTest.csv", "staging.stg_genres"} & set(found)
    tab.page.get_by_role("link", name="Show in the whole graph").click()
    tab.page.wait_for_url("**/lineage.html#column=raw.songs_train.nrgy")
    assert paths_of(tab.page) == found
    start, end = "node/file-cs98xclassificationtrain-csv.html", "node/model-genredb-submission.html"
    assert is_led(tab.page, start, end)
    assert "lit" in str(box(tab.page, start).get_attribute("class"))
    other = box(tab.page, "node/file-cs98xclassificationtest-csv.html")
    assert "lit" not in str(other.get_attribute("class")).split()
    assert float(other.evaluate("one => getComputedStyle(one).opacity")) < 0.5
    tab.page.get_by_role("button", name="Clear").click()
    assert tab.page.locator(".lit").count() == 0
    assert tab.page.url.removesuffix("#").endswith("/lineage.html")


@pytest.mark.slow
def test_the_path_says_how_a_column_contributes(tab: Opened) -> None:
    tab.go("node/model-genredb-songs.html#column=genre_group")
    by_value = paths_of(tab.page)
    assert "join key" not in tab.page.locator("[data-path-list]").inner_text()
    tab.page.get_by_label("also by joins").check()
    assert set(paths_of(tab.page)) > set(by_value)
    assert "(join key)" in tab.page.locator("[data-path-list]").inner_text()
    url = tab.page.url
    tab.go("index.html")
    tab.page.goto(url)
    assert tab.page.get_by_label("also by joins").is_checked()


@pytest.mark.slow
def test_a_link_to_a_column_shows_it_in_the_graph(tab: Opened) -> None:
    tab.go("node/source-genredb-ml-predictions.html#column=genre")
    tab.page.wait_for_timeout(200)
    row = tab.page.locator(".columns tr.lit")
    assert row.locator("th").inner_text() == "genre"
    top = tab.page.locator("[data-graph]").bounding_box()
    assert top is not None
    assert 0 <= top["y"] < 400


@pytest.mark.slow
def test_a_column_that_does_not_exist_is_named_as_such(tab: Opened) -> None:
    tab.go("lineage.html#column=songs.nonsense")
    expect(tab.page.get_by_text("There is no such column.")).to_be_visible()
    assert tab.page.locator(".tracing").count() == 0


@pytest.mark.slow
def test_the_keyboard_is_enough(tab: Opened) -> None:
    tab.go("lineage.html")
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("songs.nrgy")
    found = tab.page.get_by_role("list", name="Results").get_by_role("link")
    names = [text.split("\n")[0] for text in found.all_inner_texts()]
    assert names[0] == "songs.nrgy"
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**#column=songs.nrgy")
    assert "submission" in paths_of(tab.page)
    tab.page.keyboard.press("/")
    tab.page.locator("#find").fill("submission")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/node/model-genredb-submission.html")
    own = tab.page.locator("a.node.own")
    own.focus()
    tab.page.keyboard.press("Shift+Tab")
    before = tab.page.evaluate("document.activeElement.getAttribute('href')")
    assert before.startswith("../node/")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**{before.removeprefix('..')}")


@pytest.mark.slow
def test_the_search_finds_nodes_and_columns_and_says_when_there_are_none(tab: Opened) -> None:
    tab.go("node/model-genredb-songs.html")
    field, results = tab.page.locator("#find"), tab.page.locator("[data-found]")
    field.fill("genre_profiles")
    assert results.get_by_role("link").first.inner_text().split() == ["genre_profiles", "table"]
    assert results.get_by_role("link", name="genre_profiles.mean").count() == 1
    field.fill("no such thing")
    assert results.inner_text() == "Nothing found"
    tab.page.keyboard.press("Escape")
    expect(results).to_be_hidden()


@pytest.mark.slow
def test_without_scripts_links_lead_from_the_submission_back_to_the_csv(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, java_script_enabled=False) as tab:
        tab.go("lineage.html")
        expect(box(tab.page, "node/model-genredb-submission.html")).to_be_visible()
        expect(tab.page.locator("#find")).to_be_hidden()
        tab.go("node/model-genredb-submission.html")
        expect(tab.page.locator("pre.code").first).to_be_visible()
        follow(tab.page, tab.page.locator("[id='column=top genre'] td a", has_text="ml.predictions.genre"))
        follow(tab.page, tab.page.locator("[id='column=genre'] td a", has_text="genredb predict"))
        follow(tab.page, tab.page.locator("main li a", has_text="genredb train"))
        follow(tab.page, tab.page.locator("main li a", has_text="nrgy"))
        for name in ("features.song_features", "songs", "staging.stg_songs", "raw.songs_train"):
            follow(
                tab.page,
                tab.page.locator("[id='column=nrgy'] td a", has_text=re.compile(rf"^{re.escape(name)}\.")),
            )
        follow(tab.page, tab.page.locator("[id='column=nrgy'] td a", has_text="CS98XClassificationTrain.csv"))
        expect(tab.page.locator("h1")).to_have_text(re.compile("^CS98XClassificationTrain.csv"))
        expect(tab.page.locator("[id='column=nrgy']")).to_be_visible()


@pytest.mark.slow
def test_a_graph_is_zoomed_and_dragged_in_its_region(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, viewport={"width": 390, "height": 800}) as tab:
        tab.go("lineage.html")
        region = tab.page.locator("[data-graph]")
        assert region.evaluate("one => one.scrollWidth > one.clientWidth")
        tab.page.get_by_role("button", name="Fit").click()
        assert region.evaluate("one => one.scrollWidth <= one.clientWidth")
        tab.page.get_by_role("button", name="Full size").click()
        height = tab.page.locator("a.node text").first.evaluate("one => one.getBoundingClientRect().height")
        assert height > 10
        place = region.bounding_box()
        assert place is not None
        tab.page.mouse.move(place["x"] + 300, place["y"] + 100)
        tab.page.mouse.down()
        tab.page.mouse.move(place["x"] + 100, place["y"] + 100, steps=4)
        tab.page.mouse.up()
        assert region.evaluate("one => one.scrollLeft") >= 150
        assert tab.page.url.endswith("lineage.html")
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_a_node_shows_its_facts(tab: Opened) -> None:
    tab.go("node/model-genredb-songs.html")
    text = tab.page.locator("main").inner_text()
    for fact in ("main.songs", "sql/models/marts/songs.sql", "unique of songs.song_key", "train:1"):
        assert fact in text
    expect(tab.page.locator("pre.code .k", has_text="with").first).to_be_visible()
    tab.page.get_by_text("Compiled", exact=True).click()
    expect(tab.page.locator("pre.code", has_text='"staging"."stg_songs"')).to_be_visible()
    tab.go("node/file-cs98xclassificationtrain-csv.html")
    files = tab.page.get_by_role("region", name="Files").locator("tbody td").all_inner_texts()
    assert files[:4] == ["CS98XClassificationTrain.csv", "raw.songs_train", "13", "13"]
    expect(tab.page.locator("tr", has_text="top genre").get_by_text("top_genre")).to_be_visible()


@pytest.mark.slow
def test_a_project_without_songs_has_the_pages(foreign_tab: Opened) -> None:
    foreign_tab.go("lineage.html")
    page = foreign_tab.page
    assert page.locator("a.node").count() == 6
    assert page.locator("a.node.k-python").count() == 0
    for path in sorted(foreign_tab.folder.rglob("node/*.html")):
        foreign_tab.go(str(path.relative_to(foreign_tab.folder)))
        assert page.locator("a.node.own").count() == 1
        assert page.locator("main script, main b").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_a_check_that_warns_shows_its_rows(foreign_tab: Opened) -> None:
    foreign_tab.go("lineage.html")
    page = foreign_tab.page
    assert "A check of it fails." in str(page.locator("a.node.failed title").text_content())
    assert page.locator("a.node.failed").get_attribute("href") == "node/model-small-stg-people.html"
    follow(page, page.locator("a.node.failed"))
    expect(page.locator("tr", has_text="not_null of stg_people.name").get_by_text("warns")).to_be_visible()
    rows = page.get_by_role("region", name="Failing rows").locator("tbody tr")
    assert rows.count() == 1
    assert rows.first.locator("td").first.inner_text() == "3"
    expect(rows.first.get_by_text("NULL").first).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("column", [ODD, HOSTILE, REVERSED])
def test_any_name_of_a_column_can_be_traced(foreign_tab: Opened, column: str) -> None:
    model = "greetings" if column == ODD else "stg-people"
    foreign_tab.go(f"node/model-small-{model}.html")
    page = foreign_tab.page
    page.locator(".columns tbody th a").get_by_text(column, exact=True).click()
    assert page.locator("[data-path-name]").inner_text().endswith(column.lower())
    follow(page, page.get_by_role("link", name="Show in the whole graph"))
    page.wait_for_selector(".lit", state="attached")
    expect(page.locator("[data-path-problem]")).to_be_hidden()


def test_nodes_of_one_name_have_pages_of_their_own(tmp_path: Path) -> None:
    config = write_project(
        tmp_path,
        {
            "models/things.sql": "select * from {{ source('raw', 'things') }}",
            "models/a_b.sql": "select 1 as a",
            "models/A-B.sql": "select 1 as a",
            "models/sources.yml": "sources: [{name: raw, tables: [{name: things}]}]",
        },
    )
    with Catalog(config) as catalog:
        found = addresses(Site(catalog, ()))
    assert found["model.small.things"] != found["source.small.raw.things"]
    assert len({path.lower() for path in found.values()}) == len(found)
    assert all(re.fullmatch(r"node/[a-z0-9-]+\.html", path) for path in found.values())


def test_the_python_layer_is_drawn_where_its_tables_are_read() -> None:
    with Catalog(read_config(Settings(project_dir=Path(__file__).parents[2]))) as catalog:
        dag = read_dag(catalog)
    steps = {step.name: step for step in dag.steps}
    assert steps["train"].reads == ("model.genredb.train",)
    assert steps["predict"].reads == ("python.train", "model.genredb.predict")
    assert steps["predict"].writes == ("source.genredb.ml.predictions",)
    assert steps["evaluate"].writes == ("source.genredb.ml.group_sets",)
    places = [dag.places[node] for node in ("file.CS98XClassificationTrain.csv", "model.genredb.submission")]
    assert places == sorted(places)


def test_features_made_of_predictions_do_not_stop_the_picture(tmp_path: Path) -> None:
    files = {
        "models/train.sql": "{{ config(schema='features') }} select * from {{ source('ml', 'predictions') }}",
        "models/sources.yml": "sources: [{name: ml, tables: [{name: predictions}]}]",
        "macros/names.sql": "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}",
    }
    with Catalog(write_project(tmp_path, files)) as catalog:
        dag = read_dag(catalog)
    assert set(dag.nodes) == {"model.small.train", "source.small.ml.predictions"}


def page_of(config: Config, folder: Path, name: str) -> str:
    with Catalog(config) as catalog:
        write_site(catalog, folder)
    return (folder / name).read_text(encoding="utf-8")


def test_a_page_says_why_columns_cannot_be_traced(tmp_path: Path) -> None:
    files = {
        "models/one.sql": "select 1 as a, 2 as b",
        "models/turned.sql": "select columns(*) from {{ ref('one') }}",
        "models/two.sql": "select * from {{ ref('turned') }}",
    }
    config = write_project(tmp_path, files)
    assert build(config).is_published
    page = page_of(config, tmp_path / "site", "node/model-small-turned.html")
    assert "Some columns may not be traced" in page
    assert "First rows" in page


def test_a_relation_that_is_gone_or_unreadable_is_told(tmp_path: Path) -> None:
    (tmp_path / "numbers.csv").write_text("a\n1\n")
    files = {
        "models/read.sql": (
            "{{ config(materialized='view') }} select * from read_csv('{{ env_var(\"HERE\") }}/numbers.csv')"
        ),
        "models/one.sql": "select 1 as a",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERE", str(tmp_path))
        config = write_project(tmp_path, files)
        assert build(config).is_published
        (tmp_path / "numbers.csv").unlink()
        (tmp_path / "models" / "new.sql").write_text("select 1 as a")
        page = page_of(config, tmp_path / "site", "node/model-small-read.html")
        assert "The rows cannot be read" in page
        assert "no such table or view" in (tmp_path / "site/node/model-small-new.html").read_text()


@pytest.mark.slow
def test_a_thousand_models_have_an_index_a_graph_and_small_pages(chrome: Browser, tmp_path: Path) -> None:
    write_generated(tmp_path, 1_000)
    config = read_config(Settings(project_dir=tmp_path))
    assert build(config).is_published
    with Catalog(config) as catalog:
        write_site(catalog, tmp_path / "site")
    sizes = [path.stat().st_size for path in (tmp_path / "site" / "node").iterdir()]
    assert len(sizes) == 1_000
    assert max(sizes) < 60_000
    with opened(chrome, tmp_path / "site") as tab:
        tab.go("lineage.html")
        assert tab.page.locator("table.nodes a").count() == 1_000
        assert tab.page.locator("svg").count() == 0
        tab.page.locator("#find").fill("model_999")
        tab.page.locator("[data-found] a").first.click()
        tab.page.wait_for_url("**/node/model-bench-model-999.html")
        assert 2 <= tab.page.locator("a.node").count() <= 60
        tab.page.get_by_role("link", name="amount", exact=True).first.click()
        tab.page.get_by_role("link", name="Show in the whole graph").click()
        tab.page.wait_for_url("**/lineage-graph.html#column=model_999.amount")
        assert tab.page.locator("a.node").count() == 1_000
        assert tab.page.locator("a.node.lit").count() == len(paths_of(tab.page)) > 5
        assert tab.faults == []
