"""A column of a relation, as templates see it."""

_STRINGS = ("varchar", "text", "string", "char", "character", "character varying", "bpchar")
_FLOATS = ("real", "float", "float4", "float8", "double", "double precision")
_INTEGERS = ("tinyint", "smallint", "integer", "int", "bigint", "hugeint")
_ALL_INTEGERS = (
    *_INTEGERS,
    *(f"u{name}" for name in _INTEGERS),
    "int1",
    "int2",
    "int4",
    "int8",
    "long",
    "short",
)
_STRING_SIZE = 256  # dbt's, since DuckDB has no limits


class ColumnOf:
    """A column of a relation, as returned by ``adapter.get_columns_in_relation``."""

    def __init__(self, name: str, dtype: str) -> None:
        self.name = self.column = name
        self.dtype = self.data_type = dtype
        self.quoted = f'"{name}"'
        self.char_size = self.numeric_precision = self.numeric_scale = None  # `dtype` has them

    def is_string(self) -> bool:
        """Return True if its type is text."""
        return self._type in _STRINGS

    def is_number(self) -> bool:
        """Return True if its type is numeric."""
        return self.is_integer() or self.is_float() or self.is_numeric()

    def is_integer(self) -> bool:
        """Return True if its type is of whole numbers."""
        return self._type in _ALL_INTEGERS

    def is_float(self) -> bool:
        """Return True if its type is of floating-point numbers."""
        return self._type in _FLOATS

    def is_numeric(self) -> bool:
        """Return True if its type is of numbers with a fixed number of decimals."""
        return self._type in ("numeric", "decimal")

    def string_size(self) -> int:
        """Return the same size for all texts: DuckDB has no limits."""
        return _STRING_SIZE

    def can_expand_to(self, other_column: "ColumnOf") -> bool:
        """Return False: no text type is larger than another one."""
        return False

    def literal(self, value: object) -> str:
        """Return SQL that casts a value to its type."""
        return f"{value}::{self.data_type}"

    def __repr__(self) -> str:
        return f"<Column {self.name} ({self.dtype})>"

    @property
    def _type(self) -> str:
        """Its type in lower case, without a size."""
        return self.dtype.lower().split("(")[0].strip()

    @staticmethod
    def create(name: str, label_or_dtype: str) -> "ColumnOf":
        """Return a column with this name and type."""
        return ColumnOf(name, ColumnOf.translate_type(label_or_dtype))

    @staticmethod
    def translate_type(dtype: str) -> str:
        """Return DuckDB's name for a type."""
        return "TEXT" if dtype.upper() == "STRING" else dtype
