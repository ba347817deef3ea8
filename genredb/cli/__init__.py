"""The command line: one file per command; each translates arguments, calls one function and prints."""
