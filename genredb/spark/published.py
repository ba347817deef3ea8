"""The published relations, as they match their ledger."""

from genredb.errors import UsageError
from genredb.runner.planning.state import read_state
from genredb.spark.snapshots import Snapshots, Stored
from genredb.warehouse.connection import Connection


def published(ledger: Connection, snapshots: Snapshots) -> dict[str, Stored]:
    """Return the relations of the published snapshot.

    UsageError if the ledger does not match them: a build died after it had published one of the two.
    """
    relations = snapshots.published()
    state = read_state(ledger, {name: one.mark for name, one in relations.items()})
    is_loaded = all(state.is_marked(name, loaded.digest) for name, loaded in state.loads.items())
    if not is_loaded or not all(state.is_intact(unique_id) for unique_id in state.nodes):
        raise UsageError(
            f"The last build into {snapshots.folder.name} ended while it was published",
            cure="run `genredb build --engine spark` again",
        )
    return relations
