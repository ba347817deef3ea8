"""Lets assistants ask, by the Model Context Protocol."""
