"""The verb ``pull``: copies what was built on Spark into a DuckDB file, which all commands read."""

from dataclasses import dataclass, replace
from pathlib import Path

from genredb.ask.output import replaced
from genredb.errors import UsageError
from genredb.runner.planning.built_with import no_database, read_built_with, write_built_with
from genredb.runner.project.config import Config
from genredb.spark.local import copy_relations
from genredb.spark.published import published
from genredb.spark.snapshots import Snapshots, warehouse_of
from genredb.warehouse.publish import publication


@dataclass(frozen=True)
class PullResult:
    """The result of a pull: the file, and the number of relations that were copied into it."""

    path: Path
    relations: int


def pull(config: Config, path: Path, *, is_forced: bool = False) -> PullResult:
    """Copy the ledger of a project that was built on Spark, and all relations of its published snapshot.

    The file is one of DuckDB's engine. It is written atomically; one that genredb did not write is replaced
    only if ``is_forced``, otherwise ConsentError is raised. UsageError if nothing was built on Spark, or if
    ledger and snapshot do not match.
    """
    if not config.database.is_file():
        raise no_database(config, "spark")
    snapshots = Snapshots(warehouse_of(config.database))
    with (
        replaced(config, path, is_forced=is_forced) as draft,
        publication(config.database, config.engine) as writer,
    ):
        connection = writer.begin()
        found = read_built_with(connection)
        if found.engine != "spark":
            raise UsageError(f"{config.database.name} was not built on Spark", cure="it needs no pull")
        relations = published(connection, snapshots)
        copy_relations(connection, snapshots, relations)
        # What is left are the identities on DuckDB, so that changes since the build can be told.
        connection.execute("update meta.fingerprints set rest = split_part(rest, ' ', 1)")
        write_built_with(connection, replace(found, engine="duckdb"))
        writer.keep(draft)
    return PullResult(path, len(relations))
