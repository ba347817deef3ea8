"""Groups and access: who may read a model, and what is said to others."""

import json
from pathlib import Path

import pytest

from genredb.errors import ProjectError
from genredb.runner.graph.select import select
from genredb.runner.planning.options import Options
from tests.project_files import compiled, write_project
from tests.verbs import build

GROUPS = "groups: [{name: g, owner: {name: Ada, slack: '#g'}}, {name: h, owner: {email: h@x.org}}]\n"
SECRET = {"models/secret.sql": "{{ config(group='g', access='private') }} select 1 as a"}


def files(reader: str = "", entry: str = "", **others: str) -> dict[str, str]:
    stated = f"{GROUPS}models: [{{name: reader{entry}}}]\n"
    reads = {"models/reader.sql": f"{reader}\nselect * from {{{{ ref('secret') }}}}"}
    return {**SECRET, **reads, "models/p.yml": stated, **others}


@pytest.mark.parametrize(
    ("reader", "entry"),
    [("{{ config(group='g') }}", ""), ("", ", group: g"), ("", ", config: {group: g}")],
)
def test_a_group_reads_its_own_private_models(tmp_path: Path, reader: str, entry: str) -> None:
    assert compiled(tmp_path, files(reader, entry)).nodes["model.small.reader"].depends_on


@pytest.mark.parametrize("reader", ["", "{{ config(group='h') }}"])
def test_others_are_refused_with_the_line(tmp_path: Path, reader: str) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, files(reader))
    assert str(error.value).startswith(
        "models/reader.sql:2: reader may not read secret, which is private to the group 'g'; "
        "let it be public, or read another model."
    )


def test_a_check_is_in_the_group_of_what_it_checks(tmp_path: Path) -> None:
    checked = "models: [{name: secret, columns: [{name: a, data_tests: [not_null]}]}]"
    stated = SECRET | {"models/p.yml": GROUPS, "models/s.yml": checked}
    assert "test.small.not_null_secret_a" in compiled(tmp_path, stated).nodes
    with pytest.raises(ProjectError, match="t may not read secret"):
        compiled(tmp_path, stated | {"tests/t.sql": "select * from {{ ref('secret') }} where a = 0"})


def test_a_relationship_with_a_private_model_is_refused_at_its_line(tmp_path: Path) -> None:
    related = (
        "models:\n  - name: open\n    columns:\n      - name: a\n        data_tests:\n"
        "          - relationships: {arguments: {to: ref('secret'), field: a}}\n"
    )
    stated = SECRET | {"models/p.yml": GROUPS, "models/o.yml": related, "models/open.sql": "select 1 as a"}
    with pytest.raises(ProjectError, match="models/o.yml:6: .* may not read secret, which is private"):
        compiled(tmp_path, stated)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (", group: gg", "there is no group 'gg', which reader is in. Did you mean 'g'?"),
        (", access: secret", "`access:` should be one of private, protected, public, not 'secret'"),
        (", group: [g]", "`group:` should be a string"),
    ],
)
def test_what_is_no_group_or_access_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(
            tmp_path, files("{{ config(group='g') }}", entry) if "access" in entry else files(entry=entry)
        )
    assert message in str(error.value)


def test_a_group_needs_an_owner(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="the group g needs an `owner:` with a name or an email"):
        compiled(tmp_path, {"models/m.sql": "select 1", "models/p.yml": "groups: [{name: g, owner: {}}]"})


@pytest.mark.parametrize(
    ("restricted", "access", "refused"),
    [(True, "protected", True), (True, "public", False), (False, "protected", False)],
)
def test_a_package_may_keep_its_models(tmp_path: Path, restricted: bool, access: str, refused: bool) -> None:
    stated = {
        "packages.yml": "packages: [{local: ./shared}]",
        "shared/dbt_project.yml": f"name: shared\nversion: '1'\nprofile: small\nrestrict-access: {restricted}\n",
        "shared/models/own.sql": f"{{{{ config(access='{access}') }}}} select 1 as a",
        "models/m.sql": "select * from {{ ref('shared', 'own') }}",
    }
    if refused:
        with pytest.raises(
            ProjectError, match="m may not read own, which is protected in the package shared"
        ):
            compiled(tmp_path, stated)
    else:
        assert compiled(tmp_path, stated).nodes["model.small.m"].depends_on == ("model.shared.own",)


@pytest.mark.parametrize(
    ("selector", "names"),
    [("group:g", {"secret", "reader"}), ("access:private", {"secret"}), ("access:protected", {"reader"})],
)
def test_they_are_selected(tmp_path: Path, selector: str, names: set[str]) -> None:
    chosen = select(compiled(tmp_path, files(entry=", group: g")), [selector])
    assert {unique_id.rpartition(".")[2] for unique_id in chosen} == names


def test_the_manifest_has_them(tmp_path: Path) -> None:
    config = write_project(tmp_path, files(entry=", group: g"))
    build(config)
    manifest = json.loads((tmp_path / "target" / "manifest.json").read_text())
    assert manifest["groups"]["group.small.g"]["owner"] == {"name": "Ada", "slack": "#g"}
    assert manifest["group_map"] == {"g": ["model.small.secret", "model.small.reader"], "h": []}
    secret = manifest["nodes"]["model.small.secret"]
    assert (secret["access"], secret["group"]) == ("private", "g")


def test_a_changed_group_rebuilds_nothing(tmp_path: Path) -> None:
    build(write_project(tmp_path, SECRET | {"models/p.yml": GROUPS}))
    moved = {"models/secret.sql": SECRET["models/secret.sql"].replace("'g'", "'h'")}
    config = write_project(tmp_path, moved | {"models/p.yml": GROUPS})
    assert build(config, options=Options()).results == ()
