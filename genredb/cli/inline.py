"""Shows pictures in terminals that have graphics: sixel or kitty's protocol."""

import io
import os
import sys
from collections.abc import Callable


def show_inline(png: Callable[[], bytes]) -> bool:
    """Show a picture in the terminal; False if it has no graphics, or the extra `plot` is not installed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        return False
    try:
        from PIL import Image as Picture
        from textual_image.renderable import Image, SixelImage, TGPImage  # asks the terminal
    except ImportError:
        return False
    if Image not in (SixelImage, TGPImage):
        return False
    from rich.console import Console

    with Picture.open(io.BytesIO(png())) as picture:
        Console().print(Image(picture, width="auto"))
    return True
