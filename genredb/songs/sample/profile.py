"""Statistics that shape the synthetic sample: summaries of the competition's data, but none of its songs.

All describe the eleven audio columns, in the order of ``COLUMNS``.
"""

from dataclasses import dataclass

COLUMNS = ("year", "bpm", "nrgy", "dnce", "db", "live", "val", "dur", "acous", "spch", "pop")


@dataclass(frozen=True)
class GroupProfile:
    """A group of genres: the mean of each column's normal score, and each genre's number of songs."""

    means: tuple[float, ...]
    genres: dict[str, int]


# Each column's value at these normal scores, which gives the shape of its distribution.
SCORES = (-2.6, -1.8, -1.2, -0.8, -0.4, 0.0, 0.4, 0.8, 1.2, 1.8, 2.6)
VALUES = {
    "year": (1957, 1963, 1969, 1974, 1983, 1993, 2001, 2008, 2010, 2017, 2019),
    "bpm": (64, 78, 87, 97, 108, 120, 128, 136, 147, 170, 194),
    "nrgy": (7, 18, 31, 42, 51, 64, 72, 81, 87, 94, 98),
    "dnce": (20, 31, 41, 48, 53, 62, 67, 72, 77, 86, 95),
    "db": (-19, -16, -13, -11, -10, -8, -7, -6, -5, -4, -2),
    "live": (3, 5, 7, 8, 10, 13, 17, 25, 32, 53, 73),
    "val": (7, 14, 25, 39, 50, 61, 73, 83, 91, 96, 97),
    "dur": (108, 130, 150, 176, 202, 224, 246, 273, 296, 354, 455),
    "acous": (0, 0, 2, 5, 11, 23, 39, 61, 76, 91, 98),
    "spch": (2, 3, 3, 3, 3, 4, 5, 6, 9, 18, 37),
    "pop": (30, 35, 43, 52, 58, 64, 68, 73, 76, 79, 83),
}

# Correlations of the normal scores, below the diagonal: row i holds those with columns 0 … i - 1. They are
# chosen so that the values, after rounding and shaping as above, correlate like the competition's.
CORRELATIONS: tuple[tuple[float, ...], ...] = (
    (),
    (-0.04,),
    (0.17, 0.22),
    (0.26, -0.01, 0.35),
    (0.33, 0.1, 0.69, 0.26),
    (-0.02, 0.03, 0.11, -0.11, 0.09),
    (-0.01, 0.16, 0.42, 0.48, 0.15, 0.07),
    (0.0, 0.02, 0.16, 0.11, 0.1, -0.11, -0.16),
    (-0.18, -0.23, -0.68, -0.41, -0.47, -0.04, -0.26, -0.28),
    (0.27, 0.07, 0.29, 0.28, 0.31, 0.11, 0.13, 0.08, -0.31),
    (0.01, 0.04, 0.27, 0.26, 0.31, -0.03, -0.05, 0.34, -0.45, 0.16),
)

GROUPS = {
    "rock": GroupProfile(
        means=(-0.33, 0.13, 0.14, -0.21, -0.02, 0.01, 0.03, 0.19, -0.18, -0.23, 0.32),
        genres={
            "album rock": 66,
            "glam rock": 16,
            "dance rock": 13,
            "british invasion": 8,
            "art rock": 7,
            "soft rock": 5,
            "alternative metal": 2,
            "blues rock": 2,
            "celtic rock": 2,
            "classic rock": 2,
            "country rock": 2,
            "glam metal": 2,
            "merseybeat": 2,
            "permanent wave": 2,
            "alternative rock": 1,
            "australian rock": 1,
            "german alternative rock": 1,
            "glam punk": 1,
            "mellow gold": 1,
            "rock-and-roll": 1,
        },
    ),
    "pop": GroupProfile(
        means=(0.4, 0.05, 0.16, 0.29, 0.32, -0.01, 0.02, 0.09, -0.2, 0.0, 0.12),
        genres={
            "dance pop": 61,
            "brill building pop": 16,
            "europop": 14,
            "boy band": 10,
            "barbadian pop": 6,
            "pop": 5,
            "classic uk pop": 4,
            "new wave pop": 3,
            "art pop": 2,
            "belgian pop": 2,
            "canadian pop": 2,
            "australian talent show": 1,
            "baroque pop": 1,
            "bow pop": 1,
            "britpop": 1,
            "bubblegum pop": 1,
            "classic danish pop": 1,
            "classic girl group": 1,
            "hip pop": 1,
            "italian pop": 1,
            "neo mellow": 1,
        },
    ),
    "adult standards": GroupProfile(
        means=(-0.3, -0.31, -0.83, -0.63, -0.52, 0.09, -0.21, -0.82, 0.82, -0.23, -0.62),
        genres={
            "adult standards": 68,
            "deep adult standards": 6,
            "british dance band": 1,
        },
    ),
    "dance & electronic": GroupProfile(
        means=(0.5, 0.45, 1.05, 0.74, -0.0, -0.49, 0.22, 0.23, -0.9, 0.33, -0.06),
        genres={
            "bubblegum dance": 7,
            "eurodance": 6,
            "disco house": 3,
            "big room": 2,
            "belgian dance": 1,
            "bubble trance": 1,
            "deep house": 1,
            "german dance": 1,
            "hi-nrg": 1,
            "uk garage": 1,
        },
    ),
    "hip hop": GroupProfile(
        means=(0.56, -0.11, 0.42, 0.95, 1.07, 0.14, -0.14, 0.74, -0.62, 1.55, 0.66),
        genres={
            "atl hip hop": 6,
            "east coast hip hop": 4,
            "g funk": 3,
            "bronx hip hop": 2,
            "chicago rap": 2,
            "detroit hip hop": 2,
            "hip hop": 2,
        },
    ),
    "soul & r&b": GroupProfile(
        means=(-0.04, -0.07, -0.13, -0.1, -0.18, 0.14, 0.13, -0.08, 0.53, 0.4, -0.28),
        genres={
            "british soul": 5,
            "classic soul": 5,
            "doo-wop": 4,
            "chicago soul": 2,
            "r&b": 1,
        },
    ),
    "disco & funk": GroupProfile(
        means=(0.4, -0.05, 0.91, 0.52, 0.09, -0.02, 0.76, -0.18, -0.35, 0.44, -0.25),
        genres={
            "disco": 7,
            "brit funk": 1,
        },
    ),
    "folk & country": GroupProfile(
        means=(-0.26, -0.37, -1.2, -0.24, -1.13, 0.18, -0.27, -0.4, 0.87, -1.02, -0.7),
        genres={
            "british folk": 2,
            "american folk revival": 1,
            "canadian folk": 1,
            "country": 1,
            "drone folk": 1,
            "yodeling": 1,
        },
    ),
    "jazz & blues": GroupProfile(
        means=(-1.04, -0.53, -1.17, -0.4, -1.55, -0.13, -0.42, 1.19, 1.37, 0.44, -1.23),
        genres={
            "bebop": 2,
            "acoustic blues": 1,
            "avant-garde jazz": 1,
            "blues": 1,
            "british blues": 1,
            "louisiana blues": 1,
        },
    ),
    "world & other": GroupProfile(
        means=(-0.56, -0.28, -0.01, 0.22, -0.4, -0.13, 0.5, -0.16, 0.48, 0.16, -0.79),
        genres={
            "chanson": 2,
            "afrobeat": 1,
            "afropop": 1,
            "boogaloo": 1,
            "british comedy": 1,
            "latin": 1,
        },
    ),
}
