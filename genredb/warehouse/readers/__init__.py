"""Readers of raw files, one per format; formats.py lists them."""
