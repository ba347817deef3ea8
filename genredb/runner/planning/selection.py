"""The nodes selected for a build or test."""

from collections.abc import Collection

from genredb.errors import Notice, ProjectErrors
from genredb.runner.graph.compiler import Compilation
from genredb.runner.planning.options import Options


def chosen_nodes(compilation: Compilation, options: Options) -> set[str] | None:
    """Return the unique ids of the selected nodes, or None for all."""
    if options.is_everything:
        return None
    from genredb.runner.artifacts.manifest import read_before  # noqa: PLC0415 - few builds select
    from genredb.runner.graph.select import select  # noqa: PLC0415

    before = read_before(compilation.project.config, options.state_dir)
    return select(compilation, options.selected, options.excluded, before)


def refuse_notices(notices: Collection[Notice], options: Options) -> None:
    """With ``--warn-error``, raise an error if something in the project has no effect."""
    if options.warn_error and notices:
        raise ProjectErrors(notice.as_error() for notice in notices)
