"""Turns a project's files into SQL text, a graph and fingerprints; asks no database."""

from genredb.compile.compiler import Compilation, compile_inline, compile_project
from genredb.compile.fingerprint import fingerprints
from genredb.compile.nodes import Node, NodeKind, Relation

__all__ = ["Compilation", "Node", "NodeKind", "Relation", "compile_inline", "compile_project", "fingerprints"]
