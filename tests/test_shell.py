"""``genredb shell``: in a real terminal, and as a script's reader of stdin."""

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from genredb.cli.prompt import is_complete
from genredb.cli.shell import _pieces
from tests.conftest import ROOT, Cli

PROMPT = r"genre>\s*\Z"


class Terminal:
    """A shell in a terminal of 100 × 30 characters, whose screen can be looked at."""

    def __init__(self, folder: Path, home: Path, **env: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GENREDB_")}
        environment |= {"PYTHONPATH": str(ROOT), "HOME": str(home), "TERM": "xterm-256color", **env}
        self.process: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            ["-m", "genredb", "shell"],
            cwd=str(folder),
            env=environment,
            encoding="utf-8",
            dimensions=(30, 100),
        )
        self.screen = pyte.Screen(100, 30)
        self.screen.write_process_input = self.process.send  # type: ignore  # it answers what it is asked
        self.stream = pyte.Stream(self.screen)
        self.sees(r"genredb \S+ on genre.duckdb. Type .help for commands, Ctrl-D to exit.", PROMPT)

    def types(self, *keys: str) -> None:
        """Press keys; what can be seen catches up with each."""
        for key in keys:
            self.process.send(key)
            self.look(0.1)

    def enters(self, text: str) -> None:
        """Clear the screen, type a text and end it."""
        self.types("\x0c", text, "\r")

    def look(self, seconds: float) -> None:
        """Draw whatever comes until nothing came for so long."""
        with contextlib.suppress(pexpect.TIMEOUT, pexpect.EOF):
            while True:
                self.stream.feed(self.process.read_nonblocking(4096, timeout=seconds))

    def sees(self, *expected: str) -> None:
        """Wait until the screen shows what is expected, in this order."""
        pattern = re.compile(".*".join(expected), re.DOTALL)
        deadline = time.monotonic() + 30
        while not pattern.search(self.text):
            assert time.monotonic() < deadline, f"{pattern.pattern} is not on the screen:\n{self.text}"
            self.look(0.05)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def ends(self) -> int | None:
        """Wait until the shell is over; return its exit code."""
        self.process.expect(pexpect.EOF)
        self.process.close()
        return self.process.exitstatus


@pytest.fixture
def terminal(built: Path, tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(built, tmp_path, PAGER="sed s/^/paged:/")
    yield opened
    opened.process.close(force=True)


def test_queries_of_one_line_and_of_several(terminal: Terminal) -> None:
    terminal.enters("select count(*) as songs from songs;")
    terminal.sees("songs", "16", PROMPT)
    terminal.enters("select title")
    terminal.types("from songs where id = 7", "\r", ";", "\r")
    terminal.sees("title", "Song 7", PROMPT)
    terminal.enters("select 'a;b' as x; select 2 + 40 as y;")
    terminal.sees("x", "a;b", "y", "42", PROMPT)


def test_an_error_leaves_the_shell(terminal: Terminal) -> None:
    terminal.enters("select titel from songs;")
    terminal.sees("error: SQL:1:8: .*Did you mean 'title'", r"\^\^\^\^\^", PROMPT)
    terminal.enters("drop table songs;")
    terminal.sees("error: Only queries can be run, not DROP statements.", PROMPT)
    terminal.enters(".shema")
    terminal.sees("error: There is no command '.shema'. Did you mean '.schema'", PROMPT)
    terminal.enters(".explain select $x")
    terminal.sees(r"error: No value is given for \$x\.", PROMPT)
    terminal.enters("select 1 + 1 as sum;")
    terminal.sees("sum", "2", PROMPT)


@pytest.mark.slow
def test_ctrl_c_ends_the_query_and_keeps_the_shell(terminal: Terminal) -> None:
    for endless in (
        "select count(*) from range(100000000000) a, range(1000) b;",
        "select length(lpad('x', 999999999, 'y')) + length(lpad('x', 999999999, 'z')) from range(99);",
    ):
        terminal.enters(endless)
        terminal.sees("run query")  # the spinner, after a second
        terminal.process.sendintr()
        terminal.sees("interrupted", PROMPT)
    terminal.types("select unfinished")
    terminal.sees("unfinished")
    terminal.process.sendintr()
    terminal.sees(PROMPT)
    terminal.enters("select count(*) from range(100000000000) a, range(1000) b;")
    for _ in range(20):  # by an impatient hand
        terminal.process.sendintr()
        terminal.look(0.02)
    while not re.search(PROMPT, terminal.text):  # the hand was quicker than the query's start
        terminal.process.sendintr()
        terminal.look(0.5)
    assert "Traceback" not in terminal.text
    assert "Warning" not in terminal.text
    terminal.enters("select 20 + 3 as alive;")
    terminal.sees("alive", "23", PROMPT)


def test_completion_of_columns_relations_functions_and_commands(terminal: Terminal) -> None:
    terminal.types("select genre_gr", "\t", " as found from song")
    terminal.sees("songs  One row per song")
    terminal.types("\t")
    terminal.sees("from songs")
    terminal.types("\r;\r")
    terminal.sees("found", "pop", PROMPT)
    terminal.types("select max(son", "\t", "g_co", "\x15")  # begun and wiped
    terminal.types(".sche", "\t", " genr", "\t")
    terminal.sees("genre_profiles")
    terminal.types("\r")
    terminal.sees("column", "standard_deviation", "DOUBLE", PROMPT)


def test_history_is_kept_between_shells(built: Path, tmp_path: Path) -> None:
    first = Terminal(built, tmp_path)
    first.enters("select 41 + 1 as answer;")
    first.sees("answer", "42", PROMPT)
    first.types("\x04")
    assert first.ends() == 0
    second = Terminal(built, tmp_path)
    second.types("\x1b[A", "\r")
    second.sees("answer", "42", PROMPT)
    second.types(".quit", "\r")
    assert second.ends() == 0
    (history,) = tmp_path.rglob("history")
    assert history.stat().st_mode & 0o077 == 0


def test_long_answers_go_through_the_pager(terminal: Terminal) -> None:
    terminal.enters("select range as number from range(5);")
    terminal.sees("number", r"\n +4\n", PROMPT)
    assert "paged:" not in terminal.text
    terminal.enters(".format csv")
    terminal.sees(PROMPT)
    terminal.enters("from range(3000);")
    terminal.sees("paged:2998", "paged:2999", PROMPT)


@pytest.mark.slow
def test_leaving_the_pager_ends_the_query(built: Path, tmp_path: Path) -> None:
    terminal = Terminal(built, tmp_path, PAGER="head -n 3")
    terminal.enters(".format csv")
    terminal.sees(PROMPT)
    terminal.enters("select range as number from range(1000000000);")
    terminal.sees("number", "0", "1", PROMPT)
    terminal.enters("select 7 * 6 as still;")
    terminal.sees("still", "42", PROMPT)
    terminal.process.close(force=True)


@pytest.mark.slow
def test_a_build_meanwhile_is_seen(cli: Cli, built: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    for path in (built / "data" / "raw").iterdir():
        (tmp_path / "data" / "raw" / path.name).write_bytes(path.read_bytes())
    assert cli("build", cwd=tmp_path).code == 0
    terminal = Terminal(tmp_path, tmp_path)
    terminal.enters("select 'n=' || count(*) from songs where artist = 'Newcomer';")
    terminal.sees("n=0", PROMPT)
    train = tmp_path / "data" / "raw" / "CS98XClassificationTrain.csv"
    train.write_text(train.read_text().replace("Artist 1", "Newcomer"))
    assert cli("build", cwd=tmp_path).code == 0
    terminal.enters("select 'n=' || count(*) from songs where artist = 'Newcomer';")
    terminal.sees("n=3", PROMPT)
    terminal.process.close(force=True)


@pytest.mark.slow
def test_the_classifier_can_be_asked(terminal: Terminal) -> None:
    sql = "select count(*) from predictions join songs using (song_key) where predict_genre(songs)"
    terminal.enters(f"{sql} = predictions.genre;")
    terminal.sees("4", PROMPT)
    terminal.enters(".explain select predict_genre(songs) from songs;")
    terminal.sees("main.songs", "Sequential Scan", PROMPT)  # the head of a wide plan scrolls away


SCRIPT = """
.format csv
select id, title
from songs
where id < 3 order by id;
.format markdown
select 'x' as letter; select 2 as number;
.timer on
.schema text_summary
.models
.lineage songs.genre
.explain select count(*) from songs
.tables
.help
select 'no semicolon' as last
"""


def test_a_script_is_read_from_stdin(cli: Cli, built: Path) -> None:
    done = cli("shell", cwd=built, stdin=SCRIPT)
    assert done.code == 0, done.err
    assert done.out.startswith(
        "id,title\n1,Song 1\n2,Song 2\n"
        "| letter |\n| --- |\n| x |\n"
        "| number |\n| ---: |\n| 2 |\n"
    )  # fmt: skip
    assert done.out.endswith("| last |\n| --- |\n| no semicolon |\n")
    for expected in (
        "distinct_count        BIGINT",
        "stg_songs              sql/models/staging/stg_songs.sql",
        "└── staging.stg_songs.genre",
        "table   One row per raw record that could not be loaded",
        ".schema [RELATION]",
    ):
        assert expected in done.out, expected
    assert re.match(r"Took \d+\.\d{3} s\.", done.err)


def test_a_script_may_end_in_a_comment(cli: Cli, built: Path) -> None:
    done = cli("shell", cwd=built, stdin=".format csv\nselect 1 as x; -- one\n/* that\nis; all */\n-- done\n")
    assert (done.code, done.out, done.err) == (0, "x\n1\n", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("select 1", False),
        ("select 1;", True),
        ("select ';", False),
        ("select 1; -- x", True),
        ("select 1;\nselect 2", False),
        ("select 1;\n.tables", True),
        ("-- x", True),
        (".tables", True),
    ],
)
def test_enter_ends_what_is_complete(text: str, expected: bool) -> None:
    assert is_complete(text) is expected


def test_a_query_ends_with_the_shell_that_asks_it(terminal: Terminal) -> None:
    terminal.enters("select count(*) from range(100000000000) a, range(1000) b;")
    terminal.sees("run query")
    pid = int(str(terminal.process.pid))
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the query's process outlives the shell"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("select 1;\nselect titel from songs;\nselect 2;", "Did you mean 'title'?"),
        (
            ".format parquet",
            "There is no format 'parquet'. Available: csv, json, jsonl, markdown, table, vertical.",
        ),
        (".format", ".format needs an argument: FORMAT."),
        (".timer maybe", ".timer takes on or off."),
        (".tables songs", ".tables takes no argument."),
        (".schema song", "There is no table or view 'song'. Did you mean 'songs'?"),
        (".lineage songs.titel", "Did you mean 'title'?"),
        ("explain select 1", "; in `genredb shell`, .explain shows how a query would run."),
        ("copy songs to 'x.csv'", "Only queries can be run, not COPY statements."),
        (
            "select * from read_csv('data/raw/CS98XClassificationTest.csv')",
            "--trusted lets a query read files",
        ),
    ],
)
def test_a_script_ends_at_its_first_error(cli: Cli, built: Path, script: str, message: str) -> None:
    done = cli("shell", cwd=built, stdin=script)
    assert done.code == 2
    assert message in done.err
    assert "\n 2 \n" not in done.out


def test_a_script_can_quit(cli: Cli, built: Path) -> None:
    done = cli("shell", cwd=built, stdin="select 1 as one;\n.quit\nselect titel from songs;")
    assert (done.code, done.err) == (0, "")


def test_trusted_reads_files(cli: Cli, built: Path) -> None:
    sql = "select count(*) as n from read_csv('data/raw/CS98XClassificationTest.csv');"
    done = cli("shell", "--trusted", cwd=built, stdin=sql)
    assert (done.code, "3" in done.out) == (0, True)


def test_without_a_database_the_cure_is_named(cli: Cli, tmp_path: Path) -> None:
    done = cli("shell", cwd=tmp_path, stdin="select 1;")
    assert (done.code, "run `genredb build` first" in done.err) == (2, True)


def test_a_search_in_the_history_keeps_its_prompt_and_ends_by_ctrl_c(terminal: Terminal) -> None:
    terminal.enters("select 41 + 1 as answer;")
    terminal.sees("42", PROMPT)
    terminal.types("\x0c", "\x12", "41")
    terminal.sees(r"\(reverse-i-search\)`41': select 41 . 1 as answer;")
    terminal.types("\x03")
    terminal.types("\r")
    terminal.sees(PROMPT)
    terminal.types("\x12", "41", "\r", "\r")
    terminal.sees("answer", "42", PROMPT)
    assert "Traceback" not in terminal.text
    assert "Exception" not in terminal.text


def test_words_of_habit_need_no_semicolon(terminal: Terminal) -> None:
    terminal.enters("help")
    terminal.sees(".quit", PROMPT)
    terminal.enters("clear")
    terminal.sees(PROMPT)
    assert ".quit" not in terminal.text
    terminal.enters("exit")
    assert terminal.ends() == 0


def test_lines_are_counted_through_a_script() -> None:
    script = "select 1;\n.timer off\nselect 2; select 3;\nhelp\n\nselect\n4;\n  nope"
    pieces = list(_pieces(script.splitlines(keepends=True)))
    lines = {piece.strip().split("\n")[-1]: piece.rstrip().count("\n") + 1 for piece in pieces}
    assert lines == {
        "select 1": 1,
        ".timer off": 1,
        "select 2": 3,
        "select 3": 3,
        "help": 1,
        "4": 7,
        "nope": 8,
    }
