"""The progress bar on a terminal; imports rich, so it is imported when a bar is drawn."""

from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

MANY_ROWS = 1_000  # what is counted by the thousand are rows; nodes and files are fewer


class Rate(ProgressColumn):
    """Rows per second and the time left."""

    def render(self, task: Task) -> Text:
        """Return the text, empty until the speed is known."""
        if not task.total or task.total < MANY_ROWS or not task.speed or task.time_remaining is None:
            return Text()
        left = timedelta(seconds=int(task.time_remaining))
        return Text(f"{task.speed:,.0f} rows/s, {left} left")


def progress_bar(console: Console) -> Progress:
    """Return a progress bar, which disappears at its end."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), Rate())
    return Progress(*columns, console=console, transient=True)
