"""Reads newline-delimited JSON: one object per line, with the columns as keys."""

import codecs
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from genredb.errors import InputError
from genredb.warehouse.connection import Connection
from genredb.warehouse.csvfile import MAX_COLUMNS, Survey, Utf8Check, refuse_other_formats
from genredb.warehouse.csvrecords import Record
from genredb.warehouse.faults import Fault, FaultKind
from genredb.warehouse.rawfile import file_stamp, opened
from genredb.warehouse.readers.reading import Reading, record_of


class _FaultyLineError(ValueError):
    """Raised if a line is not a record."""

    def __init__(self, kind: FaultKind, *details: str | int, field: str = "") -> None:
        self.fault = Fault(kind, details, field)
        super().__init__(str(self.fault))


def read(_connection: Connection, content: Path, path: Path, _separator: str | None) -> Reading:
    """Survey a JSON lines file; messages name ``path``."""
    found = _survey(content, path)
    return Reading(path, content, found, split=lambda asked: _split(content, found.header, asked))


def _survey(content: Path, path: Path) -> Survey:
    """Count the lines that are not blank and collect the keys of all objects, in order of appearance."""
    text = Utf8Check(path, content)
    stamp = file_stamp(content)
    size = records = 0
    keys: dict[str, None] = {}
    fault: Fault | None = None
    with opened(content) as file:
        for line in file:
            if size == 0:
                refuse_other_formats(path, line, "JSON lines")
                if line.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
                    cure = "write one object on each line: `jq -c '.[]'`"
                    raise InputError(f"{path} is a JSON array, not JSON lines", cure=cure)
            text.add(line)
            size += len(line)
            if not _bare(line):
                continue
            records += 1
            try:
                keys |= dict.fromkeys(_object(line))
            except _FaultyLineError as error:
                fault = fault or error.fault
            if len(keys) > MAX_COLUMNS:
                raise InputError(
                    f"{path} names more than {MAX_COLUMNS:,} columns; at most {MAX_COLUMNS:,} are read"
                )
    text.add(b"", is_last=True)
    if not size:
        raise InputError(f"{path} is empty (0 bytes)", cure="save or download it again")
    if not keys:
        reason = f": {fault}" if fault else ""
        raise InputError(f"{path} holds no record with a column{reason}", cure="save or download it again")
    # Half a surrogate pair is no character; no declared column has one in its name.
    header = tuple(key.encode(errors="backslashreplace").decode() for key in keys)
    return Survey(size, header, ",", b"\n", 0, records, stamp)


def _split(content: Path, header: tuple[str, ...], asked: Collection[int]) -> Iterator[Record]:
    names = [name if place in asked else None for place, name in enumerate(header)]
    with opened(content) as file:
        for number, line in enumerate(file, start=1):
            if not (text := _bare(line)):
                continue
            try:
                found = _object(line)
                texts = [_text(name, found.get(name)) if name is not None else "" for name in names]
            except _FaultyLineError as error:
                yield Record(number, text, error.fault)
            else:
                yield record_of(number, texts, text)


def _bare(line: bytes) -> bytes:
    return line.removeprefix(codecs.BOM_UTF8).strip()


def _object(line: bytes) -> dict[str, Any]:
    """Return the object of a line, with numbers as text; _FaultyLineError if it is not a JSON object."""
    try:
        found = json.loads(
            _bare(line),
            object_pairs_hook=_unique,
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise _FaultyLineError(FaultKind.NOT_JSON, error.msg, error.colno) from None
    except RecursionError:
        raise _FaultyLineError(FaultKind.TOO_DEEP) from None
    if not isinstance(found, dict):
        raise _FaultyLineError(FaultKind.NO_OBJECT)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise _FaultyLineError(FaultKind.REPEATED_NAME, doubled)
    return found


def _refuse_constant(name: str) -> str:
    raise _FaultyLineError(FaultKind.NO_JSON_NUMBER, name)


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    kind = "an object" if isinstance(value, dict) else "a list"
    raise _FaultyLineError(FaultKind.NESTED, kind, field=name)
