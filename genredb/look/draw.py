"""Draws Vega-Lite specifications: as SVG and PNG by vl-convert, as JSON without it."""

from collections.abc import Callable, Mapping
from typing import Any

from genredb.errors import UsageError
from genredb.values import json_text

PIXELS_PER_POINT = 2.0  # of a PNG, for sharp text on any screen


def _json(spec: Mapping[str, Any]) -> bytes:
    return f"{json_text(spec, indent=1)}\n".encode()


def _svg(spec: Mapping[str, Any]) -> bytes:
    text: str = _converter().vegalite_to_svg(json_text(spec))
    return text.encode()


def _png(spec: Mapping[str, Any]) -> bytes:
    found: bytes = _converter().vegalite_to_png(json_text(spec), scale=PIXELS_PER_POINT)
    return found


def _converter() -> Any:
    try:
        import vl_convert  # noqa: PLC0415 - an extra, and large
    except ImportError:
        raise UsageError(
            "vl-convert, which draws pictures, is not installed",
            cure="run `pip install 'genredb[plot]'`, or write the specification with -o FILE.json",
        ) from None
    return vl_convert


# What a plot can be written as, by the file's suffix.
DRAWN: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {"svg": _svg, "png": _png, "json": _json}
