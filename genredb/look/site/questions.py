"""The page of questions in SQL with their answers: those of genredb, and the project's own analyses."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from genredb.ask.guard import Limits, run_guarded
from genredb.ask.query import Question, answer_beside, answer_on
from genredb.errors import GenredbError, QueryTimeoutError, UsageError, quotation
from genredb.look.site import live_sql
from genredb.look.site.frame import File, Site
from genredb.runner.graph.compiler import compile_inline
from genredb.runner.project.files import read_text
from genredb.songs.staleness import DEFAULT
from genredb.warehouse.connection import Connection

MOST_ROWS = 20
SECONDS = 10.0  # for an analysis of one's own
ANALYSES = "sql/analyses"
# The files of the folder `questions`, by theme.
THEMES = {
    "Genres": ("most_frequent_genres", "genres_of_one_artist"),
    "Sound": (
        "most_danceable_genres",
        "columns_that_separate_groups",
        "columns_that_go_together",
        "sad_but_danceable",
        "sound_by_decade",
    ),
    "Artists": ("artists_with_most_songs", "songs_of_known_artists"),
    "Data": ("recordings_that_repeat", "repaired_texts"),
    "Predictions": ("predicted_genres", "least_certain_predictions", "most_frequent_mistakes"),
}

JUDGING = {"most_frequent_mistakes"}  # of the default classifier, in cross-validation


@dataclass(frozen=True)
class Answered:
    """A question with its SQL and the first rows of its answer, or the reason why there is none.

    ``excerpt`` are the lines of the SQL with the fault, if they are known.
    """

    title: str
    sql: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    is_cut: bool = False
    fault: str = ""
    excerpt: str = ""

    @property
    def command(self) -> str:
        """The command that asks it, quoted for a shell."""
        return f"genredb query {shlex.quote(self.sql)}"

    @property
    def numbers(self) -> tuple[bool, ...]:
        """Whether each column holds only numbers."""
        return tuple(
            all(row[place] is None or is_number(row[place]) for row in self.rows)
            for place in range(len(self.columns))
        )


def is_number(value: object) -> bool:
    """Return whether a cell is a number, and no truth value."""
    return not isinstance(value, str | bool)


def write(site: Site) -> Iterator[File]:
    """Yield the page."""
    themes, left_out = _themes(site) if site.has_songs else ({}, [])
    own = _own(site)
    values: dict[str, Any] = {
        "themes": themes,
        "left_out": left_out,
        "own": own,
        "folder": ANALYSES,
        "live": None,
    }
    if site.live_sql:
        scripts = [*live_sql.files(site, live_sql.read_engine(site.live_sql))]
        yield from scripts
        values |= {"live": _live(site, scripts), "policy": live_sql.POLICY}
    yield site.page("questions.html", "questions.html", **values)


def _live(site: Site, scripts: list[File]) -> dict[str, Any]:
    """Return what the page says of its live SQL."""
    names, left_out = site.once(live_sql.read_names)
    return {
        "names": names,
        "left_out": left_out,
        "most": live_sql.MOST_ROWS,
        "megabytes": sum(len(one.content) for one in scripts) / 1e6,
        "memory": live_sql.MEMORY_MB,
    }


def _themes(site: Site) -> tuple[dict[str, list[Answered]], list[str]]:
    """Return genredb's questions by theme, and those that this project's tables cannot answer."""
    themes: dict[str, list[Answered]] = {}
    left_out = []
    with site.catalog.connection.duplicate() as connection:
        for theme, name in ((theme, name) for theme, names in THEMES.items() for name in names):
            file = resources.files("genredb.look.site").joinpath("questions", f"{name}.sql")
            title, sql = _titled(file.read_text(encoding="utf-8"), name)
            try:
                one = _answer(site, connection, Answered(title, sql), needs_evaluation=name in JUDGING)
            except UsageError:  # mostly a column that is not there
                left_out.append(title)
            else:
                themes.setdefault(theme, []).append(one)
    return themes, left_out


def _answer(site: Site, connection: Connection, asked: Answered, *, needs_evaluation: bool) -> Answered:
    found = answer_on(connection, Question(asked.sql, limit=MOST_ROWS))
    if needs_evaluation and DEFAULT not in {one.classifier for one in site.catalog.evaluations()}:
        # The rows, if there are any, are of earlier songs.
        return replace(asked, fault=f"{DEFAULT} has not been evaluated on these songs: run genredb evaluate.")
    return replace(asked, columns=found.columns, rows=found.rows, is_cut=found.is_cut)


def _own(site: Site) -> list[Answered]:
    """Return the project's own questions."""
    folder = site.catalog.config.home / ANALYSES
    return [_own_answer(site, path.stem, path) for path in sorted(folder.rglob("*.sql")) if path.is_file()]


def _own_answer(site: Site, name: str, path: Any) -> Answered:
    """Render an analysis as dbt does and run it, in a process of its own that may neither write nor hang."""
    title, sql = name, ""
    try:
        title, sql = _titled(read_text(path), name)
        catalog = site.catalog
        sql = compile_inline(catalog.project, sql, catalog.templates_database)
        question = Question(sql, limit=MOST_ROWS)
        answer = run_guarded(
            lambda _: answer_beside(catalog.config, question).as_lists(), lambda _: None, Limits(SECONDS)
        )
    except QueryTimeoutError:
        return Answered(title, sql.strip(), fault=f"it took more than {SECONDS:g} s.")
    except GenredbError as error:
        fault = " ".join(one.sentence for one in error.each())
        return Answered(title, sql.strip(), fault=fault, excerpt=quotation(error.place).strip("\n"))
    columns, rows, is_cut = answer
    return Answered(title, sql, tuple(columns), tuple(map(tuple, rows)), is_cut)


def _titled(text: str, name: str) -> tuple[str, str]:
    """Return the question, which is the first comment, and the SQL below it."""
    first, _, rest = text.strip().partition("\n")
    if first.startswith("--") and (title := first.lstrip("- ").strip()):
        return title, rest.strip()
    return name, text.strip()
