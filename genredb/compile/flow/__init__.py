"""What each column of a query comes from, by value and by influence.

``genredb.compile.flow.query`` reads SQL by sqlglot and is imported only where SQL is read.
"""

from genredb.compile.flow.values import NOTHING, ROWS, Flow, How, Origin, QueryFlow, UnresolvedError

__all__ = ["NOTHING", "ROWS", "Flow", "How", "Origin", "QueryFlow", "UnresolvedError"]
