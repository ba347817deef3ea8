"""The memory of the database file: what was built from what, and the history of its runs (schema meta)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from genredb import __version__
from genredb.build.results import NodeResult, is_built
from genredb.compile import NodeKind
from genredb.warehouse import Connection, Load, quote, relation_exists


@dataclass(frozen=True)
class State:
    """What the published file was built from.

    ``inputs`` digests all that went into it but the raw files, given the values of ``environment``;
    ``files`` maps a raw file to its sha256, ``loads`` a source to the digest of its load, and
    ``fingerprints`` a node to its fingerprint. ``built`` maps a node to the relation there should be,
    ``relations`` are those there are. ``warnings`` counts the checks that warned when they last ran.
    """

    inputs: str = ""
    environment: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    loads: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    built: Mapping[str, str] = field(default_factory=dict)
    relations: frozenset[str] = frozenset()
    warnings: int = 0
    holds_own_songs: bool = False


def read_state(connection: Connection | None) -> State:
    """Read the state of a database; an empty state where genredb has built nothing in it."""
    if connection is None or not relation_exists(connection, "meta", "state"):
        return State()
    values = dict(connection.execute("select key, value from meta.state").fetchall())
    loads = connection.execute("select source, file, sha256, digest from meta.loads").fetchall()
    nodes = connection.execute("select unique_id, fingerprint, relation from meta.fingerprints").fetchall()
    relations = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables"
    ).fetchall()
    return State(
        inputs=values.get("inputs", ""),
        environment=tuple(json.loads(values.get("environment", "[]"))),
        files={file: sha256 for _, file, sha256, _ in loads},
        loads={source: digest for source, _, _, digest in loads},
        fingerprints={unique_id: fingerprint for unique_id, fingerprint, _ in nodes},
        built={unique_id: relation for unique_id, _, relation in nodes if relation},
        relations=frozenset(name for (name,) in relations),
        warnings=_count_warnings(connection),
        holds_own_songs=bool(loads) and not is_from_sample(connection),
    )


def _count_warnings(connection: Connection) -> int:
    row = connection.execute(
        """
        select count(*) filter (where status = 'warn')
        from (select unique_id, arg_max(status, run_id) as status from meta.check_results group by unique_id)
        semi join meta.fingerprints using (unique_id)
        """
    ).fetchone()
    return int(row[0]) if row else 0


def forget_inputs(connection: Connection) -> None:
    """Let the next build look at every node: what it was built from is no longer what is loaded."""
    connection.execute("delete from meta.state where key = 'inputs'")


def write_state(connection: Connection, state: State) -> None:
    """Replace what the file remembers of its inputs and nodes; the loads are written one by one."""
    connection.execute("delete from meta.state")
    values = {
        "inputs": state.inputs,
        "environment": json.dumps(state.environment),
    }
    connection.execute(
        "insert into meta.state select unnest(?::varchar[]), unnest(?::varchar[])",
        [list(values), list(values.values())],
    )
    connection.execute("delete from meta.fingerprints")
    connection.execute(
        "insert into meta.fingerprints"
        " select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])",
        [
            list(state.fingerprints),
            list(state.fingerprints.values()),
            [state.built.get(unique_id) for unique_id in state.fingerprints],
        ],
    )


def drop_relation(connection: Connection, relation: str) -> None:
    """Drop a table or view (``schema.name``) that left the project, with what was remembered of its load."""
    schema, _, name = relation.partition(".")
    kind = relation_exists(connection, schema, name)
    if kind:
        connection.execute(f"drop {kind} {quote(schema)}.{quote(name)}")
    connection.execute("delete from meta.loads where source = ?", [relation])
    connection.execute("delete from raw.quarantine where source = ?", [relation])


def record_load(connection: Connection, load: Load, file: str, digest: str, *, is_sample: bool) -> None:
    """Remember a load in meta.loads, in place of the source's last one; ``file`` is the declared name."""
    connection.execute("delete from meta.loads where source = ?", [load.source])
    connection.execute(
        "insert into meta.loads values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            load.source,
            file,
            load.sha256,
            digest,
            load.size,
            load.records,
            load.loaded,
            load.quarantined,
            list(load.ignored_columns),
            is_sample,
            datetime.now(UTC),
        ],
    )


def is_from_sample(connection: Connection) -> bool:
    """Whether the songs in the database are those of the synthetic sample."""
    if not relation_exists(connection, "meta", "loads"):
        return False
    row = connection.execute("select coalesce(bool_or(is_sample), false) from meta.loads").fetchone()
    return bool(row and row[0])


def is_built_from_loads(connection: Connection) -> bool:
    """Whether the models were built from what the raw tables hold now."""
    row = connection.execute("select count(*) from meta.state where key = 'inputs'").fetchone()
    return bool(row and row[0])


def record_run(
    connection: Connection, command: str, started_at: datetime, results: Iterable[NodeResult] = ()
) -> None:
    """Add a run and its results to the history."""
    seconds = (datetime.now(UTC) - started_at).total_seconds()
    run_id = started_at.strftime("%Y%m%dT%H%M%S.%fZ")
    connection.execute(
        "insert into meta.runs values (?, ?, ?, ?, ?)", [run_id, command, started_at, seconds, __version__]
    )
    ran = list(results)
    nodes = [result for result in ran if is_built(result.node)]
    connection.execute(
        "insert into meta.node_runs select ?, unnest(?::varchar[]), unnest(?::varchar[]),"
        " unnest(?::varchar[]), unnest(?::bigint[]), unnest(?::double[])",
        [
            run_id,
            [result.node.unique_id for result in nodes],
            [result.status.value for result in nodes],
            [result.reason for result in nodes],
            [result.rows for result in nodes],
            [result.seconds for result in nodes],
        ],
    )
    checks = [result for result in ran if result.node.kind is NodeKind.CHECK]
    connection.execute(
        "insert into meta.check_results select ?, unnest(?::varchar[]), unnest(?::varchar[]),"
        " unnest(?::varchar[]), unnest(?::bigint[])",
        [
            run_id,
            [result.node.unique_id for result in checks],
            [result.node.severity for result in checks],
            [result.status.value for result in checks],
            [result.failing.total if result.failing else 0 for result in checks],
        ],
    )
