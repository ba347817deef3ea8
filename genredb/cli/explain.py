"""``genredb explain``."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from genredb.cli.options import Context, command
from genredb.cli.visible import echo

if TYPE_CHECKING:
    from genredb.songs.explain import Explanation


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("explain")(explain)


@command(limits=True)
def explain(
    context: Context,
    song: Annotated[str | None, typer.Argument(help="A song's Id, or its key, such as test:454.")] = None,
    title: Annotated[str | None, typer.Option(help="Find the song by all or part of its title.")] = None,
) -> None:
    """Explain a song's predicted genre.

    Shows the artist's labelled songs, the most influential columns and the nearest songs by audio.

    Example: genredb explain 454
    """
    from genredb.cli.console import print_json
    from genredb.errors import UsageError

    asked = song if title is None else title
    if asked is None or (song is not None and title is not None):
        raise UsageError("Name one song, by its Id, its key or --title")
    console = context.console
    with console.progress() as progress:
        progress("import scikit-learn", 0, 0)
        from genredb.songs.explain import explain as run_explain

        found = run_explain(context.config, asked, is_title=title is not None)
    if context.json:
        print_json(found)
        return
    for number, one in enumerate(found):
        if number:
            echo("")
        print_explanation(one)


def print_explanation(one: "Explanation") -> None:
    """Print one explanation as text."""
    known = f", labelled {one.label}" if one.label else ""
    echo(_named(one.title, one.artist, f"{one.song_key}{known}"))
    echo(f"  {one.genre}, probability {one.probability:.3f}, by {one.basis}")
    echo(f"  group {one.genre_group}, probability {one.group_probability:.3f}")
    if one.genre_group != one.own_group:
        echo(
            f"    The most likely genre is in {one.own_group}, "
            f"but the genres of {one.genre_group} are more likely together."
        )
    others = ", ".join(f"{genre} {probability:.3f}" for genre, probability in one.runner_ups)
    if others:
        echo(f"  runners-up: {others}")
    if one.label:
        echo("  Labelled song: this prediction is in-sample.")
    if one.artist_songs:
        echo("  Labelled songs of the artist:")
        for song in one.artist_songs:
            echo(f"    {_named(song.title, '', song.song_key)}: {song.genre}")
    if one.weights:
        echo("  Most influential columns (probability drop at the median):")
        for weight in one.weights:
            change = f"{weight.change:.3f}"
            value = "none" if math.isnan(weight.value) else f"{weight.value:g}"
            echo(f"    {weight.column:<6} {value:>6}, median {weight.typical:g}: {change}")
    elif one.basis == "audio":
        echo("  No single column lowers the probability.")
    nearest = "Nearest labelled songs by audio:" if one.nearest else "This song has no audio values."
    echo(f"  {nearest}")
    for song in one.nearest:
        echo(f"    {song.distance:.2f}  {_named(song.title, song.artist, song.song_key)}: {song.genre}")


def _named(title: str, artist: str, key: str) -> str:
    """Return a song's title, artist and key, with a default for an unknown title."""
    return f"{title or 'untitled'}{f' by {artist}' if artist else ''} ({key})"
