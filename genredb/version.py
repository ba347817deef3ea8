"""The version of genredb, and that of dbt whose dialect and artifacts it speaks."""

__version__ = "0.1.0"
DBT_VERSION = "1.11.16"
