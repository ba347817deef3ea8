"""The JSON of commands: a class for each shape, and its constructor. docs/json.md is generated from them."""
