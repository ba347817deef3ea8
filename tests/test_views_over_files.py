"""Views over files: paths are relative to the project, and locked queries read what views name, but nothing else."""

from pathlib import Path

import pytest

from genredb.ask.query import Question, answer_beside, fetch_answer
from genredb.errors import UsageError
from genredb.runner.project.config import Config
from tests.project_files import write_project
from tests.verbs import build

FILES = {
    "data/x.csv": "a\n1\n",
    "data/k=1/x.csv": "a\n5\n",
    "data/k=2/x.csv": "a\n6\n",
    "secret.csv": "a\n9\n",
    "models/one.sql": "from 'data/x.csv'",
    "models/parts.sql": "select * from read_csv('data/*/*.csv')",
    "models/source.sql": "select * from {{ source('s', 'x') }}",
    "models/sources.yml": "sources: [{name: s, meta: {external_location: 'data/{name}.csv'}, tables: [{name: x}]}]",
    "models/other.sql": "from 'elsewhere.csv'",
    "models/listed.sql": "select * from read_csv(['data/x.csv', 'data/x.csv'], header = true)",
    "models/joined.sql": "select z.a from 'data/x.csv' as x join 'data/x.csv' as z using (a), 'data/x.csv' as w",
    "models/texts.sql": "select 'x' ~ '.*' as a, 'x' like '*' as b, 'secret.csv' as c, '[a-z]*' as d,"
    " 'see FROM \"./secret.csv\" ' as e, 'read_csv(''secret.csv'')' as f, 1 as \"read_csv('secret.csv')\"",
}


@pytest.fixture
def config(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Config:
    here = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(here)
    (here / "x.csv").write_text("a\n100\n")
    (here / "elsewhere.csv").write_text("a\n7\n")
    found = write_project(tmp_path, FILES)
    assert build(found).exit_code == 0
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one", ((1,),)),
        ("parts", ((5, 1), (6, 2))),
        ("source", ((1,),)),
        ("other", ((7,),)),
        ("listed", ((1,), (1,))),
        ("joined", ((1,),)),
    ],
)
def test_a_locked_query_reads_views_over_files(config: Config, name: str, expected: object) -> None:
    """Relative paths are those of the project, as in dbt; else those of the working directory."""
    question = Question(f"from {name} order by all")
    assert fetch_answer(config, question).rows == expected
    assert answer_beside(config, question).rows == expected


@pytest.mark.parametrize(
    "path", ["secret.csv", "./secret.csv", "{root}/secret.csv", "data/../secret.csv", "{root}/*.csv"]
)
def test_a_locked_query_reads_no_other_file(config: Config, path: str) -> None:
    for ask in (fetch_answer, answer_beside):
        with pytest.raises(UsageError, match="Cannot access file"):
            ask(config, Question(f"from read_csv('{path.format(root=config.root)}')"))
