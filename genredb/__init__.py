"""genredb: a song-genre warehouse in one DuckDB file."""

__version__ = "0.1.0"
