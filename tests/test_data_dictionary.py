"""docs/data-dictionary.md lists every relation and column of the database, and each says what it means."""

import os
from pathlib import Path

from genredb.catalog import Catalog
from genredb.runner.project.discover import read_project
from tests.conftest import ROOT, config_for, write_raw
from tests.data_dictionary import SCHEMAS, page
from tests.verbs import build


def test_the_page_is_that_of_a_built_database(tmp_path: Path) -> None:
    """The page has the relations, types and descriptions of a database with all that the project can build."""
    write_raw(tmp_path)
    config = config_for(tmp_path, tmp_path / "genre.duckdb", baselines=True)
    assert build(config).exit_code == 0
    with Catalog(config) as catalog:
        relations = catalog.relations
    assert {one.schema for one in relations} == set(SCHEMAS)
    assert [one.asked_as for one in relations if not one.description] == []
    unexplained = {
        f"{one.asked_as}.{column.name}"
        for one in relations
        for column in one.columns
        if not column.description
    }
    assert unexplained == set()
    features = read_project(config).models["model.genredb.song_features"]
    roles = {column.name: column.meta["role"] for column in features.columns}
    text = page(relations, roles)
    path = ROOT / "docs" / "data-dictionary.md"
    if os.environ.get("GENREDB_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
