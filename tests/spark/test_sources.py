"""Large CSV files are loaded in parts, in Spark's tasks, with the rows that the whole file gives."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genredb.spark.sources import load_files
from genredb.warehouse import csvparts
from genredb.warehouse.database import literal, open_memory
from genredb.warehouse.load import load_source
from genredb.warehouse.tables import create_tables
from tests.test_bad_csvs import SOURCE
from tests.test_csv_parts import lines

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]
# The records after those of lines(), and whether the file can be loaded in parts.
FILES = {
    "plain": ("", True),
    "with a key in two parts": ("3,Song again,100,-5\n", False),
    "with an open quote": ('70,"open,100,-5\n', False),
    "with a quote in a field": ('70,7" mix,100,-5\n', False),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_large_file_gives_what_it_gives_as_a_whole(
    tmp_path: Path, session: "SparkSession", monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    more, is_in_parts = FILES[kind]
    path, folder = tmp_path / "things.csv", tmp_path / "rows"
    path.write_text("\n".join(lines()) + "\n" + more)
    monkeypatch.setattr(csvparts, "CHUNK_BYTES", 16)
    with open_memory() as whole, open_memory() as ledger:
        create_tables(whole)
        loads = load_source(whole, SOURCE, [path])
        try:
            session.conf.set("spark.sql.files.maxPartitionBytes", "1k")
            assert load_files(session, ledger, SOURCE, [path], folder) == loads
        finally:
            session.conf.unset("spark.sql.files.maxPartitionBytes")
        assert (len([*folder.glob("*.parquet")]) > 1) == is_in_parts
        files = literal(str(folder / "*.parquet"))
        assert ledger.rows(f"from read_parquet({files}) order by all") == whole.rows(
            "from raw.things order by all"
        )
        quarantine = "from raw.quarantine order by line"
        assert ledger.rows(quarantine) == whole.rows(quarantine)
