"""Makes assets/vega.js, which draws the report's charts, when the package is built or installed for editing.

vl-convert carries Vega, so no npm is needed. ``python hatch_build.py`` makes the
file in a checkout that is not installed.
"""

from pathlib import Path
from typing import Any

import vl_convert
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = Path(__file__).resolve().parent / "genredb" / "look" / "site" / "assets" / "vega.js"
NAMES = "Object.assign(window, { vega, vegaLite, vegaEmbed });"


class VegaBundle(BuildHookInterface):  # type: ignore[type-arg]
    """Writes the bundle before the files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write it, in one step, so that a second build beside this one reads all of it."""
        write_bundle()


def write_bundle() -> None:
    """Write the libraries in a function of their own, since their names would collide with the page's."""
    draft = BUNDLE.with_suffix(".draft")
    draft.write_text(f"(() => {{{vl_convert.javascript_bundle(NAMES)}}})();\n", encoding="utf-8")
    draft.replace(BUNDLE)


if __name__ == "__main__":
    write_bundle()
