"""The file formats that relations are exported to, one line each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FileFormat:
    """A file format; ``options`` are passed to DuckDB's COPY.

    ``guards_formulas``: spreadsheets open such files and would run text that begins like a formula.
    ``is_submitted``: the competition takes such files. ``is_binary``: a terminal cannot show them.
    """

    name: str
    options: str
    guards_formulas: bool = False
    is_submitted: bool = False
    is_binary: bool = False


FILE_FORMATS: Mapping[str, FileFormat] = {
    one.name: one
    for one in (
        FileFormat("csv", "format csv, header", guards_formulas=True, is_submitted=True),
        FileFormat("parquet", "format parquet", is_binary=True),
        FileFormat("json", "format json, array"),
    )
}
