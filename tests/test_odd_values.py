"""Whatever value a key of a yml file has: it takes effect or is refused by a sentence, never by a traceback."""

import datetime
from pathlib import Path

import pytest

from genredb.errors import GenredbError, ProjectError
from genredb.runner.planning.options import Options
from genredb.runner.project.types import sql_type
from tests.project_files import compiled, write_project
from tests.verbs import build
from tests.yml_places import FILES, PLACES

ODD = [
    5,
    -1,
    True,
    "x",
    [],
    [1],
    {},
    {"a": 1},
    {1: 2},
    10**400,
    float("nan"),
    datetime.date(2020, 1, 1),
    "{{ 1/0 }}",
]


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_an_odd_value_is_read_or_refused(tmp_path: Path, place: str) -> None:
    keys, files = PLACES[place]
    for key in sorted(keys.known):
        for value in ODD:
            if "config()" in place and not isinstance(value, int | str | list | dict):
                continue
            try:
                compiled(tmp_path, FILES | files({key: value}))
            except GenredbError as error:
                assert len(str(error)) < 2000, (key, value)
            except Exception as error:
                raise AssertionError((place, key, value)) from error


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"models/m.sql": "{{ return(1) }} select 1"}, "models/m.sql:1: return() outside a macro."),
        ({"macros/m.sql": "{{ return(1) }}"}, "macros/m.sql:1: return() outside a macro."),
        (
            {"models/m.sql": "select '{{ '\\ud800' }}'"},
            "models/m.sql: the template produces '\\ud800', which is not a",
        ),
        (
            {"models/m.sql": "{{ config(alias='\\ud800') }} select 1"},
            "models/m.sql: the template produces '\\ud800', which is not a character.",
        ),
        (
            {
                "models/a.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('b') }}",
                "models/b.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('a') }}",
            },
            "The models form a cycle: a → b → a.",
        ),
        (
            {
                "models/m.sql": "select 1 as x",
                "models/p.yml": "models: [{name: m, columns: [{name: x, meta: {role: featur}}]}]",
            },
            "models/p.yml: `role:` of x cannot be 'featur'. Did you mean 'feature'?",
        ),
        ({"tests/t.sql": "{{ config(limit='x') }} select 1"}, "tests/t.sql: `limit:` should be a number of"),
    ],
)
def test_what_means_nothing_is_refused_in_its_place(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(ProjectError) as error:
        compiled(tmp_path, files)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("materialized", ["view", "table", "incremental"])
def test_a_model_is_one_query(tmp_path: Path, materialized: str) -> None:
    """What stands behind it would run as well, whatever it is."""
    model = f"{{{{ config(materialized='{materialized}') }}}} select 1 as x%s"
    config = write_project(tmp_path, {"models/m.sql": model % ";\n-- no more;"})
    assert build(config).is_published
    write_project(tmp_path, {"models/m.sql": model % "; drop table meta.runs"})
    with pytest.raises(ProjectError, match=r"models/m\.sql: it has 2 statements; only one query is allowed"):
        build(config)


@pytest.mark.parametrize("options", [Options(), Options(store_failures=True)])
def test_a_check_is_one_query(tmp_path: Path, options: Options) -> None:
    check = "select 1 as x where false); drop table meta.runs; select * from (select 1 as x where false"
    config = write_project(tmp_path, {"models/m.sql": "select 1 as x", "tests/t.sql": check})
    with pytest.raises(ProjectError, match=r"tests/t\.sql: it has 3 statements"):
        build(config, options=options)


def test_a_unit_test_may_state_what_is_no_number(tmp_path: Path) -> None:
    test = "unit_tests: [{name: u, model: m, given: [], expect: {rows: [{x: .nan, y: -.inf}]}}]"
    model = "select 'nan'::double as x, '-inf'::double as y"
    assert build(write_project(tmp_path, {"models/m.sql": model, "models/p.yml": test})).exit_code == 0


@pytest.mark.parametrize("measure", ["'nan'::double", "'inf'::double"])
def test_a_measure_that_counts_nothing_fails_its_check(tmp_path: Path, measure: str) -> None:
    files = {"tests/t.sql": f'{{{{ config(fail_calc="{measure}") }}}} select 1 as x'}
    result = build(write_project(tmp_path, files))
    assert result.results[0].message.startswith("tests/t.sql: fail_calc gives ")
    assert result.exit_code == 3


TYPES = [
    "int", "decimal(9, 2)", "varchar(20)", "double precision", "timestamp with time zone", "int[]", "int[3][]",
    "struct(a int, b varchar[])", 'struct("a b" int)', "map(varchar, int)", "enum('a', 'b''c')",
    "union(num int, str varchar)", '"my type"', "main.mood", "time without time zone", "character varying(20)",
]  # fmt: skip
NO_TYPES = [
    "int); drop table x; --", "int default 5", "int primary key", "int, b int", "int /* x */", "int; select 1",
    "struct(a int", "int[", "enum('a)", "", "5", "int check (x)", "decimal(9, 2) not null", "(int)", "int'a'",
    5, None, ["int"], "x" * 20_000, "struct(a " * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("text", TYPES)
def test_types_are_read(text: str) -> None:
    assert sql_type(text, "type", "p.yml") == text


@pytest.mark.parametrize("text", NO_TYPES, ids=range(len(NO_TYPES)))
def test_what_is_no_type_reaches_no_sql(text: object) -> None:
    with pytest.raises(ProjectError, match=r"^p\.yml: type should be a type such as 'integer'"):
        sql_type(text, "type", "p.yml")


ESCAPE = "int); create table stolen as select 1; --"


@pytest.mark.parametrize("meta", ["file: raw.csv", "file: none.csv, optional: true"])
def test_a_type_of_a_source_cannot_carry_sql(tmp_path: Path, meta: str) -> None:
    column = f"{{name: a, data_type: '{ESCAPE}', config: {{meta: {{filled_with: record_number}}}}}}"
    table = f"{{name: t, config: {{meta: {{{meta}}}}}, columns: [{column}]}}"
    files = {"data/raw/raw.csv": "a\n1\n", "models/s.yml": f"sources: [{{name: raw, tables: [{table}]}}]"}
    with pytest.raises(ProjectError, match="models/s.yml: `data_type:` of a should be a type"):
        build(write_project(tmp_path, files))


def test_a_type_of_a_seed_cannot_carry_sql(tmp_path: Path) -> None:
    files = {
        "seeds/s.csv": "a\n1\n",
        "seeds/s.yml": f"seeds: [{{name: s, config: {{column_types: {{a: '{ESCAPE}'}}}}}}]",
    }
    [result] = build(write_project(tmp_path, files)).results
    assert "seeds/s.csv: `column_types:` of a should be a type" in result.message


def test_an_error_in_a_long_line_of_sql_shows_what_is_around_it(tmp_path: Path) -> None:
    """Of a hook or a check, whose SQL stands in no file, as of a model."""
    hook = f"select '{'x' * 2000}', nope, '{'y' * 2000}'"
    model = f'{{{{ config(post_hook="{hook}") }}}} select 1 as x'
    [result] = build(write_project(tmp_path, {"models/m.sql": model})).results
    _, line, caret = result.message.splitlines()
    assert len(line) < 300
    assert line[caret.index("^") : caret.rindex("^") + 1] == "nope"
