"""Builds the warehouse: loads what changed, materializes, checks, records, publishes."""
