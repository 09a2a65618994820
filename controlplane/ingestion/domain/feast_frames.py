"""Data frames as Feast's clients send them, in columns, made into rows of a view.

Feast differs from our own rows in three things: the event time has a name of its own and no zone (it is UTC),
whole numbers for timestamps are seconds, and columns that a view does not have are passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controlplane.contracts.model import Feature, JoinKey
from controlplane.ingestion.domain.rows import EVENT_TIME
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import FieldError, Refused

# What Feast's own client calls the column, whatever the view's source calls it.
FEAST_EVENT_TIME = "event_timestamp"
_MICROSECONDS = 1_000_000
_SHOWN = 20
Column = Sequence[object]


@dataclass(frozen=True, slots=True)
class Frame:
    """Columns of the same length, by name."""

    columns: Mapping[str, Column]
    length: int


def read_frame(raw: Mapping[str, object]) -> Frame:
    """Return the frame that ``{column: [values]}`` says; ``Refused`` when it is uneven, or no lists."""
    columns: dict[str, Column] = {}
    for name, values in raw.items():
        if not isinstance(values, list):
            raise _wrong(f"df.{name}", f"column {name!r} is no list of values")
        columns[name] = values
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in list(lengths.items())[:_SHOWN])
        raise _wrong("df", f"all columns must be of the same length; they are: {told}")
    return Frame(columns, next(iter(lengths.values()), 0))


def rows_of(
    frame: Frame, *, join_keys: Sequence[JoinKey], features: Sequence[Feature], event_time: str | None
) -> list[dict[str, object]]:
    """Return the frame's rows as the direct lane takes them. ``event_time``: the source's name for it.

    An absent column is refused, as Feast does: a row is whole, and an absent feature would become null.
    """
    time = _time_column(frame, event_time)
    wanted = [*(key.name for key in join_keys), *(feature.name for feature in features)]
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        raise _wrong("df", f"columns are absent: {', '.join(absent[:_SHOWN])}")
    stamps = {feature.name for feature in features if feature.dtype.element is Dtype.TIMESTAMP}
    columns = {
        name: [_in_microseconds(value) for value in frame.columns[name]]
        if name in stamps
        else frame.columns[name]
        for name in wanted
    }
    columns[EVENT_TIME] = time
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _time_column(frame: Frame, declared: str | None) -> Column:
    for name in (declared, FEAST_EVENT_TIME):
        if name is not None and name in frame.columns:
            for index, value in enumerate(frame.columns[name]):
                if not isinstance(value, str):
                    raise _wrong(
                        f"df.{name}[{index}]",
                        f"{name}, row {index}: write an RFC 3339 time, in UTC without a zone",
                    )
            return frame.columns[name]
    raise _wrong("df", f"the column of the event time is absent: {declared or FEAST_EVENT_TIME}")


def _in_microseconds(value: object) -> object:
    """Whole numbers that stand for timestamps are seconds at Feast. Texts and what is no timestamp stay."""
    if isinstance(value, list):
        return [_in_microseconds(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return value * _MICROSECONDS


def _wrong(path: str, message: str) -> Refused:
    return Refused("bad_value", message, errors=[FieldError(path, "bad_value", message)])
