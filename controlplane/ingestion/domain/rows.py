"""One row as JSON gives it, checked against a view: an entity key and values, or the faults of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from controlplane.contracts.checks import violation
from controlplane.contracts.model import Feature, JoinKey
from controlplane.contracts.values import from_json
from controlplane.kernel.dtypes import Dtype, Value
from controlplane.kernel.errors import Refused
from controlplane.kernel.text import storable
from store_adapters import KeyCodec, KeyValue

EVENT_TIME = "event_time"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is refused: the field, a stable code, a sentence; in text that can be kept and answered."""

    field: str
    code: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", storable(self.field))  # the row's own words may be in both
        object.__setattr__(self, "message", storable(self.message))


# Told by the store, after everything else was right.
ITEM_TOO_LARGE = Fault(
    "", "item_too_large", "the store cannot hold this row: with the entity's other views it is over the limit"
)


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row after its checks. With ``fault`` it must not be written; ``key`` and ``event_time_us`` are there
    all the same when they could be read, because a refused update holds the row that it would have replaced.
    """

    key: bytes | None
    event_time_us: int | None
    values: tuple[Value, ...]
    fault: Fault | None = None


class RowReader:
    """Reads rows of one view. ``look_up(document, name)`` finds a field in a document."""

    def __init__(
        self,
        *,
        join_keys: Sequence[JoinKey],
        features: Sequence[Feature],
        look_up: Callable[[Mapping[str, object], str], object] = lambda document, name: document.get(name),
    ) -> None:
        self._join_keys = tuple(join_keys)
        self._features = tuple(features)
        self._look_up = look_up
        self._codec = KeyCodec((key.name, key.dtype) for key in join_keys)
        names = [key.name for key in self._join_keys] + [feature.name for feature in self._features]
        self._names = frozenset([*names, EVENT_TIME])

    def unknown_fields(self, document: Mapping[str, object]) -> list[str]:
        """Return the fields that no join key or feature is named after."""
        return [name for name in document if name not in self._names]

    def read(
        self,
        document: Mapping[str, object],
        *,
        event_time: object,
        default_event_time_us: int | None,
        is_delete: bool,
    ) -> CheckedRow:
        """Check one row. ``event_time`` is raw JSON; None takes ``default_event_time_us``."""
        key, fault = self._read_key(document)
        event_time_us, time_fault = _read_event_time(event_time, default_event_time_us)
        fault = fault or time_fault
        if is_delete or fault:
            nulls: tuple[Value, ...] = (None,) * len(self._features)
            return CheckedRow(key, event_time_us, nulls, fault)
        values: list[Value] = []
        for feature in self._features:
            value, broken = read_feature(feature, self._look_up(document, feature.name))
            values.append(value)
            fault = fault or broken
        return CheckedRow(key, event_time_us, tuple(values), fault)

    def _read_key(self, document: Mapping[str, object]) -> tuple[bytes | None, Fault | None]:
        values: list[KeyValue] = []
        for join_key in self._join_keys:
            raw = self._look_up(document, join_key.name)
            if raw is None:
                return None, Fault(
                    join_key.name, "absent_key", f"join key {join_key.name!r} is absent or null"
                )
            try:
                value = from_json(join_key.dtype, raw)
            except Refused as wrong:
                return None, Fault(join_key.name, wrong.code, wrong.detail)
            assert isinstance(value, int | str | bytes)
            values.append(value)
        return self._codec.encode(values), None


def read_feature(feature: Feature, raw: object) -> tuple[Value, Fault | None]:
    """Return the value that JSON ``raw`` gives a feature, and what is wrong with it."""
    try:
        value = from_json(feature.dtype, raw)
    except Refused as wrong:
        return None, Fault(feature.name, wrong.code, f"{feature.name}: {wrong.detail}")
    return value, judge_value(feature, value)


def judge_value(feature: Feature, value: Value) -> Fault | None:
    """Return how a value of the right type breaks the contract."""
    reason = violation(feature, value)
    if reason is None:
        return None
    code = "not_nullable" if reason == "not_nullable" else "out_of_domain"
    return Fault(feature.name, code, f"{feature.name}: {_sentence(feature, reason)}")


def _read_event_time(raw: object, default_us: int | None) -> tuple[int | None, Fault | None]:
    if raw is None:
        if default_us is None:
            return None, Fault(EVENT_TIME, "bad_value", "the event time is absent or null")
        return default_us, None
    try:
        value = from_json(Dtype.TIMESTAMP, raw)
    except Refused as wrong:
        return None, Fault(EVENT_TIME, wrong.code, wrong.detail)
    assert isinstance(value, int)
    return value, None


def _sentence(feature: Feature, reason: str) -> str:
    sentences = {
        "not_nullable": "null or absent, and the contract allows no null",
        "nan": "NaN, which the contract does not allow (allow_nan)",
        "inf": "infinite, which the contract does not allow (allow_inf)",
        "min": f"below the minimum {feature.minimum}",
        "max": f"above the maximum {feature.maximum}",
        "allowed": "none of the allowed values",
        "max_length": f"longer than {feature.max_length}",
        "pattern": f"does not match the pattern {feature.pattern}",
        "min_items": f"fewer than {feature.min_items} items",
        "max_items": f"more than {feature.max_items} items",
    }
    return sentences[reason]
