"""What the command line prints: data on stdout, talk on stderr, colours and progress on a terminal only."""

import contextlib
import functools
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    from genredb.project.config import Config
    from genredb.warehouse.load import Load

CELL_WIDTH = 60
# Where there is no terminal, a table is as wide as it needs.
WIDE = 10_000


class Console:
    """Prints for one command; ``-q`` leaves warnings and errors, ``-v`` adds every check."""

    def __init__(self, *, is_quiet: bool = False, is_verbose: bool = False) -> None:
        self.is_quiet = is_quiet
        self.is_verbose = is_verbose

    @functools.cached_property
    def rich(self) -> "RichConsole":
        """A rich console on stderr."""
        from rich.console import Console as RichConsole

        return RichConsole(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Print a line of talk, unless quiet."""
        if not self.is_quiet:
            self.line((text, style))

    def warn(self, text: str) -> None:
        """Print a warning, quiet or not."""
        self.line(("warning: ", "yellow bold"), (text, ""))

    def line(self, *parts: tuple[str, str]) -> None:
        """Print a line of texts, each in its style; where there are no colours, it needs no rich."""
        if sys.stderr.isatty() or os.environ.get("FORCE_COLOR"):
            from rich.text import Text

            self.rich.print(Text.assemble(*parts))
        else:
            print("".join(text for text, _ in parts), file=sys.stderr)

    def introduce(self, config: "Config") -> None:
        """Say what is built from what, where that is not the obvious."""
        if config.is_shipped:
            self.say("No dbt_project.yml here or above: using the project that genredb ships.", "dim")
        if config.is_sample:
            self.say(
                f"Using the synthetic sample in {_near(config.raw_dir)}: invented songs. "
                "Put the competition's CSVs into data/raw, or name their folder by --raw-dir.",
                "yellow",
            )

    def admit_sample(self, is_sample: bool) -> None:
        """Say that results come from invented songs, where they do."""
        if is_sample:
            self.say(
                "These songs are the synthetic sample: invented, of no use to the competition.", "yellow"
            )

    def loads(self, loads: Sequence["Load"]) -> None:
        """Warn of what a load left out."""
        for load in loads:
            if load.quarantined:
                reason, count = max(load.reasons.items(), key=lambda item: item[1])
                self.warn(
                    f"{load.file.name}: {load.quarantined:,} of {load.records:,} rows quarantined, "
                    f'{count:,} because: {reason}. See `genredb query "from raw.quarantine"`.'
                )
            if load.repaired:
                kinds = ", ".join(f"{repair} {count:,}" for repair, count in load.repairs.items())
                self.say(f"{load.file.name}: {load.repaired:,} of {load.records:,} rows repaired: {kinds}.")
            if load.ignored_columns:
                self.warn(f"{load.file.name}: ignored the columns {', '.join(load.ignored_columns)}.")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print rows as a table on stderr."""
        width = None if self.rich.is_terminal else WIDE
        self.rich.print(make_table(columns, rows), width=width)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """Give a function to call with (what, done, total); it draws a bar on a terminal, else nothing."""
        if self.is_quiet or not sys.stderr.isatty():
            yield lambda _what, _done, _total: None
            return
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.rich, transient=True) as bar:
            task = bar.add_task("")
            yield lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total or None
            )


def make_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    """Return a rich table of the rows; NULL is shown as such, long cells are cut with an ellipsis."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    filled = [[row[i] for row in rows if row[i] is not None] for i in range(len(columns))]
    numeric = [bool(values) and all(isinstance(value, int | float) for value in values) for values in filled]
    for column, is_number in zip(columns, numeric, strict=True):
        table.add_column(Text(column), justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text("NULL", style="dim") if value is None else Text(_cell(value)) for value in row))
    return table


def _cell(value: object) -> str:
    text = _shown(value)
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"


def _shown(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("\n", "⏎")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table on stdout."""
    stdout_console().print(make_table(columns, rows))


def table_text(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None) -> tuple[str, bool]:
    """Return a table as text, with colours if it has a terminal's ``width``, and whether it had to be cut."""
    import io

    from rich.console import Console as RichConsole
    from rich.measure import Measurement

    table = make_table(columns, rows)
    text = io.StringIO()
    console = RichConsole(file=text, highlight=False, width=width or WIDE, force_terminal=width is not None)
    needed = Measurement.get(console, console.options.update(max_width=WIDE), table).maximum
    console.print(table)
    is_long = any(len(_shown(value)) > CELL_WIDTH for row in rows for value in row)
    return text.getvalue(), is_long or needed > (width or WIDE)


def stdout_console() -> Any:
    """Return a rich console on stdout, as wide as the terminal or, where there is none, as it needs."""
    from rich.console import Console as RichConsole

    return RichConsole(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def print_rows_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a JSON array of objects; UsageError where two columns share a name."""
    if len(set(columns)) < len(columns):
        raise UsageError("Two columns share a name, which JSON cannot hold; give them names by `as`.")
    print_json([dict(zip(columns, row, strict=True)) for row in rows])


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; NaN and infinity, which JSON lacks, are null."""
    json.dump(_plain(value), sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    """Take a value apart into what JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float | Decimal):
        number = (
            int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else float(value)
        )
        return number if math.isfinite(number) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _near(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
