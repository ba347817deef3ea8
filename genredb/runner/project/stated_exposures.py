"""Reads the exposures that a properties file states: what uses the project's data outside of it."""

from collections.abc import Mapping
from typing import Any

from genredb.errors import ProjectError
from genredb.runner.project.files import mapping, shown, text_list, text_of
from genredb.runner.project.merge import merged
from genredb.runner.project.specs import ExposureSpec

TYPES = ("dashboard", "notebook", "analysis", "ml", "application")
MATURITIES = ("low", "medium", "high")


def read_exposure(
    entry: Mapping[str, Any], path: str, description: str, keys: tuple[str | int, ...]
) -> ExposureSpec:
    """Return an exposure; ProjectError if it is invalid."""
    name = entry["name"]
    for key, choices in (("type", TYPES), ("maturity", MATURITIES)):
        stated = entry.get(key)
        if stated not in choices and (key == "type" or stated is not None):
            what = f"`{key}:` of the exposure {name} cannot be {shown(stated)}"
            raise ProjectError(what, place=path, name=str(stated or ""), choices=choices)
    owner = mapping(entry, "owner", path)
    if not owner.get("name") and not owner.get("email"):
        what = f"the exposure {name} needs an `owner:` with a name or an email"
        raise ProjectError(what, place=path)
    outside = {key: entry[key] for key in ("meta", "tags") if entry.get(key)}
    mapping(entry, "meta", path)
    config = merged(outside, mapping(entry, "config", path))
    text_list(config.get("tags"), "tags", path)
    return ExposureSpec(
        name=name,
        path=path,
        depends_on=text_list(entry.get("depends_on"), "depends_on", path),
        facts={
            "type": entry["type"],
            "owner": dict(owner),
            **{key: text_of(entry, key, path) for key in ("label", "maturity", "url")},
        },
        config=config,
        description=description,
        keys=keys,
    )
