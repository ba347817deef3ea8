"""Translates DuckDB's errors into genredb's: one sentence, the place in the SQL and a suggestion."""

import contextlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from genredb.errors import (
    DatabaseCorruptError,
    DatabaseLockedError,
    GenredbError,
    Place,
    SqlError,
    UsageError,
    near,
)
from genredb.warehouse.misspelt import misspelt_keyword
from genredb.warehouse.refusals import refusal

_NO_SCHEMA = re.compile(r'Table with name "(.+)" does not exist because schema')
_RAISES = re.compile(r"::|'|\w+\s*[('\"]")  # a cast, a string, a call
_INSTALL = re.compile(r"\s+Please try installing and loading .*", re.DOTALL)
_LISTED = re.compile(r"Candidate (?:bindings|Entries)[: ]+(.*)", re.DOTALL)
_DISABLED = " - file system operations are disabled by configuration"


def write_ahead_log(path: Path) -> Path:
    """Return the path of DuckDB's write-ahead log for a database file."""
    return path.with_name(path.name + ".wal")


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn errors on opening a database file into a GenredbError with one sentence."""
    try:
        yield
    except duckdb.Error as error:
        raise refusal(error) or _opening_error(path, error) from None


def _opening_error(path: Path, error: duckdb.Error) -> GenredbError:
    message = str(error)
    if "while replaying WAL" in message:
        log = write_ahead_log(path)
        return DatabaseCorruptError(
            f"{log} does not fit {path.name}, or is damaged",
            cure="move it away, with the unfinished changes of another program, and try again",
        )
    if "Could not set lock" in message or "Conflicting lock" in message:
        pid = re.search(r"PID (\d+)", message)
        who = f"process {pid[1]}" if pid else "another process"
        return DatabaseLockedError(f"{path} is being written by {who}", cure="try again when it is done")
    if isinstance(error, duckdb.ConnectionException) and "different configuration" in message:
        return UsageError(
            f"{path} is open in this process by another connection to DuckDB", cure="close that one first"
        )
    if not _is_duckdb_file(path):
        return DatabaseCorruptError(
            f"{path} is not a DuckDB database", cure="move it away and run `genredb build`"
        )
    if versions := re.search(r"version number (\d+), .* between (\d+) and (\d+)", message):
        return DatabaseCorruptError(
            f"{path} has DuckDB's storage version {versions[1]}, and DuckDB {duckdb.__version__} "
            f"reads {versions[2]} to {versions[3]}",
            cure="install a DuckDB that reads it, or move it away and run `genredb build`",
        )
    return damaged(path, error)


def _is_duckdb_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return True


@contextlib.contextmanager
def noticed_damage(path: Path) -> Iterator[None]:
    """Turn errors that SQL does not cause, such as a damaged block, into a GenredbError with one sentence."""
    try:
        yield
    except OSError as error:
        raise (refusal(error) or error) from None
    except duckdb.Error as error:
        if known := refusal(error):
            raise known from None
        if _is_damage(error):
            raise damaged(path, error) from None
        if isinstance(error, _BREAKDOWNS):
            raise GenredbError(
                f"DuckDB failed ({first_line(error)})",
                cure=f"`genredb doctor` says whether {path} is damaged",
            ) from None
        raise


@contextlib.contextmanager
def found_damage(path: Path) -> Iterator[None]:
    """Turn any DuckDB error, raised while only reading, into DatabaseCorruptError."""
    try:
        yield
    except duckdb.Error as error:
        raise refusal(error) or damaged(path, error) from None


def damaged(path: Path, error: duckdb.Error) -> DatabaseCorruptError:
    """Return the error to raise for a damaged file."""
    return DatabaseCorruptError(
        f"{path} is damaged ({first_line(error).rstrip('.')})", cure="move it away and run `genredb build`"
    )


@contextlib.contextmanager
def sql_errors(sql: str) -> Iterator[None]:
    """Turn an error in the project's SQL into a SqlError with one sentence and the place in the SQL."""
    try:
        yield
    except duckdb.Error as error:
        if known := refusal(error):
            raise known from None
        if _is_unrelated_to_sql(error):
            raise
        found = read_mistake(error, sql)
        raise SqlError(sql=sql, offset=found.offset, width=found.width, **found.parts()) from None


@contextlib.contextmanager
def query_errors(sql: str = "", *, before: str = "", is_trusted: bool = True) -> Iterator[None]:
    """Turn a runtime error of a query into a UsageError with DuckDB's message and the place in ``sql``.

    ``before`` precedes ``sql`` in the SQL that runs. If not ``is_trusted``, the cure may be ``--trusted``.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        cure = "select fewer rows or columns, or raise --memory-limit"
        raise UsageError("The query exceeds its memory limit", cure=cure) from None
    except duckdb.Error as error:
        if known := refusal(error):
            raise known from None
        if _is_unrelated_to_sql(error):
            raise
        found = read_mistake(error, before + sql)
        if not _RAISES.match(sql, max(0, (found.offset or 0) - len(before))):  # it is in a view or in query()
            found = replace(found, offset=None)
        parts = found.parts()
        if isinstance(error, duckdb.PermissionException) and not is_trusted:
            what = found.message.removesuffix(_DISABLED)
            parts = {"what": what, "cure": "--trusted lets a query read files"}
        place = place_in_query(sql, found.offset, found.width, len(before))
        raise UsageError(**parts, place=place) from None


def place_in_query(sql: str, offset: int | None, width: int, skipped: int = 0) -> Place:
    """Return the place of an offset in the SQL that runs; empty if it lies outside the query.

    ``skipped`` is the number of characters that precede the query.
    """
    place = -1 if offset is None else offset - skipped
    if not 0 <= place < len(sql):  # for example in a string that query() runs
        return Place("")
    before = sql[:place]
    return Place("SQL", before.count("\n") + 1, place - before.rfind("\n"), sql, width)


@dataclass(frozen=True)
class Mistake:
    """DuckDB's report of an error in SQL. ``offset`` and ``width`` give the place, in characters, if known.

    ``name`` is the unknown name, ``kind`` what it should be (``Table``, ``Column`` …), ``candidates`` are
    DuckDB's suggestions. ``is_quoted`` means that the name is in double quotes.
    """

    message: str
    offset: int | None = None
    width: int = 1
    kind: str = ""
    name: str = ""
    candidates: tuple[str, ...] = ()
    is_quoted: bool = False

    def parts(self, choices: Collection[str] | None = None) -> dict[str, Any]:
        """Return the parts of a GenredbError, with ``choices`` or, if None, the candidates to choose from."""
        first, *rest = self.message.split("\n")
        if not self.name:
            return {"what": " ".join([first.rstrip("!"), *filter(None, rest)])}
        known = self.candidates if choices is None else choices
        if any(candidate.startswith(("pg_", "duckdb_")) for candidate in known):
            known = ()
        found = {"what": first.rstrip(".!"), "name": self.name, "choices": known}
        if self.is_quoted:  # rather a text than a column, unless one has a similar name
            cure = f"put text in single quotes: '{self.name}'"
            found |= {"choices": near(self.name, known), "cure": cure}
        return found


def read_mistake(error: duckdb.Error, sql: str) -> Mistake:
    """Return what an error reports about SQL that failed."""
    details = _details(error)
    message = _message(error, details)
    if "location" in details:
        start, width = json.loads(details["location"])
    else:
        start, width = details.get("position"), 1
    if start is None:
        offset, width = _only_place(message, sql) if details else (None, 1)
    else:
        offset = len(sql.encode()[: int(start)].decode(errors="ignore"))
    if isinstance(error, duckdb.ParserException) and offset is not None:
        misspelt = misspelt_keyword(sql, offset, _syntax_error)
        if misspelt is not None:
            offset, word, keyword = misspelt
            message = f'syntax error at or near "{word}"'
            return Mistake(message, offset, len(word), "Keyword", word, (keyword,))
    candidates = _candidates(details, message)
    kind, name = details.get("type", "Column"), details.get("name", "")
    if missing := _NO_SCHEMA.match(message):
        return Mistake(message, offset, width, "Table", missing[1])
    if not candidates and details.get("error_subtype") != "MISSING_ENTRY":
        name = ""
    elif not name and offset is not None:  # a column qualified by its table
        name = sql[offset : offset + width].rpartition(".")[2].strip('"')
    is_quoted = kind == "Column" and offset is not None and sql[offset : offset + 1] == '"'
    return Mistake(message, offset, width, kind, name, candidates, is_quoted)


def _only_place(message: str, sql: str) -> tuple[int | None, int]:
    """Return where the first name that a message quotes stands in SQL, and its width, if it is there once."""
    name = re.search(r'"([^"]+)"', message)
    found = [*re.finditer(rf"(?<!\w){re.escape(name[1])}(?!\w)", sql)] if name else []
    return (found[0].start(), len(found[0][0])) if len(found) == 1 else (None, 1)


def _syntax_error(sql: str) -> int | None:
    """Return where the parser stops, in characters; None if it accepts the SQL."""
    with contextlib.closing(duckdb.connect(config={"errors_as_json": "true"})) as connection:
        try:
            connection.extract_statements(sql)
        except duckdb.ParserException as error:
            start = int(_details(error).get("position", 0))
            return len(sql.encode()[:start].decode(errors="ignore"))
    return None


def _candidates(details: Mapping[str, str], message: str) -> tuple[str, ...]:
    if details.get("error_subtype") == "NO_MATCHING_FUNCTION":
        return ()  # the candidates are signatures, which the message lists
    named = details.get("candidates", "")
    if not named and (listed := _LISTED.search(message)):
        named = listed[1]
    return tuple(part.strip(' "') for part in named.split(",") if part.strip())


def _details(error: duckdb.Error) -> dict[str, str]:
    """Return the fields of an error that DuckDB reports as JSON; empty if it reports text."""
    try:
        found = json.loads(_text(error))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _message(error: duckdb.Error, details: Mapping[str, str]) -> str:
    """Return DuckDB's message without the function signatures that it appends."""
    text = (details.get("exception_message") or _text(error)).partition("\n\tCandidate functions:")[0].strip()
    return _INSTALL.sub(" genredb loads no extensions.", text)


def _text(error: duckdb.Error) -> str:
    """Return an error's text without the prefix that names its class."""
    return re.sub(r"^[\w ]+ Error: ", "", str(error).strip())


_DAMAGE = ("Data Corruption", "Corrupt database file", "Could not read enough bytes")
_BREAKDOWNS = (duckdb.FatalException, duckdb.InternalException)


def _is_damage(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.SerializationException) or any(sign in str(error) for sign in _DAMAGE)


def _is_unrelated_to_sql(error: duckdb.Error) -> bool:
    """Return whether the error has a cause other than the SQL that ran."""
    return _is_damage(error) or isinstance(error, _BREAKDOWNS)


def first_line(error: duckdb.Error) -> str:
    """Return the first line of an error's message, without its class and location."""
    return _message(error, _details(error)).splitlines()[0]
