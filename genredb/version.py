"""The versions of genredb and of its tables, and the dbt version whose dialect and artifacts it supports."""

__version__ = "0.1.0"
DBT_VERSION = "1.11.16"

# The version of the tables that record builds, predictions and evaluations; other versions are discarded.
LAYOUT = "12"
