"""The verbs of the runner as the command line calls them: with what songs need within a build."""

from functools import partial

from genredb.catalog import Catalog
from genredb.runner import build as build_
from genredb.runner import load as load_
from genredb.runner import plan as plan_
from genredb.runner import retry as retry_
from genredb.runner.planning.options import Options
from genredb.runner.planning.plan import Plan
from genredb.runner.project.config import Config
from genredb.songs.classifiers import Kept
from genredb.songs.extension import SONGS

_ALL = Options()

build = partial(build_.build, extension=SONGS)
load = partial(load_.load, extension=SONGS)
retry = partial(retry_.retry, extension=SONGS)


def plan(config: Config, options: Options = _ALL) -> Plan:
    """What a build would do now."""
    with Catalog(config) as catalog:
        return plan_.plan(catalog, options, SONGS)


def list_classifiers(config: Config) -> list[Kept]:
    """The fitted classifiers."""
    with Catalog(config) as catalog:
        return catalog.classifiers
