"""Turns a project's files into SQL text, a graph and fingerprints; asks no database."""
