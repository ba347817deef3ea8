"""Completes a query while it is typed: relations, columns, values, functions, keywords."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from genredb.ask.relations import Relation, Vocabulary

KEYWORDS = (
    "select from where group by order having limit offset join left right full inner outer cross lateral"
    " on using with recursive as distinct all union intersect except case when then else end and or not in"
    " is null true false between like ilike similar to exists asc desc nulls first last over partition rows"
    " range window qualify filter exclude replace columns cast try_cast pivot unpivot values describe"
    " summarize show tables interval date timestamp array struct map"
).split()
# The keywords that begin a clause are more likely than functions with the same prefix.
_CLAUSES = "select from where group order having limit join with".split()
_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<text>'(?:[^']|'')*(?:'|\Z))
    | (?P<name>"(?:[^"]|"")*(?:"|\Z)|[^\W\d]\w*)
    | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_MENTIONED = re.compile(
    r"\b(?:from|join)\s+([\w.\"]+)(?:\s+(?:as\s+)?(?!(?:where|join|left|inner|using|on)\b)(\w+))?",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"""("[^"]+"|\w+)\s*(?:=|<>|!=|\b(?:i?like|in)\b\s*\(?(?:\s*'(?:[^']|'')*'\s*,)*)\s*\Z""", re.IGNORECASE
)
_BEFORE_RELATIONS = frozenset("from join describe summarize".split())
_PLAIN_NAME = re.compile(r"[a-z_]\w*")

Values = Callable[[Relation, str], Sequence[str]]


@dataclass(frozen=True)
class Suggestion:
    """A text to replace the last ``typed`` characters with; ``meaning`` describes it."""

    text: str
    typed: int
    meaning: str


def suggest(
    before: str, after: str, vocabulary: Vocabulary, values: Values = lambda _relation, _column: ()
) -> list[Suggestion]:
    """Return the completions at the cursor, which is between ``before`` and ``after``; best first.

    ``values`` returns the values of a column, to complete a string that the column is compared with.
    """
    tokens = [found for found in _TOKEN.finditer(before) if not found["comment"]]
    if _is_open(before):
        compared = tokens and tokens[-1]["text"] and _COMPARED.search(before[: tokens[-1].start()])
        column = compared[1].strip('"') if compared else ""
        found = _mentioned(before + after, vocabulary) if column else ()
        held = (value for relation, _ in found for value in _held(relation, column, values))
        return list(_fitting_texts(dict.fromkeys(held), tokens[-1][0][1:])) if column else []
    typed = tokens.pop()[0] if tokens and tokens[-1]["name"] and tokens[-1].end() == len(before) else ""
    words = [token[0].lower() for token in tokens]
    if words and words[-1] == "." and len(words) > 1:
        return list(_fitting(_inside(words[-2].strip('"'), before + after, vocabulary), typed))
    if words and (words[-1] in _BEFORE_RELATIONS or _is_in_from_list(words)):
        return list(_fitting(_relations(vocabulary.relations, before), typed))
    return list(_fitting(_in_expression(before + after, vocabulary, typed), typed))


def _held(relation: Relation, column: str, values: Values) -> Sequence[str]:
    """Return the values of the column with this name, if the relation has one."""
    named = next((one.name for one in relation.columns if one.name.lower() == column.lower()), None)
    return () if named is None else values(relation, named)


def _fitting_texts(held: Iterable[str], typed: str) -> Iterator[Suggestion]:
    """Yield each value that begins with what was typed, with its closing quote."""
    begun = typed.lower()
    for value in held:
        text = value.replace("'", "''")
        if text.lower().startswith(begun):
            yield Suggestion(f"{text}'", len(typed), "value")


def _is_open(before: str) -> bool:
    """Return whether the cursor is inside a string or a comment."""
    *_, last = (None, *_TOKEN.finditer(before))
    if last is None or last.end() != len(before):
        return False
    if last["comment"]:
        return last[0].startswith("--") or len(last[0]) < 4 or not last[0].endswith("*/")
    return bool(last["text"]) and last[0].count("'") % 2 == 1


def _is_in_from_list(words: Sequence[str]) -> bool:
    """Return whether the last word is a comma in a FROM list."""
    if words[-1] != ",":
        return False
    clauses = [word for word in words if word in ("select", "from", "where", "by", "(", "on", "having")]
    return bool(clauses) and clauses[-1] == "from"


def _relations(relations: Iterable[Relation], before: str) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(re.findall(r"\b(\w+)\s+as\s*\(", before, re.IGNORECASE)):
        yield name, "with"
    for relation in relations:
        yield relation.asked_as, relation.description or relation.kind


def _inside(qualifier: str, text: str, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """Yield the columns of the relation or alias with this name, and the relations of such a schema."""
    for relation, alias in _mentioned(text, vocabulary):
        if qualifier in (alias, relation.name):
            yield from _columns(relation)
    for relation in vocabulary.relations:
        if relation.schema == qualifier:
            yield relation.name, relation.description or relation.kind


def _in_expression(text: str, vocabulary: Vocabulary, typed: str) -> Iterator[tuple[str, str]]:
    """Yield columns (of the relations in the query, else of all in ``main``), functions and keywords."""
    read = [relation for relation, _ in _mentioned(text, vocabulary)]
    for relation in read or [one for one in vocabulary.relations if one.schema == "main"]:
        yield from _columns(relation)
    for word in _CLAUSES:
        yield word.upper() if typed.isupper() else word, "keyword"
    for name, meaning in vocabulary.functions.items():
        yield f"{name}(", meaning or "function"
    for word in KEYWORDS:
        yield word.upper() if typed.isupper() else word, "keyword"


def _mentioned(text: str, vocabulary: Vocabulary) -> Iterator[tuple[Relation, str]]:
    """Yield the relations after FROM and JOIN with their aliases."""
    known = {f"{relation.schema}.{relation.name}": relation for relation in vocabulary.relations}
    for name, alias in _MENTIONED.findall(text):
        plain = name.replace('"', "").lower()
        relation = known.get(plain if "." in plain else f"main.{plain}")
        if relation is not None:
            yield relation, alias.lower()


def _columns(relation: Relation) -> Iterator[tuple[str, str]]:
    for column in relation.columns:
        yield column.name, f"{relation.asked_as}, {column.data_type.lower()}"


def _fitting(offered: Iterable[tuple[str, str]], typed: str) -> Iterator[Suggestion]:
    """Yield each text that begins with what was typed, without duplicates."""
    seen = set()
    for text, meaning in offered:
        if text in seen or not text.lower().startswith(typed.strip('"').lower()):
            continue
        seen.add(text)
        is_plain = all(_PLAIN_NAME.fullmatch(part) for part in text.lower().rstrip("(").split("."))
        yield Suggestion(text if is_plain else f'"{text}"', len(typed), meaning)
