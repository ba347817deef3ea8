"""Lets assistants query the database through the Model Context Protocol."""
