"""Reads the database: guarded queries, relations and completion, exports, comparisons."""
