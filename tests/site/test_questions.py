"""Questions in SQL: the answers are those of `genredb query`; one's own are answered, too, or say why not."""

import csv
import io
import shlex
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from genredb.catalog import Catalog
from genredb.look.site import questions
from genredb.look.site.frame import Site
from genredb.runner.project.config import Config
from tests.conftest import Cli, changed
from tests.project_files import write_project
from tests.site.browser import opened
from tests.site.reading import read, written
from tests.verbs import build


def answered(config: Config) -> list[questions.Answered]:
    with Catalog(config) as catalog:
        themes, _ = questions._themes(Site(catalog, ()))
    return [one for theme in themes.values() for one in theme]


def page_of(config: Config) -> str:
    return written(config, "questions")["questions.html"]


def with_analysis(folder: Path, analyses: dict[str, str]) -> Config:
    """A small project without songs, and analyses of its own."""
    files = {"models/one.sql": "select 1 as a, 'x' as b union all select 2, 'y'"}
    config = write_project(folder, files | {f"sql/analyses/{name}": sql for name, sql in analyses.items()})
    assert build(config).is_published
    return config


def test_every_question_of_every_theme_is_answered(evaluated: Config) -> None:
    stated = [name for names in questions.THEMES.values() for name in names]
    assert len(answered(evaluated)) == len(stated) >= 12
    assert "Left out" not in read(page_of(evaluated)).text
    folder = Path(questions.__file__).parent / "questions"
    assert sorted(stated) == sorted(path.stem for path in folder.glob("*.sql"))


@pytest.mark.slow
def test_a_copied_command_prints_the_rows_of_the_page(cli: Cli, evaluated: Config) -> None:
    environment = {"GENREDB_DATABASE": str(evaluated.database), "GENREDB_RAW_DIR": str(evaluated.raw_dir)}
    asked = answered(evaluated)
    shown = page_of(evaluated)
    for one in (asked[0], asked[3], asked[-2]):
        assert one.rows
        program, *arguments = shlex.split(one.command)
        assert program == "genredb"
        done = cli(*arguments, "--format", "csv", cwd=evaluated.root, env=environment)
        header, *printed = csv.reader(io.StringIO(done.out))
        assert tuple(header) == one.columns
        cells = [["–" if cell == "" else cell for cell in row] for row in printed]
        assert all(row in read(shown).rows for row in cells), one.title


def test_questions_about_missing_columns_are_left_out_by_name(evaluated: Config, tmp_path: Path) -> None:
    statement = "drop schema features cascade; alter table songs rename column dnce to groove"
    page = read(page_of(changed(evaluated, tmp_path, statement))).text
    left_out = page.partition("Left out, since")[2]
    assert "Which common genres are the most danceable" in left_out
    assert "Which genres have the most songs" not in left_out


def test_ones_own_analysis_is_rendered_and_answered(tmp_path: Path) -> None:
    sql = "-- How many <b>rows</b>?\nselect b, a * {{ 2 + 1 }} as triple, [a] as list from {{ ref('one') }} order by a"
    page = read(page_of(with_analysis(tmp_path, {"rows.sql": sql})))
    assert "How many <b>rows</b>?" in page.text
    assert ["x", "3", "[1]"] in page.rows
    assert "b" not in page.tags
    assert "Genres" not in page.text


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select nothing from {{ ref('one') }}", 'column "nothing" not found'),
        ("select * from {{ ref('two') }}", "ref('two') refers to no model or seed"),
        ("select * from read_csv('/etc/passwd')", "Cannot access file"),
        ("drop table one", "Only queries can be run"),
        ("select 1; select 2", "Only one statement"),
        ("{% if %}", "inline:1"),
        ("", "There is no SQL to run"),
        (
            "select count(*) from range(100000000) a, range(100000) b where hash(a.range + b.range) = 1",
            "more than 0.5 s",
        ),
    ],
)
def test_a_broken_analysis_is_a_sentence(
    tmp_path: Path, sql: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "SECONDS", 0.5)
    page = read(page_of(with_analysis(tmp_path, {"mine.sql": sql, "whole.sql": "select 7 as seven"})))
    assert "It could not be answered: " in page.text
    assert says in page.text
    assert ["7"] in page.rows


def test_hostile_sql_and_answers_are_text(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    sql = f"-- {hostile}\nselect '{hostile}' as \"<img src=x>\", repeat('long', 5000) as l -- {hostile}"
    page = read(page_of(with_analysis(tmp_path, {"x.sql": sql})))
    assert not page.tags & {"script", "img"}
    assert page.text.count("alert(1)") >= 3
    assert len(page.text) < 10_000


@pytest.mark.slow
def test_the_button_copies_the_command(chrome: Browser, site: Path, evaluated: Config) -> None:
    with opened(chrome, site, permissions=["clipboard-read", "clipboard-write"]) as tab:
        tab.go("questions.html")
        tab.page.locator(".copy button").first.click()
        tab.page.wait_for_function("document.querySelector('.copy [role=status]').textContent")
        assert tab.faults == []
        if tab.page.locator(".copy [role=status]").first.inner_text() == "Copied.":
            assert tab.page.evaluate("navigator.clipboard.readText()") == answered(evaluated)[0].command
        else:
            assert tab.page.evaluate("getSelection().toString()") == answered(evaluated)[0].command


@pytest.mark.slow
def test_without_scripts_the_commands_can_be_read(chrome: Browser, site: Path, evaluated: Config) -> None:
    with opened(chrome, site, java_script_enabled=False) as tab:
        tab.go("questions.html")
        assert tab.page.locator(".copy:visible").count() == 0
        tab.page.locator("summary").first.click()
        assert tab.page.locator(".command").first.inner_text() == answered(evaluated)[0].command
