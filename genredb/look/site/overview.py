"""The first page: what the warehouse holds, how good the predictions are, and what to look at."""

from collections.abc import Iterator

from genredb.look.site.frame import File, Site


def write(site: Site) -> Iterator[File]:
    """Yield the page."""
    yield site.page("index.html", "overview.html", runs=site.catalog.runs)
