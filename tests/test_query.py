"""Asking in SQL: every format is right, limits and parameters hold, what fails says so."""

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredb.ask.query import Question, write_answer
from genredb.runner.project.config import Settings, read_config
from tests.conftest import REAL_FILES, ROOT, Cli, check_golden, write_raw

GENREDB = [sys.executable, "-m", "genredb"]
EVERYTHING = """
select
    1 as a,
    null as nothing,
    '' as empty,
    'x, "y" | z' as quoted,
    'one' || chr(10) || 'two' as lines,
    'Désenchantée ☃ 𝄞' as unicode,
    1.5 as decimal_number,
    0.1::double + 0.2::double as double_number,
    170141183460469231731687303715884105727 as big,
    'nan'::double as not_a_number,
    '-inf'::float as infinite,
    true as yes,
    date '2020-01-02' as day,
    timestamp '2020-01-02 03:04:05.678' as moment,
    timestamptz '2020-01-02 03:04:05+02' at time zone 'UTC' as zoned,
    interval 90 minutes as span,
    uuid '00000000-0000-0000-0000-00000000002a' as id,
    '\\xAA"'::blob as bytes,
    [1, null, 3] as numbers,
    [{'genre': 'pop', 'p': 'nan'::double}] as structs,
    map {'k': ['v'], 'l': null} as pairs,
    map {'k': 'inf'::double, 'l': 0.5} as shares,
    'a'::enum('a', 'b') as choice
"""


@pytest.mark.parametrize("answer_format", ["table", "csv", "json", "jsonl", "markdown"])
def test_every_kind_of_value_in_every_format(cli: Cli, built: Path, answer_format: str) -> None:
    done = cli("query", EVERYTHING, "--format", answer_format, cwd=built)
    assert done.code == 0, done.err
    check_golden(f"query/{answer_format}.txt", done.out + done.err)


def test_parquet_holds_what_duckdb_holds(cli: Cli, built: Path) -> None:
    sql = "select id, title, year, genre, runner_ups from songs left join predictions using (song_key, id, title, genre)"
    done = cli("query", sql, "--format", "parquet", "-o", "songs.parquet", cwd=built)
    assert (done.code, done.out) == (0, ""), done.err
    found = pq.read_table(built / "songs.parquet").to_pylist()
    with duckdb.connect(str(built / "genre.duckdb"), read_only=True) as connection:
        relation = connection.sql(sql)
        expected = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    assert sorted(found, key=str) == sorted(expected, key=str)
    refused = cli("query", "select interval 1 day as i", "--format", "parquet", "-o", "x.parquet", cwd=built)
    assert refused.code == 2
    assert "Parquet cannot hold these rows" in refused.err
    assert not (built / "x.parquet").exists()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(texts | st.none(), st.integers() | st.none()), min_size=1, max_size=30))
def test_csv_and_json_lines_come_back(built: Path, rows: list[tuple[str | None, int | None]]) -> None:
    rows = [(text, None if n is None else n % 2**100) for text, n in rows]
    values = ", ".join(
        f"({'null' if text is None else _literal(text)}, {'null' if n is None else n}::hugeint)"
        for text, n in rows
    )
    sql = f"select text, n from (values {values}) as v(text, n)"
    config = read_config(Settings(database=built / "genre.duckdb"))
    found = {}
    for name in ("csv", "jsonl", "json"):
        stream = io.BytesIO()
        assert not write_answer(config, Question(sql), name, stream)
        found[name] = stream.getvalue()
    lines = [json.loads(line) for line in found["jsonl"].split(b"\n") if line]
    assert lines == json.loads(found["json"]) == [{"text": text, "n": n} for text, n in rows]
    [header, *read] = csv.reader(io.StringIO(found["csv"].decode(), newline=""))
    assert header == ["text", "n"]
    assert read == [[text or "", "" if n is None else str(n)] for text, n in rows]
    # DuckDB reads it back, too: null is nothing, an empty text "".
    (built / "back.csv").write_bytes(found["csv"])
    with duckdb.connect() as connection:
        types = "columns = {'text': 'varchar', 'n': 'hugeint'}, header = true, auto_detect = false"
        again = connection.execute(
            f"from read_csv('{built / 'back.csv'}', {types}, quote = '\"', escape = '\"', allow_quoted_nulls = false)"
        ).fetchall()
    assert again == rows


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_sql_comes_from_argument_file_and_stdin(cli: Cli, built: Path) -> None:
    sql = "select 1 as a; -- a comment\n"
    (built / "ask.sql").write_text(sql)
    (built / "line_end.sql").write_bytes(b"select length('\r\n') as n")
    assert cli("query", "-f", "line_end.sql", "--format", "csv", cwd=built).out == "n\n2\n"
    for arguments, stdin in (([sql], ""), (["-f", "ask.sql"], ""), (["-"], sql)):
        done = cli("query", *arguments, "--format", "csv", cwd=built, stdin=stdin)
        assert (done.code, done.out) == (0, "a\n1\n"), done.err
    for statement in (
        "from (values (1)) v(a)",
        "show tables",
        "describe songs",
        "summarize songs",
        "table songs",
    ):
        assert cli("query", statement, "--format", "jsonl", cwd=built).code == 0


def test_limits_are_told_and_parameters_bound(cli: Cli, built: Path) -> None:
    for answer_format in ("table", "csv", "jsonl", "json", "markdown"):
        done = cli("query", "from range(200)", "--limit", "2", "--format", answer_format, cwd=built)
        assert "Showing the first 2 rows; use --limit for more." in done.err
        assert "1" in done.out
        assert "\n2" not in done.out
        whole = cli("query", "from range(2)", "--limit", "2", "--format", answer_format, cwd=built)
        assert whole.err == ""
        assert whole.out.strip() == done.out.strip()
    assert "Showing the first 100 rows" in cli("query", "from range(101)", cwd=built).err
    sql = "select title from songs where id = $id and title = $title or $title = $other"
    hostile = "Song 1' or true --"
    for title, found in (("Song 1", "title\nSong 1\n"), (hostile, "title\n")):
        done = cli(
            "query", sql, "-p", "id=1", "-p", f"title={title}", "-p", "other=x", "--format", "csv", cwd=built
        )
        assert done.out == found, done.err
    assert "takes NAME=VALUE" in cli("query", sql, "-p", "id", cwd=built).err
    for values, message in (
        (["id=1"], "error: No value is given for $other.\n"),
        (["id=1", "titel=x", "other=x"], "error: No value is given for $title. Did you mean 'titel'?\n"),
        (
            ["id=1", "title=x", "other=x", "oter=x"],
            "error: The SQL has no parameter $oter. Did you mean 'other'?\n",
        ),
    ):
        refused = cli("query", sql, *(word for one in values for word in ("-p", one)), cwd=built)
        assert (refused.code, refused.err) == (2, message)


@pytest.mark.slow
def test_an_answer_from_older_files_says_so(cli: Cli, tmp_path: Path) -> None:
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    write_raw(raw)
    assert cli("build", cwd=tmp_path).code == 0
    note = "The raw files changed since the last build; `genredb build` loads them.\n"
    (raw / REAL_FILES[0]).touch()
    assert cli("query", "select 1 as a", cwd=tmp_path).err == ""
    with (raw / REAL_FILES[0]).open("a") as file:
        file.write("14,Late,Artist 1,1999,1,1,1,-1,1,1,1,1,1,1,pop\n")
    assert cli("query", "select 1 as a", cwd=tmp_path).err == note
    assert cli("build", cwd=tmp_path).code == 0
    assert cli("query", "select 1 as a", cwd=tmp_path).err == ""
    (raw / "playlist.csv").write_text("Track Name,Artist Name(s)\nMine,Artist 1\n")
    assert cli("query", "select 1 as a", cwd=tmp_path).err == note


def test_what_cannot_be_asked_is_refused_in_a_sentence(cli: Cli, built: Path) -> None:
    for arguments, message in (
        (["select 1 as x, 2 as x", "--format", "json"], "Two columns are called 'x'"),
        (["select 1; select 2"], "Only one statement can be run at a time; there are 2."),
        (["--", "-- nothing"], "There is no SQL to run"),
        ([";"], "There is no SQL to run"),
        (["drop table songs"], "Only queries can be run, not DROP statements."),
        (
            ["select\n  'é', titel from songs"],
            "not found in FROM clause. Did you mean 'title'?\n    2 |   'é', titel from songs\n      |        ^^^^^\n",
        ),
        (["select s.titel from songs as s"], "Did you mean 'title'?\n    1 | select s.titel"),
        (["select * from song"], "SQL:1:15: Table with name song does not exist. Did you mean 'songs'?"),
        (["select '日本語', titel from songs"], "titel from songs\n      |                  ^^^^^\n"),
        (["query('select nope from songs')"], "syntax error"),
        (["from query('select nope from songs')"], 'error: Referenced column "nope" not found'),
        (["select 1", "--timeout", "inf"], "is not in the range"),
        (["select * from trian"], "Did you mean 'features.train'?"),
        (["select predict_gener(songs) from songs"], "Did you mean 'predict_genre'?"),
        (["select sum(title) from songs"], "You might need to add explicit type casts.\n    1 | select sum"),
        (["select 1 frm songs, x"], "    1 | select 1 frm songs, x\n"),
    ):
        done = cli("query", *arguments, cwd=built)
        assert (done.code, done.out) == (2, ""), done.err
        assert message in done.err
        assert "Traceback" not in done.err


def test_a_file_appears_whole_or_not_at_all(cli: Cli, built: Path) -> None:
    (built / "kept.csv").write_text("old\n")
    assert cli("query", "select 1 + 'x'::int", "-o", "kept.csv", "--force", cwd=built).code == 2
    assert (built / "kept.csv").read_text() == "old\n"
    assert cli("query", "select 1 as a", "-o", "kept.csv", "--force", cwd=built).code == 0
    assert (built / "kept.csv").read_text() == "a\n1\n"
    assert cli("query", "select 1 as a", "-o", "genre.duckdb", cwd=built).code == 2


def test_a_reader_who_has_enough_ends_the_query_in_silence(built: Path) -> None:
    command = [*GENREDB, "query", "from range(1000000000)", "--format", "csv"]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=built, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"range\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0
    assert time.monotonic() - started < 30


def test_an_interrupt_ends_the_query(built: Path) -> None:
    command = [*GENREDB, "query", "--timeout", "0", "select count(*) from range(1000000000000)"]
    process = subprocess.Popen(command, cwd=built, stderr=subprocess.PIPE)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "interrupted" in process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 128 + signal.SIGINT


def test_the_timeout_has_an_exit_code_of_its_own(cli: Cli, built: Path) -> None:
    done = cli("query", "--timeout", "1", "select count(*) from range(1000000000000)", cwd=built)
    assert (done.code, done.err) == (
        4,
        "error: The query timed out after 1 s; raise the limit with --timeout.\n",
    )


def test_a_terminal_gets_a_table_that_fits_it(built: Path) -> None:
    sql = "select title, artist, repeat('long ', 30) as words from songs limit 2"
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*GENREDB, "query", sql],
        cwd=built,
        stdout=follower,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "60"},
    )
    os.close(follower)
    shown = b""
    try:
        while chunk := os.read(leader, 65536):
            shown += chunk
    except OSError:  # how the end of a terminal is told
        pass
    os.close(leader)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 0
    assert "Not shown: the ends of long cells; use the format csv to see all." in said
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.decode().splitlines()]
    assert max(len(line) for line in lines) <= 60


def test_trusted_sql_reads_files_and_still_writes_nothing(cli: Cli, built: Path) -> None:
    (built / "mine.csv").write_text("a\n1\n")
    sql = "select sum(a) as n from 'mine.csv'"
    assert "; --trusted lets a query read files.\n" in cli("query", sql, cwd=built).err
    assert cli("query", "--trusted", "--format", "csv", sql, cwd=built).out == "n\n1\n"
    assert "Only queries" in cli("query", "--trusted", "drop table songs", cwd=built).err


def test_a_table_holds_no_escape_codes_of_the_data(cli: Cli, built: Path) -> None:
    done = cli("query", "select chr(27) || '[31mred' || chr(7) as x, chr(155) as y, true as z", cwd=built)
    assert "␛[31mred␇" in done.out
    assert not {"\x1b", "\x07", "\x9b"} & set(done.out)
    assert " true " in done.out


def test_a_files_ending_says_its_format(cli: Cli, built: Path, tmp_path: Path) -> None:
    for name, expected in (
        ("a.csv", "x\n1\n"),
        ("a.md", "| x |\n| ---: |\n| 1 |\n"),
        ("a.jsonl", '{"x":1}\n'),
    ):
        assert cli("query", "select 1 as x", "-o", tmp_path / name, cwd=built).code == 0
        assert (tmp_path / name).read_text() == expected
    doubled = cli("query", "select 1 a, 2 a", "-o", tmp_path / "a.parquet", cwd=built)
    assert (doubled.code, "Two columns are called 'a', which Parquet cannot hold" in doubled.err) == (2, True)
    assert not (tmp_path / "a.parquet").exists()


def test_text_that_is_not_utf_8_is_refused(built: Path) -> None:
    for arguments, stdin in (([b"select '\xff'"], b""), (["-"], b"select '\xff'")):
        done = subprocess.run(
            [*GENREDB, "query", *arguments],
            input=stdin,
            capture_output=True,
            cwd=built,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert (done.returncode, b"is not UTF-8 text" in done.stderr) == (2, True), done.stderr
