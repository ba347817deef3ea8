"""Descriptions as comments of the database (``persist_docs``): what is written, and when."""

from pathlib import Path

import duckdb
import pytest

from genredb.errors import ProjectError
from genredb.runner.project.config import Config
from tests.project_files import compiled, write_project
from tests.verbs import build

BOTH = "{relation: true, columns: true}"


def files(persisted: str = BOTH, kind: str = "table", description: str = "One row.") -> dict[str, str]:
    config = f"config: {{materialized: {kind}, persist_docs: {persisted}}}"
    columns = "columns: [{name: a, description: \"It's {{ doc('a') }}\"}, {name: b}]"
    return {
        "models/m.sql": "select 1 as a, 2 as b, 3 as c",
        "models/a.md": "{% docs a %}the first{% enddocs %}",
        "models/p.yml": f"models: [{{name: m, description: {description}, {config}, {columns}}}]",
    }


def comments(config: Config) -> tuple[str, dict[str, str | None]]:
    """The comment of the relation, without genredb's mark, and those of its columns."""
    with duckdb.connect(str(config.database), read_only=True) as connection:
        [(text,)] = connection.execute(
            "select comment from duckdb_tables() where table_name = 'm'"
            " union all select comment from duckdb_views() where view_name = 'm'"
        ).fetchall()
        columns = connection.execute(
            "select column_name, comment from duckdb_columns() where table_name = 'm' order by column_index"
        ).fetchall()
    return text.rpartition("genredb ")[0].strip(), dict(columns)


@pytest.mark.parametrize("kind", ["table", "view", "incremental"])
def test_descriptions_become_comments(tmp_path: Path, kind: str) -> None:
    config = write_project(tmp_path, files(kind=kind))
    assert build(config).exit_code == 0
    assert comments(config) == ("One row.", {"a": "It's the first", "b": "", "c": None})
    assert build(config).results == ()  # its mark is found below the description


@pytest.mark.parametrize(
    ("persisted", "text", "column"),
    [("{relation: true}", "One row.", None), ("{columns: true}", "", "It's the first"), ("{}", "", None)],
)
def test_only_what_is_asked_for_is_written(
    tmp_path: Path, persisted: str, text: str, column: str | None
) -> None:
    config = write_project(tmp_path, files(persisted))
    build(config)
    found, columns = comments(config)
    assert (found, columns["a"]) == (text, column)


def test_a_changed_description_is_written(tmp_path: Path) -> None:
    build(write_project(tmp_path, files()))
    config = write_project(tmp_path, files(description="Two rows."))
    build(config)
    assert comments(config)[0] == "Two rows."


def test_a_seed_has_comments(tmp_path: Path) -> None:
    entry = f"name: m, description: Kept., config: {{persist_docs: {BOTH}}}"
    config = write_project(tmp_path, {"seeds/m.csv": "a\n1\n", "seeds/p.yml": f"seeds: [{{{entry}}}]"})
    build(config)
    assert comments(config)[0] == "Kept."


def test_another_relation_is_still_told_apart(tmp_path: Path) -> None:
    """One that another program made in its place has no mark, so that it is built again."""
    config = write_project(tmp_path, files())
    build(config)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("create or replace table m as select 9 as a, 9 as b, 9 as c")
        connection.execute("comment on table m is 'One row.'")
    assert len(build(config).results) == 1


@pytest.mark.parametrize(
    ("persisted", "message"),
    [
        ("{relations: true}", "unknown key `relations:` of persist_docs. Did you mean 'relation'?"),
        (
            "{relation: yes please}",
            "`persist_docs:` should be `relation: true`, `columns: true`, or both, not",
        ),
        ("true", "`persist_docs:` should be `relation: true`, `columns: true`, or both, not"),
    ],
)
def test_what_it_cannot_be_is_refused(tmp_path: Path, persisted: str, message: str) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, files(persisted))
    assert message in str(error.value)
