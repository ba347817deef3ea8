"""Every SQL model over a small input, held against golden rows."""

import csv
import io
from pathlib import Path

import duckdb
import pytest

from genredb.runner.graph.compiler import Compilation, compile_project
from genredb.runner.graph.nodes import Check, Model, Seed
from genredb.runner.project.config import Config
from genredb.runner.project.discover import read_project
from genredb.runner.results import Status
from genredb.songs.predict import predict
from tests.conftest import REAL_FILES, TEST_HEADER, TRAIN_HEADER, Shared, check_golden, config_for, song
from tests.songs_from_elsewhere import PLAYLIST_HEADER
from tests.verbs import build

AUDIO = song(1)
TRAIN = [
    f"1,Plain Song,The  Plain ,1980,{AUDIO},Album Rock ",
    f"2,Plain Song - Remastered 2011,the plain,2011,{song(2)},album rock",
    f"3,Plain Song,The Plain,1980,{AUDIO},album rock",
    f"4,Désenchantée - Radio Edit,CÃ©line,1990,{song(4)},chanson",
    f"5,From â€œGreaseâ€\x9d,Céline,1978,{song(5)},chanson",
    f"6,No Genre,Nobody,1999,{song(6)},",
    f'7,"Comma, Song",Third,1999,{song(7)},dance pop',
    f"8,Another,Third,2000,{song(8)},dance pop",
    f"9,Third Song,Third,2001,{song(9)},dance pop",
    f"10,Keyword,Fourth,1970,{song(10)},icelandic folk rock",
    f"15,Hyphens - Live Version (Remastered),Fourth\u00a0,1970,{song(10)},Neo-Hip-Hop",
    f"11,Nothing Known,Fifth,1971,{song(11)},zyzzyx",
    f"12,,,1972,{song(12)},pop",
    f"13,,,1972,{song(12)},pop",
    "14,Missing Numbers,Sixth,,,,,,,,,,,,disco",
]
TEST = [
    f"20,Asked,Third,1999,{song(3)}",
    f"21,Plain Song,The Plain,1980,{AUDIO}",
    f"22,Unknown,New Artist,1960,{song(15)}",
]
EXTRA = [
    f"1,More Songs,Third,2002,{song(7)},dance pop",
    f"2,Asked,Third,1999,{song(3)},dance pop",
]
PLAYLIST = [
    'u,Dated,A,"Third;Else",1999-05-31,201499,64,,,,,,.505,.4,1,-7.5,0,.034,.2,0,.125,.6,120.6,4',
    'u,Silent,A,"Nobody, Known",0000,100000,,,,,,,,,,,,,,,,,,',
    'u,Listed,A,"Fourth,Third",1970,100000,1,,,,,,1,1,1,0.4,0,1,1,0,1,1,99.4,4',
]


@pytest.fixture(scope="module")
def config(shared: Shared) -> Config:
    def fill(folder: Path) -> None:
        (folder / REAL_FILES[0]).write_text("\n".join([TRAIN_HEADER, *TRAIN]) + "\n", encoding="utf-8")
        (folder / REAL_FILES[1]).write_text("\n".join([TEST_HEADER, *TEST]) + "\n", encoding="utf-8")
        (folder / "songs_extra.csv").write_text("\n".join([TRAIN_HEADER, *EXTRA]) + "\n", encoding="utf-8")
        (folder / "playlist.csv").write_text("\n".join([PLAYLIST_HEADER, *PLAYLIST]) + "\n", encoding="utf-8")
        config = config_for(folder, folder / "models.duckdb", baselines=True)
        result = build(config)
        assert result.exit_code == 0, result.results
        warned = [found.failing.rows for found in result.of_status(Status.WARN) if found.failing]
        assert warned == [(("zyzzyx", 1),)]
        predict(config)

    folder = shared("models", fill)
    return config_for(folder, folder / "models.duckdb", baselines=True)


@pytest.fixture(scope="module")
def compilation(config: Config) -> Compilation:
    return compile_project(read_project(config))


MODELS = sorted(path.stem for path in (Path(__file__).parents[1] / "sql" / "models").rglob("*.sql"))


@pytest.mark.parametrize("name", MODELS)
def test_golden_rows(config: Config, compilation: Compilation, name: str) -> None:
    # A classifier's id changes with the versions of the libraries.
    columns = "* exclude (classifier_id)" if name == "predictions" else "*"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    with duckdb.connect(str(config.database), read_only=True) as connection:
        cursor = connection.execute(f"select {columns} from {_local(compilation, name)} order by all")
        writer.writerow([column[0] for column in cursor.description or []])
        writer.writerows([_shown(value) for value in row] for row in cursor.fetchall())
    check_golden(f"models/{name}.csv", buffer.getvalue())


def _local(compilation: Compilation, name: str) -> str:
    relation = compilation.find(name).built_relation
    assert relation is not None
    return relation.qualified_name


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, list):
        return "; ".join(_shown(item) for item in value)
    if isinstance(value, dict):
        return f"{value.get('genre') or value['genre_group']} {value['probability']:.6f}"
    return "∅" if value is None else str(value)


def test_every_model_is_described_and_its_key_tested(compilation: Compilation) -> None:
    checks = [node for node in compilation.of_type(Check) if node.severity == "error"]
    for node in (*compilation.of_type(Model), *compilation.of_type(Seed)):
        assert node.description.startswith("One row per "), node.name
        assert node.columns, node.name
        assert all(column.description for column in node.columns), node.name
        keyed = [
            check.name
            for check in checks
            if node.unique_id in check.depends_on
            and (check.name.startswith("unique_") or "one_row_per_key" in check.name)
        ]
        assert keyed, f"{node.name} has no tested key"


def test_descriptions_name_the_columns_that_there_are(config: Config, compilation: Compilation) -> None:
    with duckdb.connect(str(config.database), read_only=True) as connection:
        for node in (*compilation.of_type(Model), *compilation.of_type(Seed)):
            found = connection.execute(f"describe {_local(compilation, node.name)}").fetchall()
            assert {row[0] for row in found} == {column.name for column in node.columns}, node.name


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ("CÃ©line", "Céline"),
        ("Céline", "Céline"),
        ("plain", "plain"),
        ("Ã", "Ã"),
        ("Ã€ la carte", "À la carte"),
        ("â€œGreaseâ€\x9d", "“Grease”"),
        ("FranÃ§oise & ChloÃ«", "Françoise & Chloë"),
        ("Ã© and Ω", "Ã© and Ω"),
        ("naïve Ã©", "naïve Ã©"),
        ("Strauß’s Waltz", "Strauß’s Waltz"),
        ("CAFÉ’S", "CAFÉ’S"),
        ("BEYONCÉ’s NESTLÉ®", "BEYONCÉ’s NESTLÉ®"),
        ("ESPAÑ’A", "ESPAÑ’A"),
        ("Ð¯ Ð»ÑŽÐ±Ð»ÑŽ", "Я люблю"),
        ("ÎšÎ±Î»Î·Î¼Î­ÏÎ±", "ÎšÎ±Î»Î·Î¼Î­ÏÎ±"),
        ("ÎšÎ±Î»Î·Î¼Î­Ï\x81Î±", "Καλημέρα"),
        ("Â® Å’uvre", "® Œuvre"),
        ("Ã©ĔĔ", "Ã©ĔĔ"),
        ("æ—¥æœ¬", "日本"),
        ("\U0001f600 Ã©", "\U0001f600 Ã©"),
        ("", ""),
        (None, None),
    ],
)
def test_mojibake_is_repaired_value_by_value(
    config: Config, broken: str | None, expected: str | None
) -> None:
    from genredb.runner.graph.compiler import compile_inline

    sql = compile_inline(
        read_project(config), "select {{ repair_mojibake('x') }} from (select ?::varchar as x)"
    )
    assert duckdb.execute(sql, [broken]).fetchone() == (expected,)
