"""Fingerprints: a node whose fingerprint has not changed since its last run need not run again.

A fingerprint combines the node's own identity (SQL, configuration, relation, hooks, file contents) with the
fingerprints of its upstream nodes. If SQL differs from the last run only in layout or comments, as judged by
the parser, the identity stays the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version

from genredb.runner.graph.compiler import Compilation
from genredb.runner.graph.identity import Identity, digest
from genredb.runner.graph.nodes import Check, Compiled, Dataset, Model, Node, Source, UnitTest
from genredb.runner.graph.persisted_docs import docs_of
from genredb.warehouse.settings import RESOURCES

# Configuration that does not affect rows: for people, selectors and separate checks.
_SAYS_NOTHING = frozenset("tags meta docs enabled group access full_refresh persist_docs".split())
Canonical = Callable[[str], str | None]


def identities(
    compilation: Compilation,
    contents: Mapping[str, str],
    last: Mapping[str, Identity],
    canonical: Canonical,
) -> dict[str, Identity]:
    """Return the identity of each node by unique id; ``last`` holds those of the last run.

    ``contents`` maps the unique ids of sources and seeds to a digest of their contents. ``canonical`` returns
    a parsed form of SQL that ignores layout and comments, or None if it cannot parse it. What nodes read of
    genredb's own tables is not in them.
    """
    return {
        node.unique_id: _identity(node, compilation, contents, last.get(node.unique_id), canonical)
        for node in compilation.nodes.values()
    }


def _identity(
    node: Node,
    compilation: Compilation,
    contents: Mapping[str, str],
    last: Identity | None,
    canonical: Canonical,
) -> Identity:
    sql = portable_sql(node, compilation)
    if last is not None and (last.sql == sql or _means_the_same(last.sql, sql, canonical)):
        sql_id = last.sql_id
    else:
        sql_id = digest(sql)
    return Identity(sql, sql_id, rest(node, contents.get(node.unique_id, ""), compilation))


def _means_the_same(before: str, now: str, canonical: Canonical) -> bool:
    if not before or not now:
        return False
    parsed = canonical(before)
    return parsed is not None and parsed == canonical(now)


def portable_sql(node: Node, compilation: Compilation) -> str:
    """Return the node's SQL without the database name, so that it does not depend on it."""
    text = node.sql if isinstance(node, Compiled) else ""
    for one in (compilation.nodes[unique_id] for unique_id in (*_read_by(node, compilation), node.unique_id)):
        if not isinstance(one, Dataset | Check) or one.relation.is_attached:
            continue
        if one.relation.database and not one.relation.expression:
            text = text.replace(str(one.relation), str(one.relation.include(database=False)))
    return text


def _read_by(node: Node, compilation: Compilation) -> Iterator[str]:
    """Yield what a node's SQL reads, also by ephemeral models, which are a part of it."""
    for unique_id in node.depends_on:
        yield unique_id
        if compilation.nodes[unique_id].materialized == "ephemeral":
            yield from _read_by(compilation.nodes[unique_id], compilation)


def rest(node: Node, content: str, compilation: Compilation) -> str:
    """Return the digest of a node's identity besides its SQL; ``content`` is that of its contents, if any."""
    heeded = {key: value for key, value in node.config.items() if key not in _SAYS_NOTHING}
    stated = [
        content,
        node.materialized,
        node.relation.qualified_name if isinstance(node, Dataset | Check) else "",
        # The load's digest includes the source's columns.
        "" if isinstance(node, Source) else json.dumps(heeded, sort_keys=True, default=str),
        *((*node.hooks, node.incremental_sql) if isinstance(node, Model) else ("",)),
        node.template if isinstance(node, Model | Check) and node.dynamic else "",
        repr((node.given, node.expect, node.overrides)) if isinstance(node, UnitTest) else "",
    ]
    if isinstance(node, Model) and node.contract is not None:
        stated.append(repr((node.contract.columns, node.contract.definitions)))
    if docs := docs_of(node):
        stated.append(repr(docs))
    settings = compilation.project.config.profile.settings
    if shaping := {name: value for name, value in settings.items() if name.lower() not in RESOURCES}:
        stated.append(json.dumps(shaping, sort_keys=True, default=str))
    if compilation.project.config.settings.engine == "spark":  # which runs what sqlglot makes of the SQL
        return f"{digest(*stated)} spark {version('pyspark')}, sqlglot {version('sqlglot')}"
    return digest(*stated)
