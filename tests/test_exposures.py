"""Exposures: nodes that a build leaves alone, but that are listed, selected, checked and in the manifest."""

import json
from pathlib import Path

import pytest

from genredb.errors import ProjectError, UsageError
from genredb.runner.graph.nodes import Exposure
from genredb.runner.graph.select import select
from genredb.runner.planning.options import Options
from tests.project_files import compiled, write_project
from tests.verbs import build

OWNER = "owner: {name: Ada, email: ada@x.org}"


def files(entry: str = "", depends_on: str = "[ref('m')]", owner: str = OWNER) -> dict[str, str]:
    head = f"exposures:\n  - {{name: board, type: dashboard, {owner}, depends_on: {depends_on}{entry}}}\n"
    models = {"models/m.sql": "select * from {{ ref('above') }}", "models/above.sql": "select 1 as a"}
    return {**models, "models/other.sql": "select 2 as b", "models/e.yml": head}


def test_it_uses_what_it_names(tmp_path: Path) -> None:
    found = compiled(tmp_path, files(depends_on="[ref('m'), \"ref('small', 'other')\"]"))
    (exposure,) = found.of_type(Exposure)
    assert exposure.unique_id == "exposure.small.board"
    assert exposure.depends_on == ("model.small.m", "model.small.other")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("exposure:board", {"board"}),
        ("exposure:small.b*", {"board"}),
        ("+exposure:board", {"board", "m", "above"}),
        ("above+", {"above", "m", "board"}),
        ("resource_type:exposure", {"board"}),
        ("tag:weekly", {"board"}),
    ],
)
def test_it_is_selected(tmp_path: Path, selector: str, names: set[str]) -> None:
    chosen = select(compiled(tmp_path, files(", tags: [weekly]")), [selector])
    assert {unique_id.rpartition(".")[2] for unique_id in chosen} == names


def test_a_misspelt_one_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="The selector 'exposure:bord' matches nothing. Did you mean 'board'?"
    ):
        select(compiled(tmp_path, files()), ["exposure:bord"])


def test_a_build_of_what_it_uses(tmp_path: Path) -> None:
    config = write_project(tmp_path, files())
    results = build(config, options=Options(selected=("+exposure:board",))).results
    assert [result.node.name for result in results] == ["above", "m"]
    assert [result.node.name for result in build(config).results] == ["other"]
    assert build(config).results == ()


def test_a_changed_one_rebuilds_nothing(tmp_path: Path) -> None:
    build(write_project(tmp_path, files()))
    config = write_project(tmp_path, files(", url: https://x.org", "[ref('other')]"))
    assert build(config).results == ()


def test_the_manifest_has_it(tmp_path: Path) -> None:
    build(write_project(tmp_path, files(", maturity: high, description: Weekly., meta: {a: 1}")))
    manifest = json.loads((tmp_path / "target" / "manifest.json").read_text())
    found = manifest["exposures"]["exposure.small.board"]
    assert (found["type"], found["maturity"], found["description"]) == ("dashboard", "high", "Weekly.")
    assert found["owner"] == {"name": "Ada", "email": "ada@x.org"}
    assert manifest["parent_map"]["exposure.small.board"] == ["model.small.m"]


def test_one_that_is_off_is_left_out(tmp_path: Path) -> None:
    entry = ", config: {enabled: false}"
    assert not compiled(tmp_path, files(entry, "[ref('gone')]")).of_type(Exposure)


def test_a_metric_is_named_as_ignored(tmp_path: Path) -> None:
    found = compiled(tmp_path, files(depends_on="[ref('m'), metric('n')]"))
    said = "models/e.yml:2: genredb ignores metric('n'), which the exposure board uses."
    assert list(map(str, found.notices)) == [said]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (
            files(depends_on="[ref('mm')]"),
            "models/e.yml:2: ref('mm') refers to no model or seed. Did you mean 'm'?",
        ),
        (
            files(depends_on="[m]"),
            "`depends_on:` of the exposure board should hold ref(…) or source(…), not m",
        ),
        (files(depends_on="{a: b}"), "`depends_on:` should be a string or a list of strings"),
        (files(", maturity: hig"), "`maturity:` of the exposure board cannot be 'hig'. Did you mean 'high'?"),
        (files(owner="owner: {}"), "the exposure board needs an `owner:` with a name or an email"),
        (files(", typ: x"), "unknown key `typ:` of an exposure. Did you mean 'type'?"),
        (
            files() | {"models/m.sql": "{{ config(access='private') }} select 1 as a"},
            "models/e.yml:2: board may not read m, which is private but in no group",
        ),
    ],
)
def test_what_is_no_exposure_is_refused(tmp_path: Path, stated: dict[str, str], message: str) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, stated)
    assert message in str(error.value)
