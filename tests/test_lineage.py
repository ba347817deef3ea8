"""Column lineage: pairs of SQL and origins, DuckDB as the judge of what is missed, sqlglot's own as a peer."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage as sqlglot_lineage

from genredb.runner.flow.expression import has_aggregate
from genredb.runner.flow.lineage import Lineage
from genredb.runner.flow.query import query_flow
from genredb.runner.flow.values import ROWS, Flow, How, Obstacle, Origin, QueryFlow, UnresolvedError
from genredb.runner.graph.compiler import compile_project
from genredb.runner.graph.nodes import Model
from genredb.runner.project.config import Settings, read_config
from genredb.runner.project.discover import read_project
from tests.conftest import ROOT, Cli, check_golden
from tests.project_files import compiled, write_project
from tests.verbs import build, plan

TABLES = {
    "songs": ("song_key", "title", "genre", "pop", "bpm"),
    "means": ("genre", "mean_pop"),
    "lists": ("a", "b", "elements"),
}
# Queries of every kind; what each column comes from stands in the golden file.
QUERIES = [
    text.strip()
    for text in (Path(__file__).parent / "lineage_queries.sql").read_text(encoding="utf-8").split(";")
    if text.strip()
]


def relation(name: str, _catalog: str = "") -> QueryFlow:
    """The columns of one of the tables above, as a query sees them."""
    table = name.removeprefix("main.")
    if table not in TABLES:
        raise UnresolvedError(Obstacle.NO_NODE, name)
    columns = {c: Flow(frozenset((Origin(table, c, How.VALUE),)), f"{table}.{c}") for c in TABLES[table]}
    return QueryFlow(columns, Flow(frozenset((Origin(table, ROWS, How.ROWS),)), table))


def described(sql: str) -> str:
    """Return each column of a query with what it comes from, a line each."""
    try:
        flow = query_flow(sql, relation)
    except UnresolvedError as error:
        return f"  unresolved: {error}"
    lines = []
    for name, part in (*flow.columns.items(), ("(rows)", flow.rows)):
        origins = [
            f"{o.relation}.{o.column}" + ("" if o.how is How.VALUE else f" ({o.how.value})")
            for o in sorted(part.origins)
            if (o.column, o.how) != (ROWS, How.ROWS) or name != "(rows)"
        ]
        lines.append(f"  {name}: {', '.join(origins) or '-'}")
    return "\n".join(lines)


def test_queries_and_what_their_columns_come_from() -> None:
    check_golden("lineage.txt", "".join(f"{sql}\n{described(sql)}\n\n" for sql in QUERIES))


def _tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create table songs as select
            'k' || i as song_key, 'title ' || i as title,
            case i % 5 when 0 then null when 1 then 'rock' when 2 then 'pop' else 'disco' end as genre,
            (i * 37) % 101 as pop, (i * 53) % 97 as bpm
        from range(40) t(i);
        create table means as select unnest(['rock', 'pop', 'disco']) as genre, unnest([10, 60, 35]) as mean_pop;
        create table lists as select i % 7 as a, (i * 3) % 5 as b, [i, i + 1, (i * 2) % 6] as elements
        from range(20) t(i);
        """
    )


def _altered(column: str) -> str:
    """Return an expression for other values of a column: those of other rows, and a value never seen."""
    shifted = f"lead({column}, 3, {column}) over (order by rowid)"
    other = {"song_key": "'x'", "title": "'x'", "genre": "'new'", "elements": "[9]"}.get(column, "99")
    return f"case rowid % 4 when 0 then {other} else {shifted} end"


def _answer(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, list[Any]]:
    answer: dict[str, list[Any]] = connection.sql(f"select * from ({sql})").to_arrow_table().to_pydict()
    return answer


def _by_song(answer: dict[str, list[Any]], name: str) -> dict[str, set[str]]:
    """Return the values of a column for each song."""
    found: dict[str, set[str]] = {}
    for key, value in zip(answer["song_key"], answer[name], strict=True):
        found.setdefault(key, set()).add(str(value))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("sql", QUERIES)
def test_no_column_changes_that_lineage_says_does_not(sql: str) -> None:
    """Alter one column of one table: each column of the answer that changes must have it among its origins.

    Where songs have their key, the songs that are there before and after are compared; else whole columns,
    unless which rows there are depends on what was altered.
    """
    try:
        flow = query_flow(sql, relation)
    except UnresolvedError:
        return
    origins = {name: {(o.relation, o.column) for o in part.origins} for name, part in flow.columns.items()}
    rows = {(o.relation, o.column) for o in flow.rows.origins}
    with duckdb.connect() as connection:
        _tables(connection)
        before = _answer(connection, sql)
        assert [name.lower() for name in before] == list(flow.columns)
        for table, column in ((t, c) for t, columns in TABLES.items() for c in columns):
            connection.execute("begin")
            connection.execute(
                f"create or replace table {table} as select * replace ({_altered(column)} as {column}) "
                f"from {table} order by rowid"
            )
            after = _answer(connection, sql)
            connection.execute("rollback")
            for name in before:
                if (table, column) in origins[name.lower()]:
                    continue
                if "song_key" in before and column != "song_key":
                    old, new = _by_song(before, name), _by_song(after, name)
                    assert all(new[k] == old[k] for k in old.keys() & new.keys()), (name, table, column)
                elif (table, column) not in rows:
                    assert sorted(map(str, after[name])) == sorted(map(str, before[name])), (
                        name,
                        table,
                        column,
                    )


@pytest.mark.slow
def test_values_are_those_that_sqlglots_own_lineage_finds() -> None:
    """Over this project's models; ours may know fewer leaves only where sqlglot names a whole table."""
    compilation = compile_project(read_project(read_config(Settings(project_dir=ROOT))))
    ours = Lineage(compilation)
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for name, node in ours.nodes.items():
        schema_name, _, table = name.partition(".")
        schema.setdefault(schema_name, {})[table] = {ref.column: "varchar" for ref in ours.columns(node)}
    compared = 0
    for name, node in ours.nodes.items():
        if not isinstance(node, Model) or name in ("staging.stg_songs", "main.text_summary"):
            continue  # sqlglot takes `union all by name` for positional
        theirs = sqlglot_lineage(None, node.sql.replace('"genre".', ""), schema=schema, dialect="duckdb")
        for column in list(ours.flow(name).columns)[:6]:
            found = theirs[column]
            leaves = {
                (leaf.expression.sql().split(" AS ")[0].replace('"', ""), leaf.name.split(".")[-1].strip('"'))
                for leaf in found.walk()
                if isinstance(leaf.expression, exp.Table)
            }
            values = {
                (o.relation, o.column) for o in ours.flow(name).columns[column].origins if o.how is How.VALUE
            }
            assert {leaf for leaf in leaves if leaf[1] != "*"} <= values, (name, column)
            compared += 1
    assert compared > 50


def test_every_aggregate_of_duckdb_is_known_as_one() -> None:
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select distinct function_name from duckdb_functions() where function_type = 'aggregate'"
        ).fetchall()
    for (name,) in rows:
        forms = (f"{name}(a)", f"{name}(a, b)", f"{name}(a, b, c)", f"a.{name}()", f"main.{name}(a)")
        calls = (f"select {form} from t" for form in forms)
        read = []
        for call in calls:
            try:
                read.append(sqlglot.parse_one(call, read="duckdb").expressions[0])
            except sqlglot.ParseError:
                continue
        assert read, name
        assert all(has_aggregate(call) for call in read), name


def test_ephemeral_and_incremental_models_and_seeds_are_followed(tmp_path: Path) -> None:
    lineage = Lineage(
        compiled(
            tmp_path,
            {
                "seeds/numbers.csv": "n,word\n1,a\n",
                "models/doubled.sql": "{{ config(materialized='ephemeral') }} select n * 2 as d from {{ ref('numbers') }}",
                "models/kept.sql": "{{ config(materialized='incremental') }} select d from {{ ref('doubled') }}"
                "{% if is_incremental() %} where d > (select max(d) from {{ this }}) {% endif %}",
                "models/last.sql": "select * from {{ ref('kept') }}",
            },
        )
    )
    _, start = lineage.find("last.d")
    assert start is not None
    way = [(e.target.relation, e.source.relation, e.source.column) for e in lineage.upstream(start)]
    assert way == [
        ("main.last", "main.kept", "d"),
        ("main.kept", "__dbt__cte__doubled", "d"),
        ("__dbt__cte__doubled", "main.numbers", "n"),
    ]
    assert {(o.column, o.how) for o in lineage.flow("main.kept").rows.origins} >= {("d", How.FILTER)}
    _, seed = lineage.find("numbers.n")
    assert seed is not None
    assert [e.target.relation for e in lineage.downstream(seed)] == [
        "__dbt__cte__doubled",
        "main.kept",
        "main.last",
    ]


def test_lineage_of_a_column_of_the_submission_reaches_the_csv(cli: Cli) -> None:
    tree = cli("lineage", "songs.genre_group", cwd=ROOT)
    assert tree.code == 0
    check_golden("lineage_tree.txt", tree.out)
    found = json.loads(cli("lineage", "submission.top genre", "--json", cwd=ROOT).out)
    assert {
        "relation": "raw.songs_train",
        "column": "top_genre",
        "file": "CS98XClassificationTrain.csv",
        "header": "top genre",
    } in found["files"]
    assert found["unresolved"] == {}
    down = cli("lineage", "CS98XClassificationTrain.csv.top genre", "--downstream", "--json", cwd=ROOT)
    targets = {(e["target"]["relation"], e["target"]["column"]) for e in json.loads(down.out)["edges"]}
    assert ("main.submission", "top genre") in targets
    assert ("main.submission", "id") not in targets


def test_lineage_suggests_names(cli: Cli) -> None:
    for asked, suggested in (("song.genre", "'songs'"), ("songs.genr", "'genre'"), ("stg_song", "stg_songs")):
        ran = cli("lineage", asked, cwd=ROOT)
        assert ran.code == 2, asked
        assert "Did you mean" in ran.err, asked
        assert suggested.strip("'") in ran.err, asked


def test_a_plan_says_which_columns_are_touched(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "select range as x, 'w' || range as word from range(3)",
        "models/b.sql": "select x + 1 as y, upper(word) as loud from {{ ref('a') }}",
        "models/c.sql": "select max(y) as top from {{ ref('b') }}",
    }
    config = write_project(tmp_path, files)
    build(config)
    write_project(tmp_path, {"models/a.sql": "select range as x, 'v' || range as word from range(3)"})
    touched = {i.rsplit(".", maxsplit=1)[-1]: t.columns for i, t in plan(config).touched.items()}
    assert touched == {"a": ("word",), "b": ("loud",), "c": ()}
    write_project(tmp_path, {"models/a.sql": files["models/a.sql"] + " where range > 0"})
    found = plan(config).touched
    assert [t.has_other_rows for t in found.values()] == [True, True, False]
    assert [t.columns for t in found.values()] == [(), (), ("top",)]


def test_definitions_tell_the_branches_of_a_union_apart() -> None:
    same, other = (
        query_flow(f"select pop as p from songs where genre = 'a' union all select {e} from songs", relation)
        for e in ("pop", "pop + 1")
    )
    assert not any(o.how is How.FILTER for o in same.columns["p"].origins)
    assert any(o.how is How.FILTER for o in other.columns["p"].origins)


def test_what_cannot_be_followed_is_said(tmp_path: Path) -> None:
    lineage = Lineage(
        compiled(
            tmp_path,
            {
                "models/files.sql": "select * from read_csv('x.csv')",
                "models/unknown.sql": "select * from elsewhere",
                "models/below.sql": "select * from {{ ref('files') }}",
            },
        )
    )
    reasons = {name: str(lineage.flow(f"main.{name}").unresolved) for name in ("files", "unknown", "below")}
    assert reasons == {
        "files": "it reads by read_csv()",
        "unknown": "it reads main.elsewhere, which is not a relation of the project",
        "below": "it reads by read_csv()",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("select pop from songs limit 10", "select pop from songs limit 20"),
        ("select pop from songs order by bpm limit 10", "select pop from songs order by bpm desc limit 10"),
        (
            "select pop from songs except select bpm from songs",
            "select pop from songs intersect select bpm from songs",
        ),
        (
            "select pop from songs semi join means using (genre)",
            "select pop from songs anti join means using (genre)",
        ),
        ("select pop from songs using sample 5", "select pop from songs using sample 10"),
        (
            "select pop from songs join means using (genre)",
            "select pop from songs left join means using (genre)",
        ),
        ("select pop from songs where bpm > 1", "select pop from songs where bpm > 2"),
        ("select pop from songs", "select distinct pop from songs"),
    ],
)
def test_other_rows_have_another_definition(before: str, after: str) -> None:
    one, other = (query_flow(sql, relation) for sql in (before, after))
    assert one.rows.definition != other.rows.definition
    assert one.columns["pop"].definition == other.columns["pop"].definition or "except" in before


def test_another_order_makes_other_values_of_distinct_on() -> None:
    one, other = (
        query_flow(f"select distinct on (genre) genre, title from songs order by genre, pop {way}", relation)
        for way in ("asc", "desc")
    )
    assert one.columns["title"].definition != other.columns["title"].definition
