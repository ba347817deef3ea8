"""Small pictures in a line of text or a cell of a table, as SVG; their colours are classes of the styles."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

_MOST = 2.5  # standard deviations that a bar shows; longer ones end there


def deviation(value: float | None) -> Markup:
    """Return a bar to the left or right of the middle: a deviation in standard deviations."""
    if value is None:
        return Markup("")
    length = round(min(abs(value), _MOST) * 24, 1)
    start, kind = (60, "more") if value >= 0 else (60 - length, "less")
    return Markup(
        '<svg class="deviation" aria-hidden="true"><rect class="{}" x="{:g}" width="{:g}" height="8"/></svg>'
    ).format(kind, start, length)


def strip(values: Iterable[float | None]) -> Markup:
    """Return deviations side by side, each a bar up or down."""
    paths = {"more": "", "less": ""}
    known = list(values)
    for place, value in enumerate(known):
        if value:
            height = round(max(-_MOST, min(value, _MOST)) * 4, 1)
            paths["more" if value > 0 else "less"] += f"M{place * 7} 10v{-height:g}h5v{height:g}z"
    return Markup(
        '<svg class="strip" viewBox="0 0 {0} 20" width="{0}" height="20" aria-hidden="true">'
        '<path class="axis" d="M0 10h{0}"/><path class="more" d="{1}"/><path class="less" d="{2}"/></svg>'
    ).format(max(len(known), 1) * 7, paths["more"], paths["less"])


def share(value: float, most: float = 1.0, kind: str = "bar", error: float | None = None) -> Markup:
    """Return a bar as long as a value's share of the largest one; ``error`` is drawn to both sides."""
    width, spread = (round(100 * min(one / most, 1), 1) for one in (value, error or 0))
    whisker = Markup('<rect class="error" x="{:g}" y="5" width="{:g}" height="2"/>')
    return Markup(
        '<svg class="share" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="{}" width="{:g}" height="12"/>{}</svg>'
    ).format(kind, width, whisker.format(width - spread, 2 * spread) if error else "")


def stacked(parts: Sequence[tuple[int, str]]) -> Markup:
    """Return counts side by side as parts of one bar."""
    total, start, found = sum(count for count, _ in parts), 0.0, Markup("")
    for count, kind in parts:
        if count:
            width = 100 * count / total
            found += Markup('<rect class="{}" x="{:.4g}" width="{:.4g}" height="12"/>').format(
                kind, start, width
            )
            start += width
    return Markup(
        '<svg class="share" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(found)


def line(values: Sequence[float]) -> Markup:
    """Return values over time as a line, from the oldest to the newest; nothing for fewer than two."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = 90 / (len(values) - 1)
    points = [
        f"{5 + place * step:.1f},{15 - 10 * (one - low) / span if high > low else 10:.1f}"
        for place, one in enumerate(values)
    ]
    end = points[-1].split(",")
    return Markup(
        '<svg class="line" viewBox="0 0 100 20" width="100" height="20" aria-hidden="true">'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2.5"/></svg>'
    ).format(" ".join(points), *end)
