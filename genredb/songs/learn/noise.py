"""Decides whether a difference between classifiers could be chance."""

import math
from collections.abc import Mapping

SIGNIFICANCE = 0.05


def are_noise(differences: Mapping[str, tuple[float, float]]) -> dict[str, bool]:
    """Return whether each difference, given with its error, is noise: Holm's test at 5 % over all."""
    chances = {name: _chance(*difference) for name, difference in differences.items()}
    verdicts: dict[str, bool] = {}
    for place, name in enumerate(sorted(chances, key=chances.__getitem__)):
        # Once one is noise, so are all less significant ones.
        verdicts[name] = any(verdicts.values()) or chances[name] * (len(chances) - place) > SIGNIFICANCE
    return verdicts


def _chance(difference: float, error: float) -> float:
    """Return the two-sided p-value of a difference, by the normal distribution."""
    if not difference or not error:
        return 0.0 if difference else 1.0
    return math.erfc(abs(difference) / error / math.sqrt(2))
