"""Live SQL in the page of questions: DuckDB-Wasm from a folder of npm's, and the tables that it can ask.

Opened from disk, a page can fetch nothing; so the engine and the tables are scripts, loaded on the first run,
and the engine runs in a worker made of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from genredb.errors import UsageError
from genredb.look.site.frame import POLICY as FRAME_POLICY
from genredb.look.site.frame import File, Site
from genredb.look.site.packed import zipped
from genredb.warehouse.database import quote

ENGINE = "data/duckdb.js"
TABLES = "data/tables.js"
MOST_ROWS = 200_000  # of a table; larger ones are left out
MEMORY_MB = 340  # what a browser was seen to need for the engine alone
# The engine needs to compile itself, and a worker; all of it comes from the page's own scripts.
POLICY = FRAME_POLICY.replace(
    "script-src 'self'", "script-src 'self' blob: 'wasm-unsafe-eval'; worker-src blob:; connect-src blob:"
)
_PACKAGE = "@duckdb/duckdb-wasm"
# It is a CommonJS module, for which a worker has no `require`.
_MODULE = """
(() => {
const module = { exports: {} }, exports = module.exports;
%s
self.duckdb = module.exports;
})();
"""
_SCRIPTS = ("apache-arrow/Arrow.es2015.min.js", f"{_PACKAGE}/dist/duckdb-browser-blocking.cjs")
_WASM = f"{_PACKAGE}/dist/duckdb-eh.wasm"


@dataclass(frozen=True)
class Engine:
    """The parts of DuckDB-Wasm: the text of the worker, and the bytes of the engine."""

    worker: str
    wasm: bytes


def read_engine(folder: Path) -> Engine:
    """Read DuckDB-Wasm from a folder of packages; UsageError with the cure if it is not there."""
    folder = folder / "node_modules" if (folder / "node_modules").is_dir() else folder
    missing = next((name for name in (*_SCRIPTS, _WASM) if not (folder / name).is_file()), None)
    if missing:
        raise UsageError(
            f"{folder} has no {missing}",
            cure=f"run `npm install {_PACKAGE}` in a folder, and name that folder",
        )
    arrow, duckdb = ((folder / name).read_text("utf-8") for name in _SCRIPTS)
    own = resources.files("genredb.look.site").joinpath("worker.js").read_text("utf-8")
    wasm = (folder / _WASM).read_bytes()
    return Engine("\n".join((arrow, "self.require = () => self.Arrow;", _MODULE % duckdb, own)), wasm)


def files(site: Site, engine: Engine) -> Iterator[File]:
    """Yield the scripts of the engine and the tables."""
    yield Site.script(ENGINE, "engine", zipped(engine.worker.encode()), zipped(engine.wasm))
    names, _ = site.once(read_names)
    connection = site.catalog.connection
    streams = {name: connection.arrow_stream(f"from {quote(name)} order by all") for name in names}
    tables = {name: zipped(stream) for name, stream in streams.items()}
    yield Site.script(TABLES, "tables", tables)


def read_names(site: Site) -> tuple[list[str], list[str]]:
    """Return the relations of ``main`` that are loaded, and those with too many rows for it."""
    names = [one.name for one in site.catalog.relations if one.schema == "main"]
    counts = {name: site.rows(f"select count(*) as rows from {quote(name)}")[0]["rows"] for name in names}
    return (
        [name for name in names if counts[name] <= MOST_ROWS],
        [name for name in names if counts[name] > MOST_ROWS],
    )
