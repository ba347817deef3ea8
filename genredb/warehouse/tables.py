"""The tables that genredb itself writes, beside those of the project: quarantine, ml and meta."""

from collections.abc import Sequence
from typing import NoReturn

import duckdb

from genredb.errors import UsageError
from genredb.warehouse.database import Connection, fetch_all, relations, transaction

_NAMED = 5

_QUARANTINE = """
create schema if not exists raw;
create table if not exists raw.quarantine (
    source varchar, file varchar, line bigint, reason varchar, text varchar
);
"""
_ML = """
create schema if not exists ml;
create table if not exists ml.classifiers (
    classifier_id varchar primary key,
    name varchar,
    label varchar,
    training_fingerprint varchar,
    manifest json,
    skops blob,
    sha256 varchar,
    fitted_at timestamptz
);
create table if not exists ml.predictions (
    song_key varchar,
    genre varchar,
    probability double,
    basis varchar,
    genre_group varchar,
    group_probability double,
    group_probabilities struct(genre_group varchar, probability double)[],
    runner_ups struct(genre varchar, probability double)[],
    min_probability double,
    choice varchar,
    classifier_id varchar,
    training_fingerprint varchar,
    features_fingerprint varchar
);
create table if not exists ml.evaluations (
    classifier varchar, protocol varchar, label varchar, digest varchar, songs bigint, accuracy double,
    accuracy_error double, seen_accuracy double, unseen_accuracy double, unseen_error double, top_3 double,
    macro_f1 double,
    log_loss double, calibration_error double, ceiling double, fit_seconds double, predict_seconds double,
    evaluated_at timestamptz
);
create table if not exists ml.chosen (classifier varchar, parameters json);
create table if not exists ml.fold_scores (
    classifier varchar, protocol varchar, label varchar, repeat bigint, fold bigint, songs bigint,
    accuracy double, top_3 double, macro_f1 double, log_loss double, calibration_error double,
    ceiling double, fit_seconds double, predict_seconds double
);
create table if not exists ml.confusion (
    classifier varchar, protocol varchar, label varchar, actual varchar, predicted varchar, songs double
);
create table if not exists ml.song_scores (
    classifier varchar, protocol varchar, label varchar, repeat bigint, fold bigint, song_key varchar,
    artist_key varchar, is_artist_known boolean, actual varchar, predicted varchar, is_right boolean,
    rank bigint, probability double, actual_probability double
);
create table if not exists ml.past_song_scores (
    run_id varchar, classifier varchar, protocol varchar, label varchar, digest varchar, features varchar[],
    song_key varchar, artist_key varchar, accuracy double, top_3 double, log_loss double
);
create table if not exists ml.group_sets (
    classifier varchar, protocol varchar, classifier_id varchar, basis varchar, coverage double,
    threshold double, songs bigint, held double, held_error double, mean_size double
);
create table if not exists ml.importances (
    classifier varchar, protocol varchar, column_name varchar, importance double, deviation double
);
"""
_META = """
create schema if not exists meta;
create table if not exists meta.state (key varchar, value varchar);
create table if not exists meta.built_with (setting varchar, value json);
create table if not exists meta.fingerprints (
    unique_id varchar, fingerprint varchar, sql varchar, sql_id varchar, rest varchar, relation varchar,
    restless varchar, has_warned boolean, materialized varchar
);
create table if not exists meta.loads (
    source varchar, file varchar, sha256 varchar, digest varchar, size bigint, records bigint, loaded bigint,
    quarantined bigint, repaired bigint, ignored_columns varchar[],
    loaded_at timestamptz
);
create table if not exists meta.runs (
    run_id varchar, command varchar, started_at timestamptz, seconds double, genredb_version varchar
);
create table if not exists meta.node_runs (
    run_id varchar, unique_id varchar, status varchar, reason varchar, row_count bigint, seconds double
);
create table if not exists meta.check_results (
    run_id varchar, unique_id varchar, severity varchar, status varchar, failing_rows bigint
);
"""

# What the rows of these tables are.
DESCRIPTIONS = {
    "raw.quarantine": "One row per row of a CSV that could not be loaded: where it stands, why, its text.",
    "ml.classifiers": "One row per fitted classifier.",
    "ml.predictions": "One row per predicted song.",
    "ml.evaluations": "One row per classifier, protocol and label that were judged.",
    "ml.chosen": "One row, of the classifier that predicts, where one was chosen.",
    "ml.fold_scores": "One row per fold of an evaluation.",
    "ml.confusion": "One row per pair of a label and what was predicted in its place, of an evaluation.",
    "ml.song_scores": "One row per song and repeat of an evaluation: what was said of it.",
    "ml.past_song_scores": "One row per song of the last runs of each evaluation: its scores.",
    "ml.group_sets": "One row per stated coverage of an evaluation: the threshold of its sets of groups.",
    "ml.importances": "One row per column that a judged classifier reads: the accuracy lost without it.",
    "meta.state": "One row per fact that genredb remembers of the file.",
    "meta.built_with": "One row per setting that the file was built with: target, variables, raw folder …",
    "meta.fingerprints": "One row per node of the last build.",
    "meta.loads": "One row per file that was loaded.",
    "meta.runs": "One row per command that wrote to the file.",
    "meta.node_runs": "One row per node of a run.",
    "meta.check_results": "One row per check of a run.",
}


# What genredb remembers of builds, predictions and evaluations has this shape; that of another is forgotten.
LAYOUT = "8"
_OF_THE_LAYOUT = (
    *("meta.state", "meta.built_with", "meta.fingerprints", "meta.loads", "ml.predictions", "ml.chosen"),
    *("ml.evaluations", "ml.fold_scores", "ml.song_scores", "ml.group_sets"),
)


def has_current_layout(connection: Connection) -> bool:
    """Whether the file remembers its builds in the shape that this version of genredb reads."""
    try:  # asking whether the table is there takes longer than reading it
        rows = fetch_all(connection, "select value from meta.state where key = 'layout'")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return rows == [(LAYOUT,)]


def refuse_other_layout(connection: Connection) -> None:
    """Raise UsageError where another version of genredb remembers what it built in the file."""
    if not has_current_layout(connection):
        raise UsageError("Another version of genredb built this database; run `genredb build` first.")


def create_quarantine(connection: Connection) -> None:
    """Make raw.quarantine, empty, if it is missing."""
    connection.execute(_QUARANTINE)


def create_tables(connection: Connection, *, has_songs: bool = True) -> None:
    """Make whichever of genredb's own tables are missing, empty; UsageError where others have their names.

    Those of classifiers and predictions are made where the project ``has_songs``.
    """
    is_current = has_current_layout(connection)
    if not is_current:
        _refuse_foreign(connection)
    with transaction(connection):
        if not is_current:
            for table in _OF_THE_LAYOUT:
                connection.execute(f"drop table if exists {table}")
        connection.execute(_META + _ML if has_songs else _META)
        if not is_current:
            connection.execute("insert into meta.state values ('layout', ?)", [LAYOUT])


def _refuse_foreign(connection: Connection) -> None:
    """Raise UsageError where a database that has no memory of genredb's has tables of genredb's names."""
    try:
        connection.execute("select key, value from meta.state limit 0")
        is_own = True
    except (duckdb.CatalogException, duckdb.BinderException):
        is_own = False
    known = [f"{schema}.{name}".lower() for schema, name in relations(connection)]
    found = [] if is_own else [name for name in DESCRIPTIONS if name in known]
    if found:
        refuse_to_replace(found)


def refuse_to_replace(names: Sequence[str]) -> NoReturn:
    """Raise UsageError: these relations (``schema.name``) of the database were not made by genredb."""
    shown = ", ".join(name.removeprefix("main.") for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if names[_NAMED:] else ""
    raise UsageError(
        f"The database holds {shown}{more}, which genredb did not make and would replace; "
        "rename or drop what is yours, or name another file by --database."
    )
