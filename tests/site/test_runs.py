"""The page of runs: every quarantined record and every run, as the database has them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from genredb.catalog import Catalog
from genredb.runner.project.config import Config
from tests.conftest import REAL_FILES, changed, rows, song
from tests.project_files import write_project
from tests.site.browser import opened
from tests.site.reading import Read, read, written
from tests.verbs import build

HOSTILE = "<script>alert(1)</script>"


def page_of(config: Config) -> Read:
    return read(written(config, "runs")["runs.html"])


def test_a_bad_line_is_there_with_file_line_reason_and_text(config: Config) -> None:
    file = config.raw_dir / REAL_FILES[0]
    bad = f"14,{HOSTILE},Artist 1,not a year,{song(14)},pop"
    file.write_text(f"{file.read_text()}{bad}\n15,x,y,1999,{song(15)},pop,one,too,many\n")
    build(config)
    page = page_of(config)
    found = rows(
        config.database, "select file, line::varchar, reason, text from raw.quarantine order by line"
    )
    assert len(found) == 2
    for row in found:
        assert list(row) in page.rows
    assert bad in found[0]
    assert "script" not in page.tags
    assert "2 records could not be loaded" in page.text
    [reasons] = [row for row in page.rows if row[:2] == ["1", "raw.songs_train"] and "year" in row[2]]
    assert reasons[2] == found[0][2]
    assert [REAL_FILES[0], "raw.songs_train", "15", "13", "2"] in [row[:5] for row in page.rows]


def test_many_bad_lines_are_counted_and_the_first_thousand_shown(evaluated: Config, tmp_path: Path) -> None:
    config = changed(
        evaluated,
        tmp_path,
        """
        insert into raw.quarantine
        select 'raw.songs_train', 'a.csv', range + 1, 'a reason ' || range % 150, repeat('long ', 2000)
        from range(1500)
        """,
    )
    page = page_of(config)
    assert "1,500 records could not be loaded" in page.text
    assert "Shown: the first 1,000 of 1,500." in page.text
    assert "Shown: the 100 most frequent of 150 reasons." in page.text
    shown = [row for row in page.rows if row[0] == "a.csv"]
    assert [row[1] for row in shown] == [str(line) for line in range(1, 1001)]
    assert all(len(row[3]) <= 2_000 for row in shown)


def test_files_are_shown_with_their_digests(evaluated: Config) -> None:
    page = page_of(evaluated)
    for load in rows(evaluated.database, "select file, sha256, size from meta.loads where file is not null"):
        assert page.row(load[0])[-1] == load[1]
        assert page.row(load[0])[-2] == f"{load[2]:,}"


def test_each_run_is_shown_builds_apart_from_others(evaluated: Config) -> None:
    page = page_of(evaluated)
    runs = rows(
        evaluated.database, "select strftime(started_at, '%Y-%m-%d %H:%M:%S UTC'), command from meta.runs"
    )
    for started, command in runs:
        assert any(row[:2] == [started, command] for row in page.rows)
    [(passed,)] = rows(evaluated.database, "select count(*) from meta.check_results")
    [build_row] = [row for row in page.rows if row[1:2] == ["build"]]
    assert build_row[5:8] == [str(passed), "0", "0"]


def test_checks_row_counts_and_changes_follow_the_builds(tmp_path: Path) -> None:
    yml = "models: [{name: one, columns: [{name: a, data_tests: [unique]}]}]"
    model = "select * from (values (1), (2), {}) as t(a)"
    config = write_project(
        tmp_path,
        {
            "models/one.sql": f"{{{{ config(materialized='table') }}}} {model.format('(3)')}",
            "models/one.yml": yml.replace("unique", "unique: {config: {severity: warn}}"),
        },
    )
    assert build(config).is_published
    (tmp_path / "models/one.sql").write_text(
        f"{{{{ config(materialized='table') }}}} {model.format('(2), (3)')}"
    )
    assert build(config).is_published
    with Catalog(config) as catalog:
        assert [(one.passed, one.warned, one.failed) for one in catalog.check_counts] == [
            (0, 1, 0),
            (1, 0, 0),
        ]
    page = page_of(config)
    builds = [row[4:8] for row in page.rows if row[1:2] == ["build"]]
    assert builds == [["1", "0", "1", "0"], ["1", "1", "0", "0"]]
    assert ["one", "4", "+1", "2", ""] in page.rows
    assert "no raw files" in page.text
    assert "Every record could be loaded." in page.text
    assert "Accuracy" not in page.text


def test_accuracy_over_time_is_that_of_the_last_songs(evaluated: Config, tmp_path: Path) -> None:
    config = changed(
        evaluated,
        tmp_path,
        """
        insert into ml.past_song_scores
        select '2001' || run_id, classifier, protocol, label, digest, features, song_key, artist_key, 0.25, top_3, log_loss
        from ml.past_song_scores where classifier = 'majority';
        insert into ml.past_song_scores
        select '1999' || run_id, classifier, protocol, label, 'other-songs-x', features, song_key, artist_key, 1, top_3, log_loss
        from ml.past_song_scores where classifier = 'majority'
        """,
    )
    sql = "select accuracy, songs from ml.evaluations where (classifier, protocol, label) = ('majority', 'cv', 'genre')"
    [(accuracy, songs)] = rows(evaluated.database, sql)
    shown = [row for row in page_of(config).rows if row[0] == "majority"]
    assert shown == [
        ["majority", f"{accuracy:.3f}", f"{accuracy - 0.25:+.3f}".replace("-", "−"), str(songs), "2", ""]
    ]


def test_without_evaluations_the_page_names_the_cure(predicted: Config) -> None:
    assert "run genredb evaluate" in page_of(predicted).text


@pytest.mark.slow
def test_without_scripts_the_tables_and_other_runs_can_be_read(chrome: Browser, site: Path) -> None:
    with opened(chrome, site, java_script_enabled=False) as tab:
        tab.go("runs.html")
        tab.page.locator("summary").click()
        expect(tab.page.locator("details td", has_text="evaluate").first).to_be_visible()
