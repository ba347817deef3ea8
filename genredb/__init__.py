"""genredb: a song-genre warehouse in one DuckDB file."""

__version__ = "0.1.0"
# The dbt whose dialect and artifacts genredb speaks.
DBT_VERSION = "1.11.16"
