"""``genredb diff``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.options import Context, command
from genredb.cli.visible import echo

if TYPE_CHECKING:
    from genredb.ask.diff import PredictionDiff, RelationDiff


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("diff")(diff)


@command(limits=True)
def diff(
    context: Context,
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A database, such as an earlier copy.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="[AFTER]", help="Another database; default: the project's.")
    ] = None,
) -> None:
    """Compare two databases: relations, columns, rows by key, and changed predictions.

    Example: cp genre.duckdb before.duckdb && genredb build && genredb diff before.duckdb
    """
    from genredb.ask.diff import diff as run_diff
    from genredb.cli.console import print_json

    found = run_diff(before, after or context.config.database, context.config.engine)
    if context.json:
        print_json(found)
        return
    for relation in found.relations:
        echo(_sentence(relation))
        for column, count in relation.rows.columns.items() if relation.rows else ():
            echo(f"    {column}: {_counted(count, 'row')}")
    if found.predictions:
        echo(f"{_counted(len(found.predictions), 'prediction')} changed:")
    for song in found.predictions:
        echo(f"    {song.title or 'untitled'} ({song.song_key}): {_change(song)}")
    same = found.compared - len(found.relations)
    context.console.say(f"{_counted(same, 'relation')} of {found.compared} the same in columns and rows.")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _sentence(found: "RelationDiff") -> str:
    """Return what a relation's difference is, in one line."""
    name = found.relation.removeprefix("main.")
    if not found.is_before:
        return f"{name}: added"
    if not found.is_after:
        return f"{name}: removed"
    parts = [f"column {column} added" for column in found.added_columns]
    parts += [f"column {column} removed" for column in found.removed_columns]
    parts += [f"column {column} {old} → {new}" for column, (old, new) in (found.retyped or {}).items()]
    rows = found.rows
    if rows is not None and rows.is_different:
        by = f"by {', '.join(rows.key)}" if rows.key else "whole rows, no key"
        counts = {"added": rows.added, "removed": rows.removed, "changed": rows.changed}
        told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        parts.append(f"{_counted(rows.before, 'row')} → {rows.after:,}: {told} ({by})")
    return f"{name}: {'; '.join(parts)}"


def _change(song: "PredictionDiff") -> str:
    def shown(genre: str | None, probability: float | None) -> str:
        return "none" if genre is None else f"{genre} {probability or 0:.3f}"

    return f"{shown(song.before, song.probability_before)} → {shown(song.after, song.probability_after)}"
