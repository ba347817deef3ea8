"""What the shell suggests while a query is typed."""

import pytest

from genredb.ask.completion import KEYWORDS, suggest
from genredb.ask.relations import Relation, Vocabulary, read_values, read_vocabulary
from genredb.runner.project.config import Config
from genredb.warehouse.declared import Column


def relation(schema: str, name: str, *columns: str) -> Relation:
    return Relation(schema, name, "table", "", tuple(Column(one, data_type="VARCHAR") for one in columns))


VOCABULARY = Vocabulary(
    [
        relation("main", "songs", "title", "year", "Top Genre"),
        relation("main", "artists", "artist", "songs"),
        relation("features", "train", "title", "tempo"),
    ],
    {"lower": "Lower case.", "length": "", "from_base64": ""},
)


def texts(before: str, after: str = "") -> list[str]:
    return [one.text for one in suggest(before, after, VOCABULARY)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Relations behind FROM and the like, with their schemas; CTEs first.
        ("select * from ", "", ["songs", "artists", "features.train"]),
        ("select * from so", "", ["songs"]),
        ("SELECT * FROM songs s JOIN art", "", ["artists"]),
        ("select * from songs, a", "", ["artists"]),
        ("describe fea", "", ["features.train"]),
        ("select * from features.t", "", ["train"]),
        ("with old as (select 1) select * from o", "", ["old"]),
        ("select (select 1 from so", "", ["songs"]),
        # Columns of what is read, also where that comes behind the cursor; an alias stands for its relation.
        ("select tit", " from songs", ["title"]),
        ("select s.", " from songs s", ["title", "year", '"Top Genre"']),
        ("select s.y", " from songs as s where s.year > 1990", ["year"]),
        ("select songs.t", " from songs", ["title", '"Top Genre"']),
        ("select * from features.train where te", "", ["tempo"]),
        ("select * from artists where ye", "", []),
        # Of nothing yet, all columns of main; functions open a bracket; keywords are as they were begun.
        ("select arti", "", ["artist"]),
        ("select le", " from artists", ["length(", "left"]),
        ("select LE", " from artists", ["length(", "LEFT"]),
        ("sel", "", ["select"]),
        ("select title fr", "", ["from", "from_base64("]),
        # Nothing inside texts, comments and numbers.
        ("select 'ti", " from songs", []),
        ("select 'it''s ti", " from songs", []),
        ("select 1 -- ti", "\nfrom songs", []),
        ("select /* ti", "", []),
        ("select 'a' /* x */, tit", " from songs", ["title"]),
        ("select 1.", " from songs", []),
    ],
)
def test_what_is_suggested(before: str, after: str, expected: list[str]) -> None:
    assert texts(before, after) == expected


def test_a_suggestion_takes_the_place_of_what_was_typed() -> None:
    (found,) = suggest("select s.ti", " from songs s", VOCABULARY)
    assert (found.text, found.typed, found.meaning) == ("title", 2, "songs, varchar")
    (found,) = suggest("select * from songs where lo", "", VOCABULARY)
    assert (found.text, found.typed, found.meaning) == ("lower(", 2, "Lower case.")


def test_all_keywords_are_offered_once() -> None:
    offered = texts("")
    assert len(offered) == len(set(offered))
    assert set(KEYWORDS) <= set(offered)


def test_the_vocabulary_is_that_of_the_database(predicted: Config) -> None:
    found = read_vocabulary(predicted)
    names = [one.asked_as for one in found.relations]
    assert names.index("songs") < names.index("features.train") < names.index("raw.songs_train")
    songs = found.relations[names.index("songs")]
    assert songs.description.startswith("One row per song row of any source")
    assert {column.name: column.description for column in songs.columns}["bpm"]
    assert {"predict_genre", "lower", "count", "read_csv"} <= found.functions.keys()
    assert all(one.description for one in found.relations)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("select * from songs where title = '", "", ["It''s'", "Song'", "song two'"]),
        ("select * from songs where title = 'so", "", ["Song'", "song two'"]),
        ("select * from songs where title like 'IT", "", ["It''s'"]),
        ("select * from songs as s where s.title = 'it''", "", ["It''s'"]),
        ("select * from songs where title in ('Song', 'i", "", ["It''s'"]),
        ("select * from songs where title <> 'i", " and year > 3", ["It''s'"]),
        ("select * from artists where title = 's", "", []),
        ("select * from songs where title || 's", "", []),
        ("select 's", " from songs", []),
    ],
)
def test_values_of_a_column_are_offered_where_it_is_compared(
    before: str, after: str, expected: list[str]
) -> None:
    def values(_relation: Relation, column: str) -> list[str]:
        return ["It's", "Song", "song two"] if column == "title" else []

    found = suggest(before, after, VOCABULARY, values)
    assert [one.text for one in found] == expected
    assert all(before.endswith(before[len(before) - one.typed :]) for one in found)


def test_values_are_read_of_text_columns_the_most_frequent_first(predicted: Config) -> None:
    songs = next(one for one in read_vocabulary(predicted).relations if one.asked_as == "songs")
    assert read_values(predicted, songs, "genre") == ["pop", "album rock", "disco"]
    assert read_values(predicted, songs, "year") == []
