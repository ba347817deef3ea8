"""A build does not drop what cannot be built again, nor most of a database, unless that is asked for."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from genredb.cli.consent import with_consent
from genredb.errors import ConsentError
from genredb.runner.planning.options import Options
from genredb.runner.project.config import Config, Settings, read_config
from tests.conftest import Cli, rows
from tests.project_files import write_project
from tests.verbs import build, plan, retry

EVENTS = "{{ config(materialized='incremental') }} select 1 as k"
ALLOWED = Options(allow_drops=True)


def relations(config: Config) -> list[str]:
    sql = "select table_name from information_schema.tables where table_schema = 'main' order by all"
    return [name for (name,) in rows(config.database, sql)]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    models = {f"models/{name}.sql": "select 1 as a" for name in ("one", "two", "three")}
    config = write_project(tmp_path, {**models, "models/events.sql": EVENTS})
    build(config)
    build(config, options=Options(selected=["events"], is_full_refresh=False))
    return config


def remove(config: Config, *names: str) -> None:
    for name in names:
        (config.root / "models" / f"{name}.sql").unlink()


@pytest.mark.parametrize(
    ("change", "message", "left"),
    [
        (
            lambda config: remove(config, "events"),
            "This build would drop main.events (whose rows of earlier builds cannot be rebuilt); fix the project, "
            "or add --allow-drops if this is intended.",
            ["one", "three", "two"],
        ),
        (
            lambda config: (config.root / "models" / "events.sql").write_text("select 1 as k"),
            "drop main.events (whose rows",
            ["events", "one", "three", "two"],
        ),
        (
            lambda config: (config.root / "models" / "events.sql").write_text(
                EVENTS.replace("incremental'", "incremental', alias='Events'")
            ),
            "drop main.events (whose rows",
            ["Events", "one", "three", "two"],
        ),
        (
            lambda config: remove(config, "one", "two", "three"),
            "drop 3 of the 4 relations: main.one, main.three, main.two; fix",
            ["events"],
        ),
    ],
)
def test_a_large_drop_is_refused_and_planned_and_done_if_allowed(
    config: Config, change: Callable[[Config], object], message: str, left: list[str]
) -> None:
    before = config.database.read_bytes()
    change(config)
    assert plan(config).large_drop
    with pytest.raises(ConsentError) as refused:
        build(config)
    assert message in str(refused.value)
    assert config.database.read_bytes() == before
    assert build(config, options=ALLOWED).is_published
    assert relations(config) == left
    assert not plan(config).large_drop


def test_relations_that_move_may_all_go_unasked(config: Config) -> None:
    for name in ("one", "two", "three"):
        (config.root / "models" / f"{name}.sql").write_text(
            f"{{{{ config(alias='{name}_') }}}} select 1 as a"
        )
    assert build(config).is_published
    assert relations(config) == ["events", "one_", "three_", "two_"]


def test_half_of_the_relations_may_go_unasked(config: Config) -> None:
    remove(config, "one", "two")
    assert build(config).is_published
    assert relations(config) == ["events", "three"]


def test_a_misspelt_folder_stops_with_exit_2_where_nobody_can_be_asked(config: Config, cli: Cli) -> None:
    """``model_paths`` for ``model-paths``, or a folder that was renamed: the models are not found."""
    (config.root / "models").rename(config.root / "modells")
    done = cli("build", cwd=config.root)
    assert (done.code, "would drop main.events" in done.err) == (2, True), done.err
    done = cli("plan", cwd=config.root)
    assert "it stops unless --allow-drops is given" in done.err
    assert cli("build", "--allow-drops", cwd=config.root).code == 0


def test_on_a_terminal_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(given: frozenset[str]) -> str:
        if "--allow-drops" not in given:
            raise ConsentError("This build would drop it", cure="mend", option="--allow-drops")
        return "dropped"

    with pytest.raises(ConsentError):
        with_consent(run)
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    asked: list[str] = []
    monkeypatch.setattr(typer, "confirm", lambda text, **_: asked.append(text))
    assert with_consent(run) == "dropped"
    assert asked == ["This build would drop it; mend.\nContinue as with --allow-drops?"]


def test_a_retry_goes_on_with_what_the_failed_build_was_told(tmp_path: Path) -> None:
    model = "{{ config(materialized='table') }} select {{ var('number', 1) }} as a {{ var('wrong', '') }}"
    write_project(tmp_path, {"models/one.sql": model, "models/two.sql": "select * from {{ ref('one') }}"})

    def settled(**variables: object) -> Config:
        return read_config(Settings(project_dir=tmp_path, vars=variables))

    build(settled())
    assert build(settled(number=7, wrong=", error('no')")).exit_code == 3
    assert retry(settled(wrong="")).exit_code == 0
    assert rows(settled().database, "from two") == [(7,)]
