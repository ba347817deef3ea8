"""Where the pages of genres and groups are, for the links that lead there."""

from collections.abc import Mapping

from genredb.look.site.filters import slugs
from genredb.look.site.frame import Site


def genres(site: Site) -> Mapping[str, str]:
    """Return the path of each genre's page, the most frequent genre first."""
    rows = site.rows("select genre from genres order by song_count desc, genre")
    return {name: f"genre/{slug}.html" for name, slug in slugs(row["genre"] for row in rows).items()}


def groups(site: Site) -> Mapping[str, str]:
    """Return the path of each group's page, the largest group first."""
    return {name: f"group/{slug}.html" for name, slug in slugs(site.groups).items()}
