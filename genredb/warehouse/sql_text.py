"""Parses SQL with DuckDB: its form without layout, and whether its result is volatile."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from genredb.warehouse.connection import Connection

# Functions whose result depends on the moment, session or process (a test compares this list with DuckDB's
# own).
VOLATILE = frozenset(
    "random setseed uuid gen_random_uuid uuidv4 uuidv7 nextval currval setval now today current_date"
    " current_time current_timestamp localtime localtimestamp transaction_timestamp get_current_time"
    " get_current_timestamp current_localtime current_localtimestamp txid_current current_setting"
    " getvariable current_query current_query_id current_connection_id current_transaction_id"
    " in_search_path current_schemas age ago getenv which_secret write_log sleep_ms stats".split()
)
_READERS = re.compile(
    r"read_\w+|\w+_scan|scan_\w+|glob|sniff_csv|\w*parquet\w*|query|query_table|duckdb_\w+|pragma_\w+"
)
_LOCATION = re.compile(r'"query_location(?:_length)?":\d+,?')
_WORD = re.compile(r"[a-z_]\w*", re.IGNORECASE)
_FROM = re.compile(r"\b(?:from|join)\s*('[^']*'|(?:\"[^\"]*\"|\w+)(?:\.(?:\"[^\"]*\"|\w+))*)", re.IGNORECASE)
_COMMA_JOIN = re.compile(r"\b(?:from|join)\s+[\w.\"]+(?:\s+(?:as\s+)?\w+)?\s*,", re.IGNORECASE)
_CTE = re.compile(r"\b(\w+)\"?\s+as\s+(?:not\s+)?(?:materialized\s*)?\(", re.IGNORECASE)
_CATALOGS = frozenset(("information_schema", "pg_catalog"))


class Volatility(StrEnum):
    """Why the result of a query may change although its text and the tracked relations do not."""

    USES_FUNCTION = auto()
    USES_NAME = auto()
    READS_BY = auto()
    READS_FILE = auto()
    READS = auto()
    READS_UNTRACKED = auto()


@dataclass(frozen=True)
class Volatile:
    """What makes a query volatile: a function, a file, a relation …, called ``name``."""

    kind: Volatility
    name: str


def canonical(connection: Connection, sql: str) -> str | None:
    """Return SQL as parsed by DuckDB, without layout and comments; None if it is not a single query."""
    parsed = _parsed(connection, sql)
    return None if parsed is None else _LOCATION.sub("", parsed)


def find_volatile(connection: Connection, sql: str, known: Collection[str]) -> Volatile | None:
    """Return why a query must run every time even if its text is unchanged, or None if it need not.

    ``known`` are the relations (``schema.name``, or ``database.schema.name`` in an attached database) whose
    changes are tracked; others might change unnoticed.
    """
    words = {word.lower() for word in _WORD.findall(sql)}
    suspects = sorted(words & VOLATILE)
    is_suspect = suspects or any(_READERS.fullmatch(word) for word in words)
    if not is_suspect and not _COMMA_JOIN.search(sql) and not _names_more(sql, known):
        return None  # most queries end here and need no parser
    parsed = _parsed(connection, sql)
    if parsed is None:
        return Volatile(Volatility.USES_FUNCTION, suspects[0]) if suspects else None
    return next(_causes(json.loads(parsed), known), None)


def _names_more(sql: str, known: Collection[str]) -> bool:
    """Return whether a name after FROM or JOIN is neither a CTE of the SQL nor a known relation."""
    ctes = {name.lower() for name in _CTE.findall(sql)}
    names = [name.replace('"', "").lower() for name in _FROM.findall(sql)]
    return any(name not in ctes and not _is_known(name.split("."), known) for name in names)


def _parsed(connection: Connection, sql: str) -> str | None:
    row = connection.row(
        "select json_serialize_sql(?::varchar, skip_default := true, skip_null := true, skip_empty := true)",
        [sql],
    )
    text = str(row[0]) if row else ""
    return None if '"error":true' in text[:40] else text


def _causes(node: Any, known: Collection[str], ctes: frozenset[str] = frozenset()) -> Iterator[Volatile]:
    """Walk the parsed query; ``ctes`` are the CTEs in scope."""
    if isinstance(node, list):
        for item in node:
            yield from _causes(item, known, ctes)
    elif isinstance(node, dict):
        entries = (node.get("cte_map") or {}).get("map") or []
        ctes |= {str(entry["key"]).lower() for entry in entries} | {str(node.get("cte_name", "")).lower()}
        found = _relation_cause(node, known, ctes) or _function_cause(node)
        if found:
            yield found
        for value in node.values():
            yield from _causes(value, known, ctes)


def _relation_cause(
    node: Mapping[str, Any], known: Collection[str], ctes: Collection[str]
) -> Volatile | None:
    """Return the table, view or file that is read and may change unnoticed, if any."""
    if node.get("type") != "BASE_TABLE":
        return None
    path = [str(part).lower() for part in (node.get("qualified_name") or {}).get("path", ())]
    is_cte = len(path) == 1 and path[0] in ctes
    return _unknown(path) if path and not is_cte and not _is_known(path, known) else None


def _function_cause(node: Mapping[str, Any]) -> Volatile | None:
    """Return the function that makes the result volatile, if any."""
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        return Volatile(Volatility.READS_BY, name) if _READERS.fullmatch(name) else None
    if kind == "FUNCTION":
        name = str(node.get("function_name", "")).lower()
        is_volatile = name in VOLATILE or _READERS.fullmatch(name) is not None
        return Volatile(Volatility.USES_FUNCTION, name) if is_volatile else None
    if kind == "COLUMN_REF" and len(node.get("column_names", ())) == 1:
        name = str(node["column_names"][0]).lower()
        is_volatile = name in VOLATILE and name.startswith(("current_", "local"))
        return Volatile(Volatility.USES_NAME, name) if is_volatile else None
    return None


def _is_known(path: list[str], known: Collection[str]) -> bool:
    return ".".join(path if len(path) > 1 else ["main", path[0]]) in known


def _unknown(path: list[str]) -> Volatile:
    name = ".".join(path)
    if "/" in name or re.search(r"\.(csv|tsv|json|jsonl|ndjson|parquet|gz|zst|txt)$", name):
        return Volatile(Volatility.READS_FILE, name)
    if path[0] in _CATALOGS or (len(path) > 1 and path[-2] in _CATALOGS):
        return Volatile(Volatility.READS, name)
    return Volatile(Volatility.READS_UNTRACKED, name)
