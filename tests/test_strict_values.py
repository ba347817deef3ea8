"""The cheap ways of the loader accept what the thorough ones accept: digits, unique keys, digests."""

import os
from itertools import product
from pathlib import Path

import pytest

from genredb.warehouse.database import open_memory
from genredb.warehouse.declared import Column
from genredb.warehouse.rawfile import file_digest
from genredb.warehouse.unique_key import is_unique
from genredb.warehouse.values import INTEGERS, Field, has_only_digits

TEXTS = ["".join(letters) for length in range(6) for letters in product("+-059", repeat=length)]
ODD = [
    "1e3",
    "1_0",
    "0x1F",
    "0b1",
    "1.0",
    "1.5",
    ".5",
    "5.",
    " 5",
    "5 ",
    "\t5",
    "\v5",
    "٣",
    "5-",
    "99999999999",
]


@pytest.mark.parametrize("data_type", sorted(INTEGERS))
def test_only_digits_are_converted_as_any_text(data_type: str) -> None:
    column = Column("n", data_type=data_type)
    quick, thorough = Field(column, "text", is_digits="is_digits"), Field(column, "text")
    with open_memory() as connection:
        connection.execute(
            "create table texts as select unnest(?::varchar[]) as text", [[*TEXTS, *ODD, None]]
        )
        differing = connection.rows(
            f"""
            select text, {quick.converted()}, {thorough.converted()}
            from (select *, {has_only_digits([quick])} as is_digits from texts)
            where {quick.converted()} is distinct from {thorough.converted()}
            """
        )
    assert differing == []


@pytest.mark.parametrize("odd", ODD)
def test_one_odd_integer_of_a_row_is_not_taken_for_digits(odd: str) -> None:
    fields = [Field(Column(name, data_type="integer"), name) for name in ("a", "b")]
    fields.append(Field(Column("t"), "t"))
    with open_memory() as connection:
        sql = f"select {has_only_digits(fields)} from (select ? as a, ? as b, 'text' as t)"
        assert connection.rows(sql, ["12", "-7"]) == [(True,)]
        assert connection.rows(sql, ["12", None]) == [(True,)]
        assert connection.rows(sql, ["12", odd])[0][0] == set(odd).issubset("-+0123456789")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("1, 2, 3", True),
        ("1, 2, 2", False),
        ("-5, 0, 5, null, null", True),
        ("-5, 0, -5, null", False),
        ("1, 9000000000000000000", True),
        ("-9000000000000000000, 9000000000000000000, 9000000000000000000", False),
        ("null::integer", True),
        ("1.5, 1.5", False),
        ("'a', 'b', 'a'", False),
        ("'a', 'b'", True),
        ("true, false", True),
        ("date '2024-01-01', date '2024-01-01'", False),
    ],
)
def test_a_key_is_unique_if_no_value_occurs_twice(values: str, *, expected: bool) -> None:
    with open_memory() as connection:
        connection.execute(f"create table rows_ as select unnest([{values}]) as id")
        assert is_unique(connection, "rows_", "id") is expected


def test_a_digest_is_kept_only_while_the_file_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "things.csv"
    path.write_text("one")
    fresh = file_digest(path)
    status = path.stat()
    path.write_text("two")  # of the same size, and soon after
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    changed = file_digest(path)
    assert changed != fresh
    monkeypatch.setattr("genredb.warehouse.rawfile._SETTLED_NS", -(10**18))
    assert file_digest(path) == changed
    monkeypatch.setattr("genredb.warehouse.rawfile.file_digests", lambda *_: ("read again", None))
    assert file_digest(path) == changed
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file_digest(path) == "read again"
