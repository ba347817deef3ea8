"""Made-up artists and titles, and text as it looks after a wrong decoding."""

import numpy as np
import numpy.typing as npt

CUE_SHARE = 0.18

_ADJECTIVES = """
    Amber Brave Copper Crimson Café Distant Électric Electric Fading Gentle Golden Hollow Ivory
    Jaded Lonely Lunar Midnight Naïve Northern Paper Quiet Rosé Rusty Scarlet Señor Silent Silver
    Southern Stolen Über Velvet Wild
""".split()
_NOUNS = """
    Arrows Bandits Cañons Comets Cousins Drifters Embers Falcons Foxes Gardens Harbours Hounds
    Islands Jesters Lanterns Mirrors Noëls Orchards Pilots Pioneers Ravens Rivers Sailors Shadows
    Signals Sparrows Strangers Tides Travellers Voices Willows Wolves
""".split()
_TITLE_OPENINGS = """
    Waiting for | Dancing in | Running from | Dreaming of | Lost in | Back to | Never Leave |
    Goodbye to | Under | Take Me to | Letters from | Falling for | Somewhere in | Hold on to | No
    More | Adiós, | Always | Too Late for | Calling | One Night in
"""
_TITLE_ENDINGS = """
    the Rain | Tomorrow | You | the City | My Heart | Paradise | the Sun | Yesterday | Summer | the
    Radio | Café Noir | Winter | the River | Love | Señorita | Home | the Moon | "Delight" |
    Silence, Please | Heaven | the Highway | Déjà Vu | Morning | the Crowd
"""
_OPENINGS = [" ".join(part.split()) for part in _TITLE_OPENINGS.split("|")]
_ENDINGS = [" ".join(part.split()) for part in _TITLE_ENDINGS.split("|")]
_CUES = (
    " - Remastered",
    " - Remastered {year}",
    " - {year} Remaster",
    " - Radio Edit",
    " - Single Version",
    " - {year} Mix",
    " - Extended Mix",
)


def artist_name(number: int) -> str:
    """Return an artist's name; no two numbers share a name."""
    number, adjective = divmod(number, len(_ADJECTIVES))
    number, noun = divmod(number, len(_NOUNS))
    name = f"{_ADJECTIVES[adjective]} {_NOUNS[noun]}"
    if number % 3 == 0:
        name = f"The {name}"
    elif number % 3 == 1:
        name = f"{name} & Friends"
    number //= 3
    while number:
        number, more = divmod(number, len(_NOUNS))
        name = f"{name} of {_NOUNS[more]}" if number == 0 else f"{name} {_NOUNS[more]}"
    return name


def song_title(draws: npt.NDArray[np.float64], year: int) -> str:
    """Compose a title from three random numbers in [0, 1); some contain a remaster or mix cue."""
    opening = _OPENINGS[int(draws[0] * len(_OPENINGS))]
    title = f"{opening} {_ENDINGS[int(draws[1] * len(_ENDINGS))]}"
    if draws[2] < CUE_SHARE:
        title += _CUES[int(draws[2] / CUE_SHARE * len(_CUES))].format(year=year)
    return title


def mojibake(text: str) -> str:
    """Return the text as it looks when its UTF-8 is read as cp1252."""
    return "".join(_CP1252[byte] for byte in text.encode())


_CP1252 = [bytes([byte]).decode("cp1252", "replace") for byte in range(256)]
_CP1252 = [chr(byte) if character == "\ufffd" else character for byte, character in enumerate(_CP1252)]
