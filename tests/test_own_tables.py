"""The tables that genredb itself writes say what their columns mean, wherever columns are shown."""

import pytest

from genredb.catalog import Catalog
from genredb.runner.project.config import Config
from genredb.songs.tables import ML_TABLES
from genredb.warehouse.tables import META_TABLES, QUARANTINE, OwnTable

OWN = (QUARANTINE, *META_TABLES, *ML_TABLES)


@pytest.mark.parametrize("table", OWN, ids=lambda table: table.name)
def test_every_column_is_described(table: OwnTable) -> None:
    """Each table and each of its columns has a sentence that says what it holds."""
    for text in (table.description, *(column.description for column in table.columns)):
        assert text.endswith((".", "…")), text


def test_a_build_has_no_own_column_without_a_description(evaluated: Config) -> None:
    """All columns of raw.quarantine, meta and ml in a built database are described."""
    with Catalog(evaluated) as catalog:
        found = {f"{one.schema}.{one.name}": one for one in catalog.relations}
    own = {name for name in found if name.startswith(("meta.", "ml."))}
    assert own == {table.name for table in OWN} - {QUARANTINE.name}
    for name in (*own, QUARANTINE.name):
        assert found[name].description
        assert [column.name for column in found[name].columns if not column.description] == []
