"""Turns a project's files into SQL text, a graph and fingerprints; asks no database."""

from genredb.compile.compiler import Compilation, compile_inline, compile_project
from genredb.compile.context import DBT_VERSION, ResultTable
from genredb.compile.fingerprint import Identity, digest, identities
from genredb.compile.nodes import Database, Node, NodeKind, Relation
from genredb.compile.select import Before, select
from genredb.compile.unit_tests import unit_test_sql

__all__ = [
    "DBT_VERSION",
    "Before",
    "Compilation",
    "Database",
    "Identity",
    "Node",
    "NodeKind",
    "Relation",
    "ResultTable",
    "compile_inline",
    "compile_project",
    "digest",
    "identities",
    "select",
    "unit_test_sql",
]
