"""Reads a project's files into frozen values; knows no database and renders no model."""
