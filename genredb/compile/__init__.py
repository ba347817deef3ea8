"""Turns a project's files into SQL text, a graph and fingerprints; asks no database."""

from genredb.compile.compiler import Compilation, compile_inline, compile_project
from genredb.compile.context import DBT_VERSION, ResultTable
from genredb.compile.fingerprint import Identity, digest, identities, portable_sql
from genredb.compile.flow import ROWS, How, QueryFlow, UnresolvedError
from genredb.compile.leaks import (
    feature_views,
    find_leaks,
    guarded_nodes,
    label_columns,
    proof_digest,
    row_filter,
)
from genredb.compile.lineage import ColumnRef, Edge, Lineage, relation_key
from genredb.compile.nodes import Database, Node, NodeKind, Relation
from genredb.compile.select import Before, select
from genredb.compile.unit_tests import unit_test_sql

__all__ = [
    "DBT_VERSION",
    "ROWS",
    "Before",
    "ColumnRef",
    "Compilation",
    "Database",
    "Edge",
    "How",
    "Identity",
    "Lineage",
    "Node",
    "NodeKind",
    "QueryFlow",
    "Relation",
    "ResultTable",
    "UnresolvedError",
    "compile_inline",
    "compile_project",
    "digest",
    "feature_views",
    "find_leaks",
    "guarded_nodes",
    "identities",
    "label_columns",
    "portable_sql",
    "proof_digest",
    "relation_key",
    "row_filter",
    "select",
    "unit_test_sql",
]
