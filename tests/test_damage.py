"""A damaged file is said to be damaged, itself and no other, with exit code 6 and a cure, by whatever reads it."""

import struct
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from genredb.ask.export import export
from genredb.ask.query import Question, write_answer
from genredb.doctor import examine
from genredb.errors import DatabaseCorruptError
from genredb.runner.project.config import Config, Settings
from genredb.runner.results import Status
from genredb.warehouse.database import open_reader
from genredb.warehouse.publish import publication
from tests.project_files import write_project
from tests.verbs import build, retry

HEADERS, BLOCK = 3 * 4096, 262_144
WORDS = 64_000  # of a column of random text: more than a block
MODELS = {
    "dbt_project.yml": "name: small\nprofile: small\nmodels: {+materialized: table}\n",
    "models/words.sql": f"select range as i, md5(range::varchar) as word from range({WORDS})",
    "models/other.sql": "select 1 as i",
}
MOVE = "move it away and run `genredb build`"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = write_project(tmp_path, MODELS)
    assert build(config).exit_code == 0
    return config


def word_blocks(path: Path) -> list[int]:
    """Return where the blocks begin that hold the words."""
    with duckdb.connect(str(path), read_only=True) as connection:
        blocks = connection.execute(
            "select distinct block_id from pragma_storage_info('words') where column_name = 'word'"
            " and segment_type = 'VARCHAR' and block_id >= 0 order by all"
        ).fetchall()
    assert len(blocks) > 1
    return [HEADERS + number * BLOCK for (number,) in blocks]


def swap_blocks(path: Path) -> None:
    """Let each block stand in another's place: the checksums of all are right."""
    content, places = path.read_bytes(), word_blocks(path)
    swapped = bytearray(content)
    for place, other in zip(places, places[1:] + places[:1], strict=True):
        swapped[place : place + BLOCK] = content[other : other + BLOCK]
    path.write_bytes(swapped)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[word_blocks(path)[0] + 1000] ^= 255
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: word_blocks(path)[-1] + 1000])


def query(config: Config) -> None:
    with Path("/dev/null").open("wb") as stream:
        write_answer(config, Question("select max(word) from words"), "csv", stream)


READERS: dict[str, Callable[[Config], object]] = {
    "query": query,
    "export": lambda config: export(config, "words", config.root / "words.csv"),
    "build": lambda config: build(
        with_edit(config, "models/words.sql", "select max(word) as i from {{ this }}")
    ),
    "build that reads another table alone": lambda config: build(
        with_edit(config, "models/other.sql", "select 2 as i")
    ),
}


def with_edit(config: Config, name: str, text: str) -> Config:
    (config.root / name).write_text(text)
    return config


@pytest.mark.slow
@pytest.mark.parametrize("reads", READERS.values(), ids=READERS)
@pytest.mark.parametrize("spoil", [swap_blocks, flip_a_byte, cut])
def test_damaged_blocks_end_whatever_reads_or_keeps_them(
    spoil: Callable[[Path], None], reads: Callable[[Config], object], config: Config
) -> None:
    """A build that publishes the rest of the file reads what it keeps."""
    spoil(config.database)
    before = config.database.read_bytes()
    with pytest.raises(DatabaseCorruptError, match=f"small.duckdb is damaged .*; {MOVE}") as caught:
        reads(config)
    assert caught.value.exit_code == 6
    assert config.database.read_bytes() == before
    found = [one for one in examine(Settings(project_dir=config.root)) if one.level == "problem"]
    assert [(one.about, one.exit_code) for one in found] == [("database", 6)]


def test_rows_of_earlier_builds_are_read_when_rows_are_added(tmp_path: Path) -> None:
    words = f"select range as i, md5(range::varchar) as word from range({WORDS})"
    text = f"{{{{ config(materialized='incremental') }}}} {words} {{% if is_incremental() %}}limit 1{{% endif %}}"
    config = write_project(tmp_path, {**MODELS, "models/words.sql": text})
    assert build(config).exit_code == 0
    swap_blocks(config.database)
    with pytest.raises(DatabaseCorruptError, match=f"small.duckdb is damaged .*; {MOVE}"):
        build(with_edit(config, "models/words.sql", text.replace("limit 1", "limit 2")))


def checksum(block: bytes) -> int:
    found = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        found ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return found


def of_another_version(content: bytes) -> bytes:
    header = content[8:12] + struct.pack("<Q", 5000) + content[20:4096]
    return struct.pack("<Q", checksum(header)) + header + content[4096:]


OTHER_FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "of a newer DuckDB": (
        of_another_version,
        "storage version 5000, .*install a DuckDB that reads it, or move it away",
    ),
    "of SQLite": (lambda _: b"SQLite format 3\0" + bytes(8192), f"is not a DuckDB database; {MOVE}"),
    "text": (lambda _: b"remember the milk\n" * 999, f"is not a DuckDB database; {MOVE}"),
    "empty": (lambda _: b"", f"is not a DuckDB database; {MOVE}"),
    "cut in its headers": (lambda content: content[:5000], f"is damaged .*; {MOVE}"),
}


@pytest.mark.parametrize(("change", "sentence"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_a_file_that_cannot_be_opened_has_a_cure(
    change: Callable[[bytes], bytes], sentence: str, config: Config
) -> None:
    config.database.write_bytes(change(config.database.read_bytes()))
    for opened in (
        open_reader(config.database),
        open_reader(config.database, locked=True),
        publication(config.database),
    ):
        with pytest.raises(DatabaseCorruptError, match=sentence) as caught, opened:
            pass
        assert str(caught.value).count("\n") == 0
    config.database.rename(config.database.with_name("moved.duckdb"))
    assert build(config).exit_code == 0


@pytest.mark.parametrize("spoil", [flip_a_byte, lambda path: path.write_bytes(path.read_bytes()[:5000])])
def test_a_damaged_failed_build_is_not_blamed_on_the_database(
    spoil: Callable[[Path], None], config: Config
) -> None:
    with_edit(config, "models/broken.sql", "select 'x'::int as i")
    failed = build(with_edit(config, "models/words.sql", MODELS["models/words.sql"] + " order by word"))
    assert [found.node.name for found in failed.of_status(Status.ERROR)] == ["broken"]
    spoil(config.target_dir / "failed.duckdb")
    with pytest.raises(
        DatabaseCorruptError, match=f"^{config.target_dir}/failed.duckdb is damaged .*; {MOVE}"
    ):
        retry(with_edit(config, "models/broken.sql", "select max(word) as i from {{ ref('words') }}"))
    (config.target_dir / "failed.duckdb").rename(config.target_dir / "moved")
    assert build(config).exit_code == 0
