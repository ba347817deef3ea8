"""Measurements, each beside something it is compared with; none of them is a test."""
