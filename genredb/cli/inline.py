"""Shows pictures in terminals that have graphics: kitty's protocol or sixel."""

import io
import os
import sys
from collections.abc import Callable


def show_inline(png: Callable[[], bytes]) -> bool:
    """Show a picture in the terminal; False if it has no graphics, or the extra `plot` is not installed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        return False
    try:
        from PIL import Image
        from textual_image.renderable import sixel, tgp
    except ImportError:
        return False
    for protocol in (sixel, tgp):  # kitty has no sixel; others have a partial tgp
        if protocol.query_terminal_support():
            from rich.console import Console

            with Image.open(io.BytesIO(png())) as picture:
                Console().print(protocol.Image(picture, width="auto"))
            return True
    return False
