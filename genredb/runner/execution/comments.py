"""Writes the descriptions of a relation and its columns into the database, as comments."""

from genredb.runner.execution.executor import Executor
from genredb.runner.graph.nodes import Node
from genredb.runner.graph.persisted_docs import docs_of
from genredb.runner.planning.state import mark_of
from genredb.runner.templates.relation import Relation
from genredb.warehouse.database import literal, quote


def write_comments(executor: Executor, node: Node, relation: Relation, kind: str, digest: str) -> None:
    """Comment on the relation of a node, if it asks for that; the mark of the build is the last line."""
    docs = docs_of(node)
    if docs is None:
        return
    name = relation.include(database=False)
    if docs.text:
        text = f"{docs.text}\n\n{mark_of(digest)}"
        executor.run(f"comment on {kind} {name} is {literal(text)}")
    for column in executor.columns(str(name)):
        if column in docs.columns:
            executor.run(f"comment on column {name}.{quote(column)} is {literal(docs.columns[column])}")
