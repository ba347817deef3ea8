"""Writes synthetic CSVs in the competition's schema: invented songs, plausible numbers."""

from genredb.sample.write import SampleResult, write_sample

__all__ = ["SampleResult", "write_sample"]
