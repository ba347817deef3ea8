"""Builds any dbt project: compiles its files to a graph, plans, runs, writes artifacts. Knows no songs."""
