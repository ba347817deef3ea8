"""Which nodes a build or test is asked for."""

from genredb.build.options import Options
from genredb.compile.compiler import Compilation
from genredb.errors import ProjectErrors


def chosen_nodes(compilation: Compilation, options: Options) -> set[str] | None:
    """Return the unique ids that are selected, or None for everything."""
    if options.is_everything:
        return None
    from genredb.build.manifest import read_before  # noqa: PLC0415 - few builds select
    from genredb.compile.select import select  # noqa: PLC0415

    before = read_before(compilation.project.config, options.state_dir)
    return select(compilation, options.selected, options.excluded, before)


def refuse_notices(compilation: Compilation, options: Options) -> None:
    """Under ``--warn-error``, refuse a project that says what has no effect."""
    if options.warn_error and compilation.notices:
        raise ProjectErrors(compilation.notices)
