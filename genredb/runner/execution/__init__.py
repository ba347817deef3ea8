"""Runs a plan: creates relations, runs checks and unit tests, proves that no label leaks."""
