"""The Python API: :func:`genredb.open` returns a :class:`Database` to query with SQL or its classifier.

The examples show the synthetic sample that genredb ships. No connection stays open between calls: each
call reads the latest published state, and builds are never blocked.
"""

import html
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genredb.ask.export import export
from genredb.ask.query import Question, asked
from genredb.ask.relations import Relation
from genredb.catalog import Catalog
from genredb.errors import UsageError
from genredb.runner.planning.built_with import built_with
from genredb.runner.project.config import Config
from genredb.warehouse.database import open_reader, quote
from genredb.warehouse.user_sql import find_relation

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from genredb.look.plot import Plot
    from genredb.songs.learn.fitted import Fitted

SHOWN_ROWS = 10


@dataclass(frozen=True)
class Database:
    """A built database, opened read-only by :func:`genredb.open`.

    >>> db = genredb.open("genre.duckdb")
    >>> db.sql("select count(*) as songs from songs").rows()
    [(566,)]
    """

    config: Config = field(repr=False)

    def sql(self, query: str, /, **parameters: object) -> "Query":
        """Return a query; its rows are read on demand.

        ``parameters`` are the values of ``$name`` in it, passed as bound parameters. The query may read files
        (``from 'more.csv'``) but not write. If the SQL is invalid, UsageError gives line, caret and a
        suggestion.

        >>> db.sql("select title from songs where id = $id and source = 'train'", id=1).df().shape
        (1, 1)
        """
        values = {name: _plain(value) for name, value in parameters.items()}
        question = Question(query, values, is_trusted=True)
        with asked(self.config, question) as relation:
            return Query(self, question, tuple(relation.columns), tuple(map(str, relation.types)))

    def table(self, name: str) -> "Query":
        """Return a query of all rows of a table or view, named with its schema unless that is ``main``.

        >>> db.table("features.predict").columns[:3]
        ('song_key', 'source', 'id')
        """
        with open_reader(self.config.database, self.config.engine) as connection:
            schema, found = find_relation(connection, name)
        return self.sql(f"from {quote(schema)}.{quote(found)}")

    @property
    def songs(self) -> "Query":
        """All songs, one per row: repaired text, numbers (0 to 100, bpm, seconds, decibels), genre, group."""
        return self.table("songs")

    @property
    def predictions(self) -> "Query":
        """The predicted songs, one row each: genre, probability, group, deciding evidence, runners-up."""
        return self.table("predictions")

    @property
    def relations(self) -> pd.DataFrame:
        """The tables and views, one row each: ``relation``, ``kind``, number of ``columns``, ``meaning``."""
        rows = [(one.asked_as, one.kind, len(one.columns), one.description) for one in self._relations]
        return pd.DataFrame(rows, columns=["relation", "kind", "columns", "meaning"])

    def classifier(self) -> "Classifier":
        """Return the classifier that predicts; UsageError if none is fitted on the current data."""
        from genredb.songs.learn.store import load_current  # noqa: PLC0415 - brings scikit-learn

        with open_reader(self.config.database, self.config.engine) as connection:
            built_with(self.config, connection)
            return Classifier(load_current(connection, self.config.home))

    def evaluate(
        self, classifiers: str | Sequence[str] = (), *, protocol: str = "cv", label: str = "genre"
    ) -> pd.DataFrame:
        """Evaluate classifiers on held-out songs; return a leaderboard, one row each, best first.

        ``protocol`` is ``cv`` (folds over songs), ``unseen`` (no artist in both training and test songs) or
        ``seed`` (the notebook's single split); ``label`` is ``genre`` or ``genre_group``. ``classifiers`` are
        one or more registered names, or ``all``; the default classifier is always included. Accuracies are
        fractions from 0 to 1 with standard errors, times are in seconds. Results are cached in
        ``ml.evaluations``.

        >>> board = db.evaluate(["majority"], protocol="seed")
        >>> board[["classifier", "songs"]].values.tolist()
        [['artist_vote', 80], ['majority', 80]]
        """
        from genredb.songs.evaluate import evaluate  # noqa: PLC0415 - brings scikit-learn
        from genredb.songs.learn.leaderboard import LABELS  # noqa: PLC0415
        from genredb.songs.learn.registry import registry  # noqa: PLC0415

        if label not in LABELS:
            raise UsageError(f"There is no label '{label}'", name=label, choices=LABELS)
        stated = [classifiers] if isinstance(classifiers, str) else list(classifiers)
        names = list(registry(self.config.home)) if stated == ["all"] else stated
        found = evaluate(self.config, names, protocol)
        return pd.DataFrame([asdict(one) for one in found if one.label == label])

    def export(self, path: str | Path, relation: str = "submission") -> int:
        """Write a table or view to a file atomically; return the number of rows.

        The file's suffix determines the format: csv, parquet or json. InputError if a submission would be
        invalid or its predictions are stale.

        >>> db.export("submission.csv")
        113
        """
        return export(self.config, relation, Path(path), is_forced=True).rows

    def plot(self, kind: str, *columns: str) -> "Plot":
        """Return a plot for a notebook to show; ``kind`` and ``columns`` are those of `genredb plot`.

        >>> db.plot("scatter", "nrgy", "db")
        <plot scatter: 443 rows>
        """
        from genredb.look.plot import plot  # noqa: PLC0415 - few want plots

        with self.catalog() as catalog:
            return plot(catalog, kind, columns)

    def catalog(self) -> Catalog:
        """Return what the project says and the database remembers; use it in a ``with`` statement."""
        return Catalog(self.config)

    @property
    def _relations(self) -> tuple[Relation, ...]:
        with self.catalog() as catalog:
            return catalog.relations

    def __repr__(self) -> str:
        names = ", ".join(one.asked_as for one in self._relations if one.schema == "main")
        return f"genredb.open({str(self.config.database)!r}): {names}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(str(self.config.database))}</p>{self.relations.to_html(index=False)}"


@dataclass(frozen=True)
class Query:
    """A query of r rows and c columns; every call runs it again on the latest published state.

    ``types`` are DuckDB's types, in the order of ``columns``.

    >>> db.sql("select 1 as one, 'x' as letter")
       one letter
    0    1      x
    """

    database: Database = field(repr=False)
    question: Question
    columns: tuple[str, ...]
    types: tuple[str, ...]

    def df(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame, r × c."""
        rows: pd.DataFrame = self._read(lambda relation: relation.df())
        return rows

    def arrow(self) -> "pa.Table":
        """Return the rows as an Arrow table, r × c.

        >>> db.songs.arrow().num_rows
        566
        """
        return self._read(lambda relation: relation.to_arrow_table())

    def pl(self) -> "pl.DataFrame":
        """Return the rows as a polars DataFrame, r × c; UsageError if polars is missing or rejects them."""
        if importlib.util.find_spec("polars") is None:
            raise UsageError("polars is not installed", cure="run `pip install 'genredb[polars]'`")
        import polars as pl  # noqa: PLC0415 - few have it

        try:
            rows: pl.DataFrame = self._read(lambda relation: relation.pl())
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"polars cannot hold these rows: {error}") from None
        return rows

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows as r tuples of c Python values, None for NULL."""
        rows: list[tuple[Any, ...]] = self._read(lambda relation: relation.fetchall())
        return rows

    def __len__(self) -> int:
        return int(self._read(lambda relation: relation.count("*").fetchall()[0][0]))

    def _read(self, take: Callable[[Any], Any]) -> Any:
        with asked(self.database.config, self.question) as relation:
            return take(relation)

    def _first(self) -> tuple[pd.DataFrame, str]:
        """Return the first rows, and a note if there are more."""
        rows = self._read(lambda relation: relation.limit(SHOWN_ROWS + 1).df())
        more = f"the first {SHOWN_ROWS} of {len(self):,} rows" if len(rows) > SHOWN_ROWS else ""
        return rows.head(SHOWN_ROWS), more

    def __repr__(self) -> str:
        rows, more = self._first()
        return f"{rows}\n[{more}]" if more else str(rows)

    def _repr_html_(self) -> str:
        rows, more = self._first()
        return f"{rows.to_html(index=False)}<p>{more}</p>"


@dataclass(frozen=True)
class Classifier:
    """The fitted classifier that predicts; returned by :meth:`Database.classifier`.

    >>> db.classifier().predict(db.songs.df().head(3)).shape
    (3,)
    """

    _fitted: "Fitted" = field(repr=False)

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return self._fitted.name

    @property
    def features(self) -> tuple[str, ...]:
        """The f numeric features, in the units of ``songs``; the artist is an additional input."""
        return self._fitted.feature_names

    @property
    def genres(self) -> tuple[str, ...]:
        """The g genres that it can predict, in alphabetical order."""
        return tuple(map(str, self._fitted.estimator.classes_))

    def predict(self, songs: pd.DataFrame) -> "pd.Series[str]":
        """Return the most likely genre of each of n songs, with the index of ``songs``.

        ``songs`` needs the columns :attr:`features` and ``artist`` (or ``artist_key``), in any order and
        case; other columns are ignored. Values may be missing; InputError if a column is. For labelled songs
        the answer is in-sample: the classifier was trained on them.
        """
        scores = self.predict_proba(songs)
        likeliest = scores.columns.to_numpy()[scores.to_numpy().argmax(axis=1)]
        return pd.Series(likeliest, index=songs.index, name="genre", dtype=object)

    def predict_proba(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return the probabilities, n × g from 0 to 1, one column per genre; see :meth:`predict`."""
        from genredb.songs.learn.frames import songs_of_frame  # noqa: PLC0415 - brings scikit-learn

        scores = self._fitted.scores(songs_of_frame(songs, self.features))
        return pd.DataFrame(scores, index=songs.index, columns=list(self.genres))

    def __repr__(self) -> str:
        return f"{self.name}: {len(self.genres)} genres from the artist and {', '.join(self.features)}"


def _plain(value: object) -> object:
    """Convert a NumPy scalar to a Python value, which DuckDB can bind."""
    return value.item() if isinstance(value, np.generic) else value
