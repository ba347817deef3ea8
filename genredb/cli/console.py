"""Output: results on stdout, messages on stderr, colours and progress on a terminal only."""

import contextlib
import functools
import itertools
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genredb.cli.brief_loads import brief
from genredb.cli.log import logger
from genredb.cli.visible import visible, visible_cell
from genredb.values import json_text

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    from genredb.runner.project.config import Config
    from genredb.warehouse.load import Load

# Maximum cell widths: the next smaller one is used if a table is too wide; the last is still readable.
CELL_WIDTHS = (60, 30, 18)
COLUMN_GAP = 3
# Without a terminal, a table is as wide as it needs.
WIDE = 10_000


class Console:
    """Prints the messages of one command; ``-q`` leaves only warnings and errors, ``-v`` adds detail."""

    def __init__(self, *, is_quiet: bool = False, is_verbose: bool = False) -> None:
        self.is_quiet = is_quiet
        self.is_verbose = is_verbose

    @functools.cached_property
    def rich(self) -> "RichConsole":
        """A rich console on stderr."""
        from rich.console import Console as RichConsole

        return RichConsole(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Print a message, unless quiet."""
        if not self.is_quiet:
            self.line((text, style))

    def warn(self, text: str) -> None:
        """Print a warning, even if quiet."""
        logger.warning("%s", text)
        self.line(("warning: ", "yellow bold"), (text, ""))

    def complain(self, text: str) -> None:
        """Print an error after which the command continues."""
        logger.error("%s", text)
        self.line(("error: ", "red bold"), (text, ""))

    def line(self, *parts: tuple[str, str]) -> None:
        """Print a line of styled texts; rich is imported only if there are colours."""
        parts = tuple((visible(text), style) for text, style in parts)
        if sys.stderr.isatty() or os.environ.get("FORCE_COLOR"):
            from rich.text import Text

            self.rich.print(Text.assemble(*parts))
        else:
            print("".join(text for text, _ in parts), file=sys.stderr)

    def introduce(self, config: "Config") -> None:
        """Say which project and raw files are used, unless they are the usual ones."""
        if config.is_shipped:
            self.say(
                "No dbt_project.yml in this folder or above: using the project that comes with genredb, "
                f"and the database {near(config.database)}.",
                "dim",
            )
        if config.is_sample:
            self.say(
                f"Using the synthetic sample in {near(config.raw_dir)}. For real songs, put the "
                "competition's CSVs into data/raw or give their folder with --raw-dir.",
                "yellow",
            )
        elif config.settings.raw_dir is None and config.raw_dir != config.home / "data" / "raw":
            self.say(f"Using the CSVs in {near(config.raw_dir)}, as in the last build.", "dim")

    def admit_sample(self, is_sample: bool) -> None:
        """Say that the results come from the synthetic sample, if they do."""
        if is_sample:
            self.say("These songs are the synthetic sample; do not submit them.", "yellow")

    def loads(self, loads: Sequence["Load"]) -> None:
        """Warn about quarantined rows, repairs and ignored columns."""
        for load in brief(loads):
            if load.quarantined:
                most = load.faults[0]
                self.warn(
                    f"{load.name}: {load.quarantined:,} of {load.records:,} rows quarantined, "
                    f'{most.records:,} because {most}. To see them: `genredb query "from raw.quarantine"`.'
                )
            if load.repaired:
                kinds = ", ".join(f"{repair.words} {count:,}" for repair, count in load.repairs.items())
                self.say(f"{load.name}: {load.repaired:,} of {load.records:,} rows repaired: {kinds}.")
            if load.ignored_columns:
                self.warn(f"{load.name}: ignored the columns {', '.join(load.ignored_columns)}.")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print rows as a table on stderr."""
        width = None if self.rich.is_terminal else WIDE
        self.rich.print(make_table(columns, rows), width=width)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """Yield a function of (what, done, total) that draws a progress bar if stderr is a terminal."""
        if self.is_quiet or not sys.stderr.isatty():
            yield lambda _what, _done, _total: None
            return
        from genredb.cli.progress import progress_bar

        with progress_bar(self.rich) as bar:
            task = bar.add_task("")
            yield lambda what, done, total: bar.update(
                task, description=visible(what), completed=done, total=total or None
            )


def make_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], cell_width: int = CELL_WIDTHS[0]
) -> Any:
    """Return a rich table of the rows, with NULL for nulls and an ellipsis in cells that are cut."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    filled = [[row[i] for row in rows if row[i] is not None] for i in range(len(columns))]
    numeric = [
        bool(values) and all(isinstance(value, int | float | Decimal) for value in values)
        for values in filled
    ]
    for column, is_number in zip(columns, numeric, strict=True):
        table.add_column(Text(visible_cell(column)), justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(value, cell_width) for value in row))
    return table


def _cell(value: object, width: int) -> Any:
    from rich.text import Text

    if value is None:
        return Text("NULL", style="dim")
    text = Text(_shown(value))
    text.truncate(width, overflow="ellipsis")
    return text


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = _number(value) if isinstance(value, float) else str(value)
    return visible_cell(text)


def _number(value: float) -> str:
    """Format a number with all its integer digits and four decimals, or four significant digits below 1."""
    if not math.isfinite(value) or abs(value) >= 1e15:
        return str(value)
    if abs(value) < 1:
        return f"{value:.4g}"
    return f"{value:.4f}".rstrip("0").rstrip(".")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table on stdout; report on stderr what did not fit the terminal."""
    text, left_out = table_text(columns, rows, terminal_width())
    print(text, end="")
    if left_out:
        print(f"Not shown: {left_out}; a wider terminal or --json shows more.", file=sys.stderr)


def table_text(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    width: int | None,
    cell_widths: Sequence[int] = CELL_WIDTHS,
) -> tuple[str, str]:
    """Return a table as text, and a description of what was left out, if anything.

    A table for a terminal has colours and fits its ``width``: cells are cut until all columns fit, down to
    the smallest cell width; then columns are left out at the right.
    """
    import io

    from rich.console import Console as RichConsole

    cell_width, count = _fit(columns, rows, width or WIDE, cell_widths)
    text = io.StringIO()
    console = RichConsole(file=text, highlight=False, width=width or WIDE, force_terminal=width is not None)
    console.print(make_table(columns[:count], [row[:count] for row in rows], cell_width))
    lacking = len(columns) - count
    left_out = [f"the last {lacking} columns" if lacking > 1 else "the last column"] if lacking else []
    if any(len(_shown(value)) > cell_width for row in rows for value in row[:count]):
        left_out.append("the ends of long cells")
    return text.getvalue(), " and ".join(left_out)


def vertical_text(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as text, with each uncut value on its own line after the column's name."""
    from rich.cells import cell_len

    names = [visible_cell(column) for column in columns]
    width = max(map(cell_len, names), default=0)
    blocks = [
        "".join(
            f"{' ' * (width - cell_len(name))}{name}  {'NULL' if value is None else _shown(value)}\n"
            for name, value in zip(names, row, strict=True)
        )
        for row in rows
    ]
    return "\n".join(blocks)


def _fit(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int, cell_widths: Sequence[int]
) -> tuple[int, int]:
    """Return the cell width, and how many columns fit (at least one)."""
    from rich.cells import cell_len

    longest = [max((cell_len(_shown(row[i])) for row in rows), default=0) for i in range(len(columns))]
    for cell_width in cell_widths:
        needed = [
            max(cell_len(visible_cell(column)), min(cell, cell_width)) + COLUMN_GAP
            for column, cell in zip(columns, longest, strict=True)
        ]
        if sum(needed) <= width:
            return cell_width, len(columns)
    fitting = sum(total <= width for total in itertools.accumulate(needed))
    return cell_width, max(1, fitting)


def terminal_width() -> int | None:
    """Return the width of the terminal on stdout, or None if there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def stdout_console() -> Any:
    """Return a rich console on stdout, as wide as the terminal, or unlimited without one."""
    from rich.console import Console as RichConsole

    return RichConsole(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; NaN and infinity become null."""
    text = json_text(value, indent=2)
    print(visible(text) if sys.stdout.isatty() else text.encode(errors="replace").decode())


def near(path: Path) -> str:
    """Return a path relative to the current folder if it is below, else unchanged."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
