"""The JSON of commands: a class for each shape, and how it is made. docs/json.md is written from these."""
