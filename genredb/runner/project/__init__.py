"""Reads a project's files into frozen values. Uses no database and renders no models."""
