"""Writes synthetic CSVs in the competition's schema: invented songs, plausible numbers."""
