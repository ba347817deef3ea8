"""Compiles a project's files to a graph of nodes with SQL, names and fingerprints; uses no database."""
