"""DuckDB's errors as genredb's: a sentence each, the place in the SQL, and what was perhaps meant."""

import contextlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from genredb.errors import (
    DatabaseCorruptError,
    DatabaseLockedError,
    GenredbError,
    SqlError,
    UsageError,
    did_you_mean,
    quoted,
)
from genredb.warehouse.misspelt import misspelt_keyword
from genredb.warehouse.refusals import refusal

_NO_SCHEMA = re.compile(r'Table with name "(.+)" does not exist because schema')
_RAISES = re.compile(r"::|'|\w+\s*[('\"]")  # a cast, a text, a call
_INSTALL = re.compile(r"\s+Please try installing and loading .*", re.DOTALL)
_DISABLED = " - file system operations are disabled by configuration"


def write_ahead_log(path: Path) -> Path:
    """Return where DuckDB keeps the write-ahead log of a database file."""
    return path.with_name(path.name + ".wal")


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors about opening a file into one sentence each."""
    try:
        yield
    except duckdb.Error as error:
        raise refusal(error) or _opening_error(path, error) from None


def _opening_error(path: Path, error: duckdb.Error) -> GenredbError:
    message = str(error)
    if "while replaying WAL" in message:
        log = write_ahead_log(path)
        return DatabaseCorruptError(
            f"{log} does not fit {path.name}, or is damaged; move it away, with the changes that another "
            "program had not finished, and try again."
        )
    if "Could not set lock" in message or "Conflicting lock" in message:
        pid = re.search(r"PID (\d+)", message)
        who = f"process {pid[1]}" if pid else "another process"
        return DatabaseLockedError(f"{path} is being written by {who}; try again when it is done.")
    if isinstance(error, duckdb.ConnectionException) and "different configuration" in message:
        return UsageError(
            f"{path} is open in this process by another connection to DuckDB; close that one first."
        )
    if not _is_duckdb_file(path):
        return DatabaseCorruptError(f"{path} is not a DuckDB database; move it away and run `genredb build`.")
    if versions := re.search(r"version number (\d+), .* between (\d+) and (\d+)", message):
        return DatabaseCorruptError(
            f"{path} has DuckDB's storage version {versions[1]}, and DuckDB {duckdb.__version__} reads "
            f"{versions[2]} to {versions[3]}; install a DuckDB that reads it, or move it away and run "
            "`genredb build`."
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
    """Turn errors that no SQL causes, such as that of a damaged block, into one sentence each."""
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
                f"DuckDB failed ({_first_line(error)}); `genredb doctor` says whether {path} is damaged."
            ) from None
        raise


@contextlib.contextmanager
def found_damage(path: Path) -> Iterator[None]:
    """Turn whatever error a mere reading raises into one sentence: the file is damaged."""
    try:
        yield
    except duckdb.Error as error:
        raise refusal(error) or damaged(path, error) from None


def damaged(path: Path, error: duckdb.Error) -> DatabaseCorruptError:
    """Return what to say of a file whose damage raised an error."""
    return DatabaseCorruptError(
        f"{path} is damaged ({_first_line(error).rstrip('.')}); move it away and run `genredb build`."
    )


@contextlib.contextmanager
def sql_errors(sql: str) -> Iterator[None]:
    """Turn an error in SQL of the project into a SqlError with a sentence and the place in the SQL."""
    try:
        yield
    except duckdb.Error as error:
        if known := refusal(error):
            raise known from None
        if _is_no_mistake(error):
            raise
        found = read_mistake(error, sql)
        raise SqlError(found.sentence(), sql, found.offset, found.width) from None


@contextlib.contextmanager
def query_errors(sql: str = "", *, before: str = "", is_trusted: bool = True) -> Iterator[None]:
    """Turn an error of a query that runs into a UsageError with DuckDB's message and its place in ``sql``.

    ``before`` stands before it in what runs. Unless it ``is_trusted``, the cure may be to trust it.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        cure = "ask for less at once" + ("" if is_trusted else ", or let it take any by --trusted")
        raise UsageError(f"The query needs more memory than it may take; {cure}.") from None
    except duckdb.Error as error:
        if known := refusal(error):
            raise known from None
        if _is_no_mistake(error):
            raise
        found = read_mistake(error, before + sql)
        if not _RAISES.match(sql, max(0, (found.offset or 0) - len(before))):  # it is a view's, or query()'s
            found = replace(found, offset=None)
        sentence = found.sentence()
        if isinstance(error, duckdb.PermissionException) and not is_trusted:
            sentence = f"{found.message.removesuffix(_DISABLED)}; --trusted lets a query read files."
        raise UsageError(in_query(sentence, sql, found.offset, found.width, len(before))) from None


def in_query(sentence: str, sql: str, offset: int | None, width: int, skipped: int = 0) -> str:
    """Return a sentence with the line of a query and a caret below it, where the place is in the query."""
    place = -1 if offset is None else offset - skipped
    if not 0 <= place < len(sql):  # such as in a text that query() runs
        return sentence
    before = sql[:place]
    line, column = before.count("\n") + 1, place - before.rfind("\n")
    return quoted(("SQL", line, column), sql, sentence, width)


@dataclass(frozen=True)
class Mistake:
    """What DuckDB says is wrong with SQL. ``offset`` and ``width`` are where, in characters, if it says so.

    ``name`` is what it does not know, a ``kind`` such as ``Table`` or ``Column``; ``candidates`` are what
    DuckDB would have known in its place. ``is_quoted`` says that the name stands in double quotes.
    """

    message: str
    offset: int | None = None
    width: int = 1
    kind: str = ""
    name: str = ""
    candidates: tuple[str, ...] = ()
    is_quoted: bool = False

    def sentence(self, choices: Collection[str] | None = None) -> str:
        """Return the message with what was perhaps meant: one of the choices, else of the candidates."""
        first, *rest = self.message.split("\n")
        if not self.name:
            text = " ".join([first.rstrip("!"), *filter(None, rest)])
            return text if text.endswith((".", "!", "?")) else f"{text}."
        known = self.candidates if choices is None else choices
        is_inside = any(candidate.startswith(("pg_", "duckdb_")) for candidate in known)
        meant = "" if is_inside else did_you_mean(self.name, known)
        if self.is_quoted:
            text = f" Text stands in single quotes: '{self.name}'."
            meant = f"{meant}{text}" if "Did you mean" in meant else text
        return f"{first.rstrip('.!')}.{meant}"


def read_mistake(error: duckdb.Error, sql: str) -> Mistake:
    """Return what an error says of SQL that could not be run."""
    details = _details(error)
    message = _message(error, details)
    if "location" in details:
        start, width = json.loads(details["location"])
    else:
        start, width = details.get("position"), 1
    offset = None if start is None else len(sql.encode()[: int(start)].decode(errors="ignore"))
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
    elif not name and offset is not None:  # of a column behind its table's name
        name = sql[offset : offset + width].rpartition(".")[2].strip('"')
    is_quoted = kind == "Column" and offset is not None and sql[offset : offset + 1] == '"'
    return Mistake(message, offset, width, kind, name, candidates, is_quoted)


def _syntax_error(sql: str) -> int | None:
    """Return where the parser stops, in characters; None where it reads all of the SQL."""
    with contextlib.closing(duckdb.connect(config={"errors_as_json": "true"})) as connection:
        try:
            connection.extract_statements(sql)
        except duckdb.ParserException as error:
            start = int(_details(error).get("position", 0))
            return len(sql.encode()[:start].decode(errors="ignore"))
    return None


def _candidates(details: Mapping[str, str], message: str) -> tuple[str, ...]:
    if details.get("error_subtype") == "NO_MATCHING_FUNCTION":
        return ()  # they are signatures, which the message lists
    named = details.get("candidates", "")
    if not named and "Candidate bindings:" in message:
        named = message.rpartition("Candidate bindings:")[2].lstrip(" :")
    return tuple(part.strip(' "') for part in named.split(",") if part.strip())


def _details(error: duckdb.Error) -> dict[str, str]:
    """Return what DuckDB says of an error as data, empty where it says it as text."""
    try:
        found = json.loads(_text(error))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _message(error: duckdb.Error, details: Mapping[str, str]) -> str:
    """Return DuckDB's sentences, without the signatures of functions that it appends."""
    text = (details.get("exception_message") or _text(error)).partition("\n\tCandidate functions:")[0].strip()
    return _INSTALL.sub(" genredb loads no extensions.", text)


def _text(error: duckdb.Error) -> str:
    """Return an error's text without the name of its class."""
    return re.sub(r"^[\w ]+ Error: ", "", str(error).strip())


_DAMAGE = ("Data Corruption", "Corrupt database file", "Could not read enough bytes")
_BREAKDOWNS = (duckdb.FatalException, duckdb.InternalException)


def _is_damage(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.SerializationException) or any(sign in str(error) for sign in _DAMAGE)


def _is_no_mistake(error: duckdb.Error) -> bool:
    """Whether an error says nothing of the SQL that was run."""
    return _is_damage(error) or isinstance(error, _BREAKDOWNS)


def _first_line(error: duckdb.Error) -> str:
    return _message(error, _details(error)).splitlines()[0]
