"""The version of genredb, and the dbt version whose dialect and artifacts it supports."""

__version__ = "0.1.0"
DBT_VERSION = "1.11.16"
