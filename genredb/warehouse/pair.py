"""Opens two databases in one connection for comparison."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from genredb.drafts import draft_of
from genredb.errors import UsageError
from genredb.warehouse.connection import Connection
from genredb.warehouse.database import literal, open_empty, spill_folder
from genredb.warehouse.duckdb_errors import noticed_damage, translated_errors
from genredb.warehouse.settings import SetUp

BEFORE, AFTER = "before_", "after_"  # the catalogs of :func:`open_pair`


@contextlib.contextmanager
def open_pair(before: Path, after: Path, engine: Sequence[SetUp] = ()) -> Iterator[Connection]:
    """Open two databases for reading, as the catalogs :data:`BEFORE` and :data:`AFTER` of one connection."""
    with contextlib.ExitStack() as stack:
        spilling_to = draft_of(spill_folder(after))
        connection = stack.enter_context(contextlib.closing(open_empty(spilling_to, engine)))
        for path, catalog in ((before, BEFORE), (after, AFTER)):
            if not path.is_file():
                raise UsageError(f"There is no database {path}")
            if catalog == AFTER and path.samefile(before):
                raise UsageError(f"{before} and {path} are the same file", cure="name two databases")
            with translated_errors(path):
                connection.execute(f"attach {literal(path)} as {catalog} (read_only)")
        with noticed_damage(before), noticed_damage(after):
            yield connection
