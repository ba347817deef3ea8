"""Renders jinja templates as dbt does; queries only a database passed in by the caller."""
