"""Asking the published database, read-only."""
