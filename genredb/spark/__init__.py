"""Builds a project on Spark: translates its SQL, keeps its relations as Parquet."""
