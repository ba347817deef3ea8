"""Control characters of the data never reach a terminal: they are shown as pictures or �."""

import dataclasses
import os
import pty
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from genredb.cli import explain
from genredb.cli.console import Console, print_json, table_text
from genredb.cli.visible import echo, visible, visible_stream
from genredb.runner.project.config import Settings, read_config
from genredb.songs.explain import Explanation
from tests.conftest import Cli
from tests.project_files import BASE, write_project
from tests.test_query import GENREDB
from tests.verbs import build

EVIL = "\x1b]0;pwned\x07\x9b2J\r"
SHOWN = "␛]0;pwned␇�2J␍"
OBEYED = {"\x1b", "\x07", "\x9b", "\r"}
FILES = BASE | {
    "models/sources.yml": (
        "sources: [{name: raw, tables: [{name: things, config: {meta: {file: things.csv}}, columns:"
        " [{name: n, data_type: integer}, {name: title, data_type: varchar}]}]}]\n"
    ),
    "models/named.sql": "select n, title from {{ source('raw', 'things') }}",
    "models/named.yml": (
        "models: [{name: named, columns: [{name: title, data_tests: [{accepted_values: {values: [a]}}]}]}]\n"
    ),
    "raw/things.csv": f'n,title,"{EVIL}"\n1,"{EVIL}",1\n{EVIL.strip()},Two,2\n',
}


def test_a_build_shows_the_control_characters_of_a_csv(cli: Cli, tmp_path: Path) -> None:
    """The warnings about a row and a column, and the rows of a failing check."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    done = cli("build", "--raw-dir", "raw", cwd=tmp_path)
    assert done.code == 1
    assert not OBEYED & set(done.err)
    assert done.err.count("pwned") == done.err.count("␛]0;pwned␇") >= 2
    (tmp_path / "raw" / "things.csv").write_bytes(f'n,"{EVIL}title"\n1,a\n'.encode())
    refused = cli("build", "--raw-dir", "raw", cwd=tmp_path)
    assert (refused.code, SHOWN in refused.err) == (3, True)
    assert not OBEYED & set(refused.err)


def test_every_way_to_a_terminal_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    values = {field.name: EVIL for field in dataclasses.fields(Explanation)}
    numbers = {"probability": 0.5, "group_probability": 0.5}
    nothing = {"label": None, "runner_ups": ((EVIL, 0.1),), "artist_songs": (), "nearest": (), "weights": ()}
    explain.print_explanation(Explanation(**values | numbers | nothing))  # type: ignore[arg-type]
    echo(EVIL)
    print(table_text((EVIL,), [(EVIL,)], None)[0])
    console = Console()
    console.say(EVIL)
    console.warn(EVIL)
    console.table((EVIL,), [(EVIL,)])
    shown = capsys.readouterr()
    for text, count in ((shown.out, 10), (shown.err, 4)):
        assert not OBEYED & set(text)
        assert text.count("␛]0;pwned␇�2J␍") == count


@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_formats_for_programs_show_them_on_a_terminal(chunk: int) -> None:
    """A character may come in two halves."""
    content = f"title\n{EVIL}\tä €\n".encode()
    stream = BytesIO()
    shown = visible_stream(cast("BinaryIO", stream))
    for at in range(0, len(content), chunk):
        shown.write(content[at : at + chunk])
    assert stream.getvalue().decode() == f"title\n{SHOWN}\tä €\n"


def test_json_holds_them_but_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_json(["\x9b\x7f\udcff"])
    assert "\x9b\x7f?" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_json(["\x9b\x7f"])
    assert '"�␡"' in capsys.readouterr().out


def test_a_name_that_is_no_utf_8_can_be_printed() -> None:
    assert visible(os.fsdecode(b"a\xff.csv")) == "a�.csv"


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["query", "select chr(27) || 'x' as title", "--format", "csv"], "title\n\x1bx\n"),
        (["export", "-o", "-", "evil", "--format", "csv"], "title\n\x1bx\n"),
        (["show", "--json", "--inline", "select chr(127) as x"], '[\n{"x":"\x7f"}\n]\n'),
    ],
)
def test_answers_for_programs_show_them_on_a_terminal(
    cli: Cli, tmp_path: Path, arguments: list[str], printed: str
) -> None:
    """A program that reads the answer gets it as it is."""
    write_project(tmp_path, {"models/evil.sql": "select chr(27) || 'x' as title"})
    assert build(read_config(Settings(project_dir=tmp_path))).exit_code == 0
    assert cli(*arguments, cwd=tmp_path).out == printed
    leader, follower = pty.openpty()
    done = subprocess.run([*GENREDB, *arguments], cwd=tmp_path, stdout=follower, check=False)
    os.close(follower)
    assert done.returncode == 0
    assert os.read(leader, 1000).decode().replace("\r", "") == visible(printed)
    os.close(leader)
