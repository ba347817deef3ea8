"""Fingerprints: a node whose fingerprint is that of its last run need not run again.

A fingerprint is made of the node's own part (SQL, configuration, relation, hooks, the content of a file)
and of the fingerprints of all that it depends on. Where SQL differs from that of the last run only in
form, as the parser sees it, its identity stays what it was.
"""

import json
from collections.abc import Callable, Mapping

from genredb.compile.compiler import Compilation
from genredb.compile.identity import Identity, digest
from genredb.compile.nodes import Node, NodeKind

# What a configuration says to people, to selectors and to checks on the side.
_SAYS_NOTHING = frozenset("tags meta docs enabled group access full_refresh persist_docs".split())
Canonical = Callable[[str], str | None]


def identities(
    compilation: Compilation,
    contents: Mapping[str, str],
    last: Mapping[str, Identity],
    canonical: Canonical,
) -> dict[str, Identity]:
    """Return each node's own part by unique id; that of its last run is ``last``.

    ``contents`` maps the unique ids of sources and seeds to a digest of what they hold. ``canonical``
    gives a parsed form of SQL in which layout and comments do not count, or None where it cannot.
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
    return Identity(sql, sql_id, _rest(node, contents.get(node.unique_id, ""), compilation))


def _means_the_same(before: str, now: str, canonical: Canonical) -> bool:
    if not before or not now:
        return False
    parsed = canonical(before)
    return parsed is not None and parsed == canonical(now)


def portable_sql(node: Node, compilation: Compilation) -> str:
    """Return the node's SQL without the name of the database, so that it runs in another one as well."""
    text = node.sql
    for unique_id in (*node.depends_on, node.unique_id):
        relation = compilation.nodes[unique_id].relation
        if relation is not None and relation.database and not relation.expression:
            text = text.replace(str(relation), str(relation.include(database=False)))
    return text


def _rest(node: Node, content: str, compilation: Compilation) -> str:
    heeded = {key: value for key, value in node.config.items() if key not in _SAYS_NOTHING}
    stated = [
        content,
        node.materialized,
        node.relation.qualified_name if node.relation else "",
        # What a source says of its columns is in its load's digest.
        "" if node.kind is NodeKind.SOURCE else json.dumps(heeded, sort_keys=True, default=str),
        *node.hooks,
        node.incremental_sql,
        node.template if node.dynamic else "",
        repr(node.unit_test) if node.unit_test else "",
    ]
    if settings := compilation.project.config.profile.settings:
        stated.append(json.dumps(settings, sort_keys=True, default=str))
    return digest(*stated)
