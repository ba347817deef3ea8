"""Traces columns through SQL: lineage, feature views, and the leak guard's proof on the SQL."""
