"""Lets ``python -m genredb`` do what the ``genredb`` command does."""

from genredb.cli.app import main

if __name__ == "__main__":
    main()
