"""Packed tables: what goes in comes out, read in Python as the browser does, and once in the browser itself."""

import base64
import gzip
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from genredb.look.site.frame import Site
from genredb.look.site.packed import packed
from tests.site.browser import opened

LEAST = {"i1": -(1 << 7), "i2": -(1 << 15), "i4": -(1 << 31)}
WHOLE = st.integers(-(2**53), 2**53)
REAL = st.floats(allow_nan=False, allow_infinity=False)
# DuckDB holds valid Unicode only, so no lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def read(text: str) -> dict[str, list[Any]]:
    """Read a packed table as assets/table.js does."""
    content = gzip.decompress(base64.b64decode(text))
    size = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + size])
    start = -(-(4 + size) // 8) * 8
    found: dict[str, list[Any]] = {}
    for column in header["columns"]:
        kind = column["type"]
        codes = np.frombuffer(content, "<" + kind, header["length"], start + column["offset"]).tolist()
        if "texts" in column:
            found[column["name"]] = [column["texts"][code - 1] if code else None for code in codes]
        else:
            missing = LEAST.get(kind)
            found[column["name"]] = [None if code == missing or np.isnan(code) else code for code in codes]
    return found


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Columns of one length, each of texts, of whole numbers or of others, some values missing."""
    length = draw(st.integers(0, 30))
    names = draw(st.lists(TEXT, unique=True, min_size=1, max_size=5))
    kinds = st.sampled_from([TEXT, WHOLE, REAL, st.integers(-128, 128), st.integers(-(2**15), 2**15)])
    return {name: draw(st.lists(st.none() | draw(kinds), min_size=length, max_size=length)) for name in names}


@given(tables())
def test_a_table_comes_back_as_it_was(table: dict[str, list[Any]]) -> None:
    assert read(packed(table)) == table


@given(tables())
def test_the_same_table_is_the_same_bytes(table: dict[str, list[Any]]) -> None:
    assert packed(table) == packed({name: list(values) for name, values in table.items()})


def test_the_codes_of_texts_are_in_order() -> None:
    """Sorting by code in the browser sorts the texts."""
    content = gzip.decompress(base64.b64decode(packed({"a": ["b", None, "A", "C"]})))
    size = int.from_bytes(content[:4], "little")
    assert json.loads(content[4 : 4 + size])["columns"][0]["texts"] == ["A", "b", "C"]


def test_without_rows_or_columns() -> None:
    assert read(packed({})) == {}
    assert read(packed({"a": []})) == {"a": []}


@pytest.mark.slow
def test_the_browser_reads_the_same(chrome: Browser, tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {
        "text": ["</script><script>alert(1)</script>", "\u202e\u2028\u2029", None, "𝄞", ""],
        "small": [-127, 127, None, 0, 1],
        "wide": [2**53, -(2**53), None, 2**31, 0],
        "narrow": [0.5, None, -0.25, 1e30, 0],
        "exact": [0.1, None, -1e-300, 1e300, 3],
        "empty": [None] * 5,
    }
    folder = tmp_path / "assets"
    folder.mkdir()
    (tmp_path / "data.js").write_bytes(Site.script("data.js", "load", "some", packed(table)).content)
    assets = resources.files("genredb.look.site") / "assets"
    for name in ("site.js", "table.js"):
        (folder / name).write_bytes((assets / name).read_bytes())
    (tmp_path / "page.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>Table</title><button data-theme-switch></button>'
        '<script src="assets/site.js"></script><script src="assets/table.js"></script><script src="data.js"></script>'
    )
    with opened(chrome, tmp_path) as tab:
        tab.go("page.html")
        found = tab.page.evaluate(
            """async () => {
                const table = await genredb.table("some");
                const rows = [...Array(table.length).keys()];
                return Object.fromEntries(table.names.map((name) => [name, rows.map(table.column(name).at)]));
            }"""
        )
        assert found == table
        assert tab.faults == []
