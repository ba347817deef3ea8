"""The survey counts records by whole chunks; byte by byte it counts the same."""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from genredb.warehouse.csvfile import _Tally

PARTS = st.sampled_from([
    b'"', b",", b"\n", b"\r", b"a", b"\r\n", b'""', b'",\n', b'"a,b"', b"x" * 40, b'"x"', b'\n"', b'"\n',
    b"y" * 300, b'"a\n\nb"', b"1,2\n", b'1,"2"\n', b'"1","2"\n',
])  # fmt: skip


@example(parts=[b'"x"', b"y" * 300, b"\n"], cuts={3}, fields=1)
@example(parts=[b"y" * 300, b'"x"', b"\n"], cuts={300}, fields=1)
@settings(max_examples=300)
@given(parts=st.lists(PARTS, max_size=40), cuts=st.sets(st.integers(0, 400)), fields=st.integers(1, 3))
def test_records_are_counted_in_any_chunks(parts: list[bytes], cuts: set[int], fields: int) -> None:
    content = b"".join(parts)
    chunks = [content[start:end] for start, end in pairwise([0, *sorted(cuts), len(content)]) if start < end]
    assert _tally(chunks).records(fields) == _tally([bytes([one]) for one in content]).records(fields)


def _tally(chunks: Iterable[bytes]) -> _Tally:
    tally = _Tally(b",")
    for chunk in chunks:
        tally.add(chunk)
    return tally
