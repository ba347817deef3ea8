"""``genredb init``: what it lays out builds at once, and names, types and keys are those of the CSVs."""

import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredb.errors import InputError, ProjectError, UsageError
from genredb.init import init
from genredb.runner.project.config import Config, Settings, read_config
from genredb.warehouse.infer import infer_table, sql_name
from tests.conftest import ROOT, Cli, rows
from tests.verbs import build

DATE = dt.date(2024, 12, 31)
ORDERS = """Order ID,Order,Zip,When,On,Amount,Paid,Größe
1,a,00123,2024-01-02 10:00,2024-01-02,1.50,true,"x, y"
2,b,12345,2024-02-03,2024-02-03,2,false,
3,,1,2024-02-03 10:00,2024-12-31,,true,z
"""


def config_of(folder: Path) -> Config:
    return read_config(Settings(project_dir=folder))


def inferred(folder: Path, text: str) -> dict[str, str]:
    path = folder / "x.csv"
    path.write_text(text, encoding="utf-8")
    return {column.name: column.data_type for column in infer_table(path).columns}


@pytest.mark.slow
def test_the_songs_project_builds_predicts_and_exports(cli: Cli, tmp_path: Path) -> None:
    done = cli("init", "songs", cwd=tmp_path)
    assert (done.code, done.err) == (0, "Created songs. Next: cd songs && genredb build\n")
    listed = set(done.out.split("\n"))
    assert {"dbt_project.yml", "sql/models/marts/songs.sql", "data/seeds/genre_groups.csv"} <= listed
    songs = tmp_path / "songs"
    assert (songs / "sql" / "models" / "marts" / "songs.sql").read_bytes() == (
        ROOT / "sql" / "models" / "marts" / "songs.sql"
    ).read_bytes()
    for command in (["build", "-q"], ["predict", "-q"], ["export", "-o", "submission.csv"]):
        assert cli(*command, cwd=songs).code == 0, command
    assert "checks passed" in cli("build", cwd=songs).err  # those of what was predicted
    assert cli("build", cwd=songs).err.endswith("genre.duckdb is up to date.\n")


def test_own_csvs_become_sources_models_and_tables(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "My orders.csv").write_text(ORDERS, encoding="utf-8")
    (tmp_path / "people.csv").write_text("name,age\nAda,36\nAlan,41\n", encoding="utf-8")
    done = cli("init", "shop", "My orders.csv", "people.csv", cwd=tmp_path)
    assert done.code == 0, done.err
    built = cli("build", cwd=tmp_path / "shop")
    assert (built.code, "4 relations built, 4 checks passed" in built.err) == (0, True), built.err
    database = tmp_path / "shop" / "shop.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        types = {row[0]: row[1] for row in connection.sql("describe my_orders").fetchall()}
    assert types == {
        "order_id": "BIGINT",
        "order_": "VARCHAR",
        "zip": "VARCHAR",
        "when_": "TIMESTAMP",
        "on_": "DATE",
        "amount": "DOUBLE",
        "paid": "BOOLEAN",
        "grosse": "VARCHAR",
    }
    assert rows(database, "select zip, amount, grosse from my_orders order by order_id") == [
        ("00123", 1.5, "x, y"),
        ("12345", 2.0, None),
        ("1", None, "z"),
    ]
    assert rows(database, "select count(*) from raw.quarantine") == [(0,)]
    assert cli("describe", "people", cwd=tmp_path / "shop").out.count("The column age.") == 1
    examined = cli("doctor", cwd=tmp_path / "shop")
    assert (examined.code, "note" in examined.out, "problem" in examined.out) == (0, False, False)


@pytest.mark.parametrize(
    ("text", "delimiter", "expected"),
    [
        ('id;Titel;Text, lang\n1;a,b;x\n2;"c;d";y\n', ";", [(1, "a,b", "x"), (2, "c;d", "y")]),
        ("id\tname\n1\ta\n2\tb,c\n", "\t", [(1, "a"), (2, "b,c")]),
        ("id|name\n1|a\n\n2|b|\n", "|", [(1, "a"), (2, "b")]),
        ("id,Titel (a; b)\n1,x;;\n", ",", [(1, "x;;")]),
        ('"id,name";;\r\n"1,""a;b""";;\r\n', ",", [(1, "a;b")]),
    ],
)
def test_a_csv_may_have_other_delimiters(
    tmp_path: Path, text: str, delimiter: str, expected: list[tuple[object, ...]]
) -> None:
    path = tmp_path / "things.csv"
    path.write_text(text)
    assert infer_table(path).delimiter == delimiter
    init(tmp_path / "own", [path])
    assert build(config_of(tmp_path / "own")).exit_code == 0
    assert rows(tmp_path / "own" / "own.duckdb", "from things order by id") == expected


@pytest.mark.parametrize("stated", ["", "ab", "\n", '"', "é", 1, " "])
def test_a_delimiter_is_one_character(tmp_path: Path, stated: object) -> None:
    path = tmp_path / "things.csv"
    path.write_text("id;name\n1;a\n")
    init(tmp_path / "own", [path])
    sources = tmp_path / "own" / "sql" / "models" / "sources.yml"
    changed = sources.read_text().replace("delimiter: ;", f"delimiter: {json.dumps(stated)}")
    sources.write_text(changed)
    with pytest.raises(ProjectError, match=r"sources.yml: `delimiter:` should be one character such as ';'"):
        build(config_of(tmp_path / "own"))


def test_a_delimiter_that_is_not_stated_is_named(tmp_path: Path) -> None:
    (tmp_path / "things.csv").write_text("id,name\n1,a\n")
    init(tmp_path / "own", [tmp_path / "things.csv"])
    (tmp_path / "own" / "data" / "raw" / "things.csv").write_text("id;name\n1;a\n")
    with pytest.raises(
        InputError, match="they seem to be separated by ';': set `delimiter:` next to `file:`"
    ):
        build(config_of(tmp_path / "own"))


def test_a_doubled_key_of_own_csvs_is_quarantined(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text("thing_id,x\n1,a\n2,b\n")
    init(tmp_path / "own", [path])
    (tmp_path / "own" / "data" / "raw" / "things.csv").write_text("thing_id,x\n1,a\n2,b\n2,c\n")
    assert build(config_of(tmp_path / "own")).exit_code == 0
    database = tmp_path / "own" / "own.duckdb"
    assert rows(database, "select thing_id, x from things") == [(1, "a"), (2, "b")]
    assert rows(database, "select count(*) from raw.quarantine") == [(1,)]


def test_the_sql_laid_out_is_clean(tmp_path: Path) -> None:
    (tmp_path / "My orders.csv").write_text(ORDERS, encoding="utf-8")
    init(tmp_path / "shop", [tmp_path / "My orders.csv"])
    linted = subprocess.run(
        [
            sys.executable,
            "-m",
            "sqlfluff",
            "lint",
            "--config",
            str(ROOT / "pyproject.toml"),
            str(tmp_path / "shop" / "sql"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", ""], "bigint"),
        (["1", "2.0"], "bigint"),  # the loader takes 2.0 for an integer
        (["1", "2.5"], "double"),
        (["1e3", ".5"], "double"),
        (["007", "8"], "varchar"),
        (["0", "0.5"], "double"),
        (["99999999999999999999"], "hugeint"),
        (["9" * 40], "varchar"),
        (["0.1234567890123456789"], "varchar"),
        (["true", "FALSE"], "boolean"),
        (["2024-01-01", "2024-12-31"], "date"),
        (["2024-01-01", "2024-12-31 23:59:59"], "timestamp"),
        (["2024-01-01", "yesterday"], "varchar"),
        (["nan", "1"], "varchar"),
        (["", ""], "varchar"),
        ([], "varchar"),
    ],
)
def test_types_are_those_that_all_values_fit(tmp_path: Path, values: list[str], expected: str) -> None:
    text = "a,b\n" + "".join(f"{value},x\n" for value in values)
    if not values:
        with pytest.raises(InputError):
            inferred(tmp_path, text)
    else:
        assert inferred(tmp_path, text)["a"] == expected


@pytest.mark.parametrize(
    ("header", "values", "key"),
    [
        ("name,order_id", ["a,1", "a,2"], "order_id"),
        ("name,order_id", ["a,1", "b,1"], None),
        ("nr,name", ["1,a", "2,a"], "nr"),
        ("nr,name", ["1,a", ",b"], None),
        ("name,nr", ["a,1", "b,2"], None),
    ],
)
def test_a_key_is_a_column_that_looks_like_one(
    tmp_path: Path, header: str, values: list[str], key: str | None
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\n".join([header, *values]) + "\n")
    assert infer_table(path).key == key


def test_names_are_those_that_sql_need_not_quote() -> None:
    named = {
        text: sql_name(text, "x")
        for text in ("Top Genre", "Größe", "2nd", "select", "  ", "a--b", "Left", "ID", "日本")
    }
    assert named == {
        "Top Genre": "top_genre",
        "Größe": "grosse",
        "2nd": "_2nd",
        "select": "select_",
        "  ": "x",
        "a--b": "a_b",
        "Left": "left_",
        "ID": "id",
        "日本": "x",
    }


def test_nothing_is_laid_out_where_it_cannot_be(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("a,b\n1,2\n")
    bad.write_text("a,A\n1,2\n")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    (tmp_path / "jinja.csv").write_text("{{ a }},b\n1,2\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "good.csv").write_text("a,b\n1,2\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    for csvs, error, message in (
        ([tmp_path / "none.csv"], InputError, "There is no file"),
        ([good, bad], InputError, "two columns would be called 'a'"),
        ([good, tmp_path / "sub" / "good.csv"], InputError, "would create models with the same name"),
        ([tmp_path / "jinja.csv"], InputError, "contains template syntax"),
    ):
        with pytest.raises(error, match=message):
            init(tmp_path / "new", csvs)
    with pytest.raises(UsageError, match="is not empty; name a new folder"):
        init(tmp_path / "used")
    with pytest.raises(UsageError, match="is not empty; name a new folder"):
        init(good)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_names_that_would_clash_are_refused(tmp_path: Path) -> None:
    for name in ("songs", "stg_songs", "quarantine"):
        (tmp_path / f"{name}.csv").write_text("a\n1\n")
    for names, message in (
        (["songs", "stg_songs"], "models with the same name"),
        (["quarantine"], "of its own"),
    ):
        with pytest.raises(InputError, match=message):
            init(tmp_path / "new" / "deep", [tmp_path / f"{name}.csv" for name in names])
    assert not (tmp_path / "new").exists()


def test_json_is_not_read_as_a_csv(tmp_path: Path) -> None:
    (tmp_path / "things.json").write_text('[{"a": 1}]')
    with pytest.raises(InputError, match="is JSON; genredb reads JSON lines; write one object on each line"):
        init(tmp_path / "new", [tmp_path / "things.json"])


@pytest.mark.parametrize("name", ["staging", "raw", "Staging"])
def test_a_folder_may_be_called_as_a_schema(tmp_path: Path, name: str) -> None:
    """The database gets another name then: DuckDB could not tell it from the schema."""
    (tmp_path / "x.csv").write_text("a\n1\n")
    init(tmp_path / name, [tmp_path / "x.csv"])
    assert build(config_of(tmp_path / name)).exit_code == 0


def test_the_working_directory_stays_the_same_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    before = (tmp_path / "here").stat().st_ino
    assert cli("init", ".", "-q", cwd=tmp_path / "link").code == 0
    assert (tmp_path / "here").stat().st_ino == before
    assert cli("build", "-q", cwd=tmp_path / "here").code == 0


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    init(tmp_path / "empty")
    assert (tmp_path / "empty" / "dbt_project.yml").is_file()
    assert not list(tmp_path.glob(".empty-*"))


cells = st.one_of(
    st.integers(-(2**70), 2**70).map(str), st.sampled_from(["", "x", "1.5", "007", "2024-01-01"])
)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=5)
tables = st.lists(st.tuples(cells, words), min_size=1, max_size=8)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.lists(tables, min_size=5, max_size=5))
def test_whatever_is_inferred_loads_every_row(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[str, str]]]
) -> None:
    folder = tmp_path_factory.mktemp("inferred")
    paths = [folder / f"data{number}.csv" for number in range(len(files))]
    for path, values in zip(paths, files, strict=True):
        lines = [f'{one},"{other.replace(chr(34), chr(34) * 2)}"' for one, other in values]
        path.write_text("\n".join(["one,other", *lines]) + "\n", encoding="utf-8")
    init(folder / "own", paths)
    assert build(config_of(folder / "own")).exit_code == 0
    database = folder / "own" / "own.duckdb"
    assert rows(database, "select count(*) from raw.quarantine") == [(0,)]
    for path, values in zip(paths, files, strict=True):
        assert rows(database, f"select count(*) from {path.stem}") == [(len(values),)]


@pytest.mark.parametrize(
    ("values", "cause", "example", "value"),
    [
        (["1,50", "1.005,25", "3", ""], "decimal commas", "1,50", 1.5),
        (["1,005", "12", "3,400,000"], "thousands separators", "1,005", 1005),
        (["31.12.2024", "01.02.2024"], "dates that are not written as 2024-12-31", "31.12.2024", DATE),
        (["31/12/2024", "1/2/2024"], "dates that are not written as 2024-12-31", "31/12/2024", DATE),
        (["12/31/2024", "1/2/2024"], "dates that are not written as 2024-12-31", "12/31/2024", DATE),
        (["1.5", "NA", "2"], "a mark of missing values", "NA", 1.5),
        (["2024-12-31", "n/a", "n/a"], "a mark of missing values", "n/a", DATE),
        (["1.5", "NA", "-", "NA"], "marks of missing values", "-, NA", 1.5),
    ],
)
def test_what_keeps_a_column_from_its_type_is_named_with_the_sql_that_converts_it(
    tmp_path: Path, values: list[str], cause: str, example: str, value: object
) -> None:
    path = tmp_path / "things.csv"
    path.write_text("name;a\n" + "".join(f"x;{one}\n" for one in values))
    layout = init(tmp_path / "own", [path])
    [column] = layout.text_columns
    assert (column.file, column.header, str(column.near)) == ("things.csv", "a", f"{cause} ({example!r})")
    staging = tmp_path / "own" / column.model
    converted = f"{column.near.sql} as {column.name}"
    staging.write_text(re.sub(r"\ba\b", converted, staging.read_text().replace(" as (", " AS (")))
    assert build(config_of(tmp_path / "own")).exit_code == 0
    assert rows(tmp_path / "own" / "own.duckdb", "select a from things")[0] == (value,)


@pytest.mark.parametrize(
    "values", [["a,b", "1,5"], ["NA", "x"], ["NA", "-", "x"], ["007", "8"], ["1.2.3"], ["", ""], ["NA"]]
)
def test_what_is_text_is_not_spoken_of(tmp_path: Path, values: list[str]) -> None:
    path = tmp_path / "things.csv"
    path.write_text("name;a\n" + "".join(f"x;{one}\n" for one in values))
    assert [column.near for column in infer_table(path).columns] == [None, None]


@pytest.mark.parametrize(
    "text", ["1,One,100\n2,Two,110\n", "One,1.5\nTwo,2\n", "2024-01-01,x,2\n2024-01-02,y,3\n", "1,1\n2,2\n"]
)
def test_a_file_without_header_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "things.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"things\.csv:1: the line looks like a row, not a header: '"):
        infer_table(path)


@pytest.mark.parametrize(
    "text", ["country,1990,1991\nx,1,2\n", "id,1990\n1,2\n", "name,y\na,true\n", "a\nb\n"]
)
def test_names_may_look_like_values(tmp_path: Path, text: str) -> None:
    path = tmp_path / "things.csv"
    path.write_text(text)
    assert len(infer_table(path).columns) == text.partition("\n")[0].count(",") + 1


def test_the_command_line_warns_of_columns_that_stay_text(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "things.csv").write_text("name;price\na;1,50\n")
    done = cli("init", "own", "things.csv", cwd=tmp_path)
    assert (done.code, "warning: things.csv: the column price is text" in done.err) == (0, True)
