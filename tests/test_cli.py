"""Each command through the real command line: what it prints, where, and its exit code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from genredb.cli.app import COMMANDS
from tests.conftest import REAL_FILES, ROOT, Cli, check_golden, write_raw


def plain(text: str, folder: Path) -> str:
    """The text without what differs from run to run: seconds, the folder, classifier ids."""
    text = re.sub(r"\d+\.\d s\b", "N s", text.replace(str(folder), "FOLDER"))
    return re.sub(r"artist_vote-[0-9a-f]{8}", "artist_vote-ID", text)


def test_the_whole_way_prints_what_it_should(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    write_raw(tmp_path / "data" / "raw")
    shown = []
    for arguments in (
        ["build"],
        ["build"],
        ["predict"],
        ["predict"],
        ["export", "-o", "submission.csv"],
        ["query", "select song_key, genre, basis from predictions order by song_key"],
        ["test"],
        ["train"],
        ["load"],
    ):
        done = cli(*arguments, cwd=tmp_path)
        shown.append(f"$ genredb {' '.join(arguments)}\n{done.out}{done.err}exit {done.code}\n")
    check_golden("session.txt", plain("\n".join(shown), tmp_path))


def test_an_empty_folder_builds_the_shipped_project_from_the_sample(cli: Cli, tmp_path: Path) -> None:
    done = cli("build", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "using the project that comes with genredb" in done.err
    assert "Using the synthetic sample" in done.err
    assert done.out == ""
    assert (tmp_path / "genre.duckdb").is_file()
    predicted = cli("predict", cwd=tmp_path)
    assert "synthetic sample" in predicted.err
    exported = cli("export", "-o", "s.csv", cwd=tmp_path)
    assert "synthetic sample" in exported.err
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 114


def test_a_failing_check_prints_its_rows_and_exits_1(cli: Cli, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: small\nprofile: small\n")
    profile = "small: {outputs: {dev: {type: duckdb, path: small.duckdb}}}\n"
    (project / "profiles.yml").write_text(profile)
    (project / "models" / "a.sql").write_text("select range // 2 as x, 'text' as y from range(30)")
    (project / "models" / "b.sql").write_text("select * from {{ ref('a') }}")
    (project / "models" / "p.yml").write_text(
        "models: [{name: a, columns: [{name: x, tests: [unique]},"
        " {name: y, tests: [{accepted_values: {values: [other], severity: warn}}]}]}]"
    )
    done = cli("build", cwd=project)
    assert done.code == 1
    check_golden("failing_check.txt", plain(done.err, project))
    assert not (project / "genre.duckdb").exists()


def test_warnings_name_quarantined_rows_ignored_columns_and_unknown_genres(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "raw"
    folder.mkdir(parents=True)
    write_raw(folder)
    train = folder / REAL_FILES[0]
    lines = train.read_text().splitlines()
    lines = [f"{line},{'mood' if number == 0 else 'x'}" for number, line in enumerate(lines)]
    lines[3] = lines[3].replace("103", "fast").replace("disco", "zyzzyx")
    lines[4] = lines[4].replace(",pop,", ",zyzzyx,")
    train.write_text("\n".join(lines) + "\n")
    done = cli("build", "-q", cwd=tmp_path)
    assert done.code == 0
    check_golden("warnings.txt", plain(done.err, tmp_path))


def test_errors_are_one_sentence_with_their_exit_code(cli: Cli, built: Path, tmp_path: Path) -> None:
    for arguments, code, message in (
        (["build", "--raw-dir", "nowhere"], 2, "error: The raw folder nowhere does not exist."),
        (["build", "--project-dir", "nowhere"], 2, "error: nowhere has no dbt_project.yml"),
        (["build", "--vars", "min_genre_songs"], 2, "error: --vars should be YAML"),
        (["query", "select 1"], 2, "error: There is no database"),
        (["export", "-o", "x.csv"], 2, "error: There is no database"),
        (["predict"], 2, "error: There is no database"),
        (["test"], 2, "error: There is no database"),
    ):
        done = cli(*arguments, cwd=tmp_path)
        assert done.code == code, done.err
        assert message in done.err
        assert "Traceback" not in done.err
    for arguments, code, message in (
        (["show", "song"], 2, "error: There is no model, seed or check 'song'. Did you mean 'songs'?"),
        (["compile"], 2, "error: Name a model, or give a template with --inline."),
        (["query", "select titel from songs"], 2, "Did you mean 'title'?"),
        (["query", "drop table songs"], 2, "Only queries can be run, not DROP statements."),
        (["query", "copy songs to 'x.csv'"], 2, "Only queries can be run, not COPY statements."),
        (["query", "select * from read_csv('/etc/passwd')"], 2, "--trusted lets a query read files"),
        (["query", ""], 2, "error: There is no SQL to run"),
        (["query", "-f", "no.sql"], 2, "error: Cannot read no.sql: No such file or directory."),
        (["export", "song", "-o", "x.csv"], 2, "Did you mean 'songs'?"),
        (["test", "song"], 2, "Did you mean 'songs'?"),
    ):
        done = cli(*arguments, cwd=built)
        assert done.code == code, (arguments, done.err)
        assert message in done.err, arguments
        assert "Traceback" not in done.err


def test_files_and_folders_without_permission_are_named(cli: Cli, tmp_path: Path) -> None:
    for arguments, message in (
        (["--database", "."], "is a folder; name a file for the database"),
        (["--database", "raw.duckdb"], "A database cannot be called 'raw.duckdb'"),
        (["--database", "/proc/genre.duckdb"], "/proc/genre.duckdb"),
    ):
        done = cli("build", *arguments, cwd=tmp_path)
        assert done.code in (2, 3), done.err
        assert message in done.err
        assert "Traceback" not in done.err


def test_usage_errors_suggest_and_exit_2(cli: Cli, tmp_path: Path) -> None:
    done = cli("biuld", cwd=tmp_path)
    assert done.code == 2
    assert "Did you mean 'build'?" in done.err
    assert cli("build", "--raw", cwd=tmp_path).code == 2
    assert cli("export", cwd=tmp_path).code == 2


def test_a_file_that_is_no_database_exits_6_and_a_locked_one_5(cli: Cli, built: Path, tmp_path: Path) -> None:
    (tmp_path / "genre.duckdb").write_text("no database" * 1000)
    for command in (["build"], ["query", "select 1"], ["predict"]):
        done = cli(*command, cwd=tmp_path)
        assert done.code == 6, done.err
        assert "is not a DuckDB database" in done.err
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb; c = duckdb.connect('genre.duckdb'); print(1, flush=True); input()",
        ],
        cwd=built,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    try:
        for command in (["build"], ["train"], ["query", "select 1"]):
            done = cli(*command, cwd=built)
            assert done.code == 5, done.err
            assert f"is being written by process {writer.pid}" in done.err
    finally:
        writer.communicate("\n", timeout=60)


@pytest.mark.slow
def test_json_reports_are_json_and_stderr_is_quiet(cli: Cli, built: Path, tmp_path: Path) -> None:
    done = cli("build", "--json", cwd=tmp_path)
    assert done.err == ""
    report = json.loads(done.out)
    assert (report["published"], report["exit_code"]) == (True, 0)
    assert {load["loaded"] for load in report["loads"]} == {453, 113}
    assert {result["status"] for result in report["results"]} == {"success"}
    for command in (
        ["load"],
        ["test"],
        ["ls"],
        ["show", "genres"],
        ["train"],
        ["predict"],
        ["doctor"],
        ["clean"],
    ):
        done = cli(*command, "--json", cwd=built)
        json.loads(done.out)
        assert done.code == 0, done.err
    listed = json.loads(cli("ls", "--resource-type", "model", "--json", cwd=built).out)
    assert {"songs", "submission"} <= {node["name"] for node in listed}


def test_show_compile_and_ls(cli: Cli, built: Path) -> None:
    compiled = cli("compile", "train_common", cwd=built)
    assert '"genre"."features"."train"' in compiled.out
    assert "{{" not in compiled.out
    inline = "select count(*) as songs from {{ ref('songs') }}"
    assert (
        cli("compile", "--inline", inline, cwd=built).out
        == 'select count(*) as songs from "genre"."main"."songs"\n'
    )
    assert "16" in cli("show", "--inline", inline, cwd=built).out
    shown = cli("show", "genre_groups", "--limit", "2", cwd=built)
    assert "acoustic blues" in shown.out
    assert "Showing the first 2 rows" in shown.err
    listed = cli("ls", cwd=built).out
    assert re.search(
        r"^model +features\.train_common +sql/models/features/train_common.sql$", listed, re.MULTILINE
    )


def test_songs_and_relations_are_described(cli: Cli, built: Path) -> None:
    shown = []
    for arguments in ([], ["--limit", "2"], ["songs"], ["raw.quarantine"]):
        done = cli("describe", *arguments, cwd=built)
        assert done.code == 0, done.err
        shown.append(f"$ genredb describe {' '.join(arguments)}\n{done.out}{done.err}")
    check_golden("describe.txt", "\n".join(shown))
    found = json.loads(cli("describe", "--json", cwd=built).out)
    assert list(found) == ["genres", "groups", "numbers", "texts", "correlations", "genre_means"]
    assert found["genres"][0] == {
        "genre": "pop", "genre_group": "pop", "songs": 6, "percent": 50, "artists": 2
    }  # fmt: skip
    facts = json.loads(cli("describe", "main.songs", "--json", cwd=built).out)
    assert (facts["relation"], facts["rows"]) == ("songs", 16)
    assert facts["columns"][0].items() >= {"name": "song_key", "type": "VARCHAR", "distinct": 16}.items()
    refused = cli("describe", "songz", cwd=built)
    assert (refused.code, "Did you mean 'songs'?" in refused.err) == (2, True)


def test_the_sample_is_called_synthetic_wherever_it_is_named(cli: Cli, tmp_path: Path) -> None:
    assert "synthetic" in cli("build", "--raw-dir", ROOT / "data" / "sample", cwd=tmp_path).err
    assert "synthetic" in cli("predict", "--classifier", "majority", cwd=tmp_path).err


def test_own_songs_are_not_replaced_by_the_sample(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    write_raw(tmp_path / "own")
    assert cli("build", "-q", "--raw-dir", "own", cwd=tmp_path).err == ""
    assert "Using the CSVs in own, as in the last build." in cli("build", cwd=tmp_path).err
    done = cli("query", "select count(*) as n from songs", "--format", "csv", cwd=tmp_path)
    assert done.out.split() == ["n", "16"]


def test_variables_reach_the_models(cli: Cli, built: Path) -> None:
    done = cli("build", "--vars", "min_genre_songs: 4", "--database", "other.duckdb", cwd=built)
    assert done.code == 0, done.err
    count = cli(
        "query", "select count(*) as n from features.train_common", "--database", "other.duckdb", cwd=built
    )
    assert "6" in count.out
    by_environment = cli(
        "query",
        "select count(*) as n from features.train_common",
        cwd=built,
        env={"GENREDB_DATABASE": "other.duckdb"},
    )
    assert by_environment.out == count.out


def test_sample_and_doctor_and_clean(cli: Cli, tmp_path: Path) -> None:
    done = cli("sample", "--rows", "50", "--defects", "-o", "raw", cwd=tmp_path)
    assert done.err == "Wrote 50 + 12 synthetic songs and 26 invalid rows to raw.\n"
    assert cli("build", "--raw-dir", "raw", cwd=tmp_path).code == 0
    (tmp_path / ".genre.duckdb.genredb-99999999").mkdir()
    examined = cli("doctor", "--raw-dir", "raw", cwd=tmp_path)
    assert examined.code == 0
    assert "13 rows of raw.songs_train could not be loaded" in examined.out
    assert ".genre.duckdb.genredb-99999999 was left by a killed command → genredb clean" in examined.out
    assert "songs without a genre have no prediction → genredb predict" in examined.out
    assert cli("clean", cwd=tmp_path).code == 0
    assert not (tmp_path / ".genre.duckdb.genredb-99999999").exists()
    missing = cli("doctor", "--raw-dir", ".", cwd=tmp_path)
    assert missing.code == 3
    assert "problem" in missing.out


def test_doctor_finds_a_damaged_block(cli: Cli, built: Path, tmp_path: Path) -> None:
    content = bytearray((built / "genre.duckdb").read_bytes())
    for offset in range(12_288 + 262_144, len(content) - 262_144, 262_144):
        content[offset + 1000 : offset + 1100] = b"\xff" * 100
    (tmp_path / "genre.duckdb").write_bytes(content)
    done = cli("doctor", cwd=tmp_path)
    assert done.code == 6, done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_and_the_common_options(cli: Cli, tmp_path: Path, command: str) -> None:
    inner = {"classifiers": ["list"]}.get(command, [])
    text = cli(command, *inner, "--help", cwd=tmp_path).out
    assert re.search(r"Example: .*genredb", text)
    for option in (
        "--project-dir",
        "--profiles-dir",
        "--database",
        "--raw-dir",
        "--vars",
        "--quiet",
        "--verbose",
    ):
        assert option in text


def test_version_and_help(cli: Cli, tmp_path: Path) -> None:
    assert re.fullmatch(r"genredb \d+\.\d+\.\d+\n", cli("--version", cwd=tmp_path).out)
    text = cli("--help", cwd=tmp_path).out
    assert all(f"\n  {command} " in text for command in COMMANDS)
    assert "5 database locked" in " ".join(text.split())
