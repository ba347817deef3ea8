"""The SQL that reads a strict CSV as text."""

from collections.abc import Sequence

from genredb.warehouse.database import literal


def read_csv(texts: Sequence[str], separator: str, options: str) -> str:
    """Return a call of read_csv with text columns; its parameter is the path."""
    columns = ", ".join(f"'{name}': 'varchar'" for name in texts)
    return (
        f"read_csv(?, auto_detect = false, columns = {{{columns}}}, {options},"
        f" delim = {literal(separator)}, quote = '\"', escape = '\"', strict_mode = true,"
        " null_padding = false, hive_partitioning = false, compression = 'none')"
    )
