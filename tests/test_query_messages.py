"""What is said of a query that is wrong: the place, the cure, and what was perhaps meant."""

import io
from pathlib import Path

import duckdb
import pytest

from genredb.ask.query import Question, calls_classifier, fetch_answer, write_answer
from genredb.cli import app
from genredb.errors import UsageError
from genredb.runner.project.config import Config
from genredb.warehouse.misspelt import _KEYWORDS
from tests.conftest import Cli, changed


def refusal(config: Config, sql: str, *, limit: int | None = 100, is_trusted: bool = False) -> str:
    with pytest.raises(UsageError) as raised:
        fetch_answer(config, Question(sql, limit=limit, is_trusted=is_trusted))
    return str(raised.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selct * from songs", "SQL:1:1: syntax error at or near \"selct\". Did you mean 'select'?"),
        ("select * form songs", "SQL:1:10: syntax error at or near \"form\". Did you mean 'from'?"),
        (
            "select *\nfrom songs wher id = 3",
            "SQL:2:12: syntax error at or near \"wher\". Did you mean 'where'?",
        ),
        (
            "selct 'é' form songs wher id = 3",
            "SQL:1:1: syntax error at or near \"selct\". Did you mean 'select'?",
        ),
        (
            "select count(*) from songs gruop by genre",
            "SQL:1:28: syntax error at or near \"gruop\". Did you mean 'group'?",
        ),
        ("select 1 from songs, , x", 'SQL:1:22: syntax error at or near ",".'),
        (
            'select title from songs where artist = "Queen"',
            "not found in FROM clause; put text in single quotes: 'Queen'.\n",
        ),
        (
            'select "titel" from songs',
            "; put text in single quotes: 'titel'. Did you mean 'title'?\n",
        ),
        (
            "from feature.train",
            "because schema \"feature\" does not exist. Did you mean 'features.train'?\n",
        ),
        ("select * from sqlite_scan('a', 'b')", "sqlite_scanner extension. genredb loads no extensions."),
    ],
)
def test_what_was_perhaps_meant_is_said(predicted: Config, sql: str, said: str) -> None:
    assert said in refusal(predicted, sql)


def test_a_keyword_is_suggested_only_where_the_sql_can_be_read_with_it(predicted: Config) -> None:
    assert "Did you mean" not in refusal(predicted, "select fro m songs (")
    for word in _KEYWORDS:
        known = duckdb.execute("select 1 from duckdb_keywords() where keyword_name = ?", [word]).fetchall()
        assert known or word in {"exists", "replace", "filter", "exclude", "over", "values"}, word


@pytest.mark.parametrize("limit", [None, 100])
@pytest.mark.parametrize(
    ("sql", "place", "marked"),
    [
        ("select title::int from songs", "SQL:1:13", "^^^^^"),
        ("select\n  [title::int] from songs", "SQL:2:9", "^^^^^"),
        ("select cast('x' as date)", "SQL:1:8", "^^^^^^^^^^^^^^^^^"),
        ("select 'é', title from songs where pop > 'abc'", "SQL:1:42", "^^^^^"),
    ],
)
def test_a_failed_cast_has_a_caret(
    predicted: Config, sql: str, place: str, marked: str, limit: int | None
) -> None:
    said = refusal(predicted, sql, limit=limit)
    assert said.startswith(f"{place}: ")
    assert said.endswith(f" {marked}")
    for answer_format in ("csv", "json", "parquet"):
        with pytest.raises(UsageError) as raised:
            write_answer(predicted, Question(sql, limit=limit), answer_format, io.BytesIO())
        assert str(raised.value) == said, answer_format


def test_a_cast_inside_a_view_is_not_looked_for_in_the_query(predicted: Config, tmp_path: Path) -> None:
    config = changed(predicted, tmp_path, "create view numbers as select title::int as n from songs")
    assert refusal(config, "select n, n + 1, n * 2 from numbers").startswith("Could not convert string")
    assert refusal(config, "from query('select title::int from songs')").startswith("Could not convert")


def test_what_trust_would_allow_is_said_to_those_who_lack_it(predicted: Config) -> None:
    assert refusal(predicted, "from read_csv('x.csv')").endswith(
        'Cannot access file "x.csv"; --trusted lets a query read files.'
    )
    endless = "select array_agg(i) from range(200000000) as numbers(i)"
    assert refusal(predicted, endless) == (
        "The query exceeds its memory limit; select fewer rows or columns, or raise --memory-limit."
    )
    assert "--trusted" not in refusal(predicted, "from read_csv('nowhere.csv')", is_trusted=True)


def test_a_comment_between_a_functions_name_and_its_parenthesis_is_none_of_its_name(
    predicted: Config,
) -> None:
    for call in ("predict_genre/**/(songs)", "predict_genre -- it\n (songs)", '"predict_genre"(songs)'):
        assert fetch_answer(predicted, Question(f"select {call} from songs", limit=1)).rows[0][0]
    assert not calls_classifier("select 'predict_genre(songs)'")


@pytest.mark.parametrize("sql", ["-- all of them\nselect 1 as a", "--all\nselect 1 as a"])
def test_sql_that_begins_with_a_comment_is_no_option(cli: Cli, predicted: Config, sql: str) -> None:
    done = cli("query", "--format=csv", "--database", predicted.database, sql, cwd=predicted.raw_dir)
    assert (done.code, done.out) == (0, "a\n1\n"), done.err
    assert app._COMMENT.match("--vars=a: 1\nb: 2") is None
