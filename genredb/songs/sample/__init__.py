"""Writes synthetic CSVs in the competition's schema: made-up songs with plausible numbers."""
