"""The filters of the templates: how values, SQL and names are shown."""

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from genredb.values import json_text

_STYLED = frozenset("k kr kt ow c1 cm s1 s2 ss mi mf".split())  # the tokens of .code in site.css


def text(value: object) -> Markup:
    """Return a text of the data, isolated, so that its direction does not turn around what follows it."""
    return Markup(f"<bdi>{escape('' if value is None else value)}</bdi>")


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands separators, a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def counted(value: int, one: str, many: str = "") -> str:
    """Return a number of things, such as ``1 check`` or ``2 checks``."""
    return f"{value:,} {one if value == 1 else many or f'{one}s'}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as a percentage."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def moment(value: datetime) -> str:
    """Return a time to the second, in UTC."""
    return f"{value:%Y-%m-%d %H:%M:%S} UTC"


def as_json(value: Any) -> Markup:
    """Return a value as JSON for a script element that holds data; it cannot end that element."""
    found = json_text(value)
    for character in "<>&'\u2028\u2029":
        found = found.replace(character, f"\\u{ord(character):04x}")
    return Markup(found)


def sql(value: str) -> Markup:
    """Return SQL with its syntax highlighted; other tokens than the style sheet knows stay plain."""
    from pygments.token import STANDARD_TYPES  # noqa: PLC0415 - few pages need it

    found = []
    for kind, part in _lexer().get_tokens(value):
        name, shown = STANDARD_TYPES.get(kind, ""), escape(part)
        found.append(f'<span class="{name}">{shown}</span>' if name in _STYLED else shown)
    return Markup(f'<pre class="code" tabindex="0"><code>{"".join(found)}</code></pre>')


@functools.cache
def _lexer() -> Any:
    from pygments.lexers import SqlLexer  # noqa: PLC0415

    return SqlLexer()


def slug(name: str) -> str:
    """Return a name for an address: lower case, ASCII, at most 60 characters; it may be empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")


def slugs(names: Any) -> dict[str, str]:
    """Return an address for each name, numbered where two would be the same."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = slug(name) or "other"
        own, count = base, 1
        while own in taken:
            count += 1
            own = f"{base}-{count}"
        taken.add(own)
        found[name] = own
    return found


FILTERS: Mapping[str, Callable[..., Any]] = {
    "text": text,
    "number": number,
    "counted": counted,
    "percent": percent,
    "moment": moment,
    "as_json": as_json,
    "sql": sql,
}
