"""docs/scale.md shows the figures that were measured, and no others."""

from bench.scale_figures import PAGE, written


def test_the_page_has_the_measured_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page
