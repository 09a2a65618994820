"""How a column that a query gives becomes a column of the declared dtype, without loss or not at all.

Everything here is text of SQL. Canonical columns are what the row codec takes: timestamps as BIGINT
microseconds, no -0.0. Lossless means that the value can be told from the result; a float is rounded to
float32 where that is declared, as it is when it comes as JSON.
"""

from dataclasses import dataclass

from controlplane.kernel.dtypes import Dtype

_SMALL = frozenset({"tinyint", "smallint", "integer", "utinyint", "usmallint"})
_WIDE = frozenset({"bigint", "uinteger", "ubigint", "hugeint", "uhugeint"})
_INTEGERS = _SMALL | _WIDE
_FLOATS = frozenset({"float", "double"})
_NUMBERS = _INTEGERS | _FLOATS | {"decimal"}
_TEXTS = frozenset({"varchar", "enum", "uuid"})
_INSTANTS = frozenset(
    {"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone", "date"}
    | {"timestamptz_ns"}  # what pandas writes of times with a zone
)
_NANOSECONDS = frozenset({"timestamp_ns", "timestamptz_ns"})
# What DuckDB calls each dtype once it is canonical.
SQL_TYPES = {
    Dtype.INT32: "INTEGER",
    Dtype.INT64: "BIGINT",
    Dtype.FLOAT32: "FLOAT",
    Dtype.FLOAT64: "DOUBLE",
    Dtype.BOOL: "BOOLEAN",
    Dtype.STRING: "VARCHAR",
    Dtype.BYTES: "BLOB",
    Dtype.TIMESTAMP: "BIGINT",
}
_EXACT = 2**53


class WrongType(Exception):
    """The column's type can never become the declared one."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type: ``word`` in lower case, and what a list holds."""

    word: str
    element: "ColumnType | None" = None


@dataclass(frozen=True, slots=True)
class Cast:
    """``value`` gives the canonical value; ``loses`` is true where it cannot, None when it always can."""

    value: str
    loses: str | None = None


def cast_column(column: str, given: ColumnType, wanted: Dtype) -> Cast:
    """Return the cast of the quoted ``column``; ``WrongType`` when there is none."""
    if not wanted.is_list:
        return _cast_scalar(column, given, wanted)
    if given.element is None:
        raise WrongType(f"{given.word} is no list")
    item = _cast_scalar("x", given.element, wanted.element)
    wanted_sql = f"{SQL_TYPES[wanted.element]}[]"
    value = f"CAST(list_transform({column}, lambda x: {item.value}) AS {wanted_sql})"
    bad_item = f"x IS NULL OR {item.loses}" if item.loses else "x IS NULL"
    loses = f"(coalesce(len(list_filter({column}, lambda x: {bad_item})), 0) > 0)"
    return Cast(value, loses)


def instant_us(column: str, given: ColumnType) -> Cast:
    """Return the cast of an event-time column to microseconds since 1970."""
    return _cast_scalar(column, given, Dtype.TIMESTAMP)


def _cast_scalar(column: str, given: ColumnType, wanted: Dtype) -> Cast:
    # An untyped NULL column is a column of nulls of any type.
    if given.word in ('"null"', "null"):
        return Cast(f"CAST(NULL AS {SQL_TYPES[wanted]})")
    if wanted in (Dtype.INT32, Dtype.INT64) and given.word in _NUMBERS:
        return _cast_integer(column, given, SQL_TYPES[wanted])
    if wanted is Dtype.FLOAT64 and given.word in _NUMBERS:
        return _cast_float(column, given, "DOUBLE", exact=_EXACT)
    if wanted is Dtype.FLOAT32 and given.word in _NUMBERS:
        return _cast_float(column, given, "FLOAT", exact=2**24)
    if wanted is Dtype.BOOL and given.word == "boolean":
        return Cast(column)
    if wanted is Dtype.STRING and given.word in _TEXTS:
        return Cast(f"CAST({column} AS VARCHAR)")
    if wanted is Dtype.BYTES and given.word == "blob":
        return Cast(column)
    if wanted is Dtype.TIMESTAMP and given.word in _INSTANTS:
        return _cast_instant(column, given)
    raise WrongType(f"{given.word} cannot become {wanted}")


def _cast_integer(column: str, given: ColumnType, wanted_sql: str) -> Cast:
    if given.word in _SMALL or (given.word in ("bigint", "uinteger") and wanted_sql == "BIGINT"):
        return Cast(f"CAST({column} AS {wanted_sql})")
    value = f"TRY_CAST({column} AS {wanted_sql})"
    # A cast rounds a fraction away: only a value that comes back the same was one.
    return Cast(value, f"({column} IS NOT NULL AND ({value} IS NULL OR {value} <> {column}))")


def _cast_float(column: str, given: ColumnType, wanted_sql: str, *, exact: int) -> Cast:
    cast = f"TRY_CAST({column} AS {wanted_sql})"
    value = f"(CASE WHEN {cast} = 0 THEN CAST(0 AS {wanted_sql}) ELSE {cast} END)"
    if given.word in _INTEGERS:
        if given.word in _SMALL and (wanted_sql == "DOUBLE" or given.word != "integer"):
            return Cast(value)
        outside = f"{column} NOT BETWEEN -{exact} AND {exact}"
        unsigned = f"{column} > {exact}"
        return Cast(value, f"coalesce({unsigned if given.word.startswith('u') else outside}, false)")
    overflow = f"({cast} IS NULL OR (isinf({cast}) AND NOT isinf(CAST({column} AS DOUBLE))))"
    return Cast(value, f"({column} IS NOT NULL AND {overflow})" if wanted_sql == "FLOAT" else None)


def _cast_instant(column: str, given: ColumnType) -> Cast:
    # DuckDB asks times of nanoseconds with a zone for nothing but their nanoseconds.
    instant = f"CAST({column} AS TIMESTAMPTZ)" if given.word == "timestamptz_ns" else column
    value = f"(CASE WHEN isfinite({instant}) THEN epoch_us({instant}) END)"
    loses = f"({column} IS NOT NULL AND NOT isfinite({instant}))"
    if given.word in _NANOSECONDS:
        loses = f"({loses} OR coalesce(epoch_ns({column}) % 1000 <> 0, false))"
    return Cast(value, loses)
