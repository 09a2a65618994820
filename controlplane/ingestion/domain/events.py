"""One event of a stream, read against a view: a row, a delete, or the reason why it is refused."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controlplane.contracts.model import Feature, JoinKey, StreamLane
from controlplane.ingestion.domain.mapping import at_path, is_delete
from controlplane.ingestion.domain.rows import CheckedRow, Fault, RowReader
from controlplane.kernel.dtypes import Dtype

_TEXTS = frozenset({Dtype.STRING, Dtype.BYTES})


@dataclass(frozen=True, slots=True)
class CheckedEvent:
    """An event after its checks."""

    row: CheckedRow
    is_delete: bool


class EventReader:
    """Reads events of one view's stream lane. Fields that nothing is mapped to are ignored."""

    def __init__(
        self,
        lane: StreamLane,
        *,
        join_keys: tuple[JoinKey, ...],
        features: tuple[Feature, ...],
        event_time: str | None,
    ) -> None:
        self._lane = lane
        self._event_time = event_time
        dtypes = {key.name: key.dtype for key in join_keys} | {f.name: f.dtype for f in features}
        self._nested = RowReader(join_keys=join_keys, features=features, look_up=self._look_up)
        self._flat = RowReader(
            join_keys=join_keys, features=features, look_up=_flat_look_up(self._look_up, dtypes)
        )

    def read(self, payload: str, *, arrival_us: int, is_flat: bool = False) -> CheckedEvent:
        """Check one event. Without a declared event time it happened when it arrived."""
        try:
            document = json.loads(payload, parse_constant=_no_constant)
        except (ValueError, RecursionError) as wrong:
            return _refused("bad_json", f"the payload is no JSON: {str(wrong)[:200]}")
        if not isinstance(document, Mapping):
            return _refused("bad_json", "the payload is no JSON object")
        deletes = is_delete(document, self._lane.delete_when)
        event_time = at_path(document, self._event_time) if self._event_time else None
        if is_flat and isinstance(event_time, str) and event_time.lstrip("-").isdigit():
            event_time = int(event_time)
        row = (self._flat if is_flat else self._nested).read(
            document,
            event_time=event_time,
            default_event_time_us=None if self._event_time else arrival_us,
            is_delete=deletes,
        )
        return CheckedEvent(row, deletes)

    def _look_up(self, document: Mapping[str, object], name: str) -> object:
        return at_path(document, self._lane.path_of(name))


def _flat_look_up(
    look_up: Callable[[Mapping[str, object], str], object], dtypes: Mapping[str, Dtype]
) -> Callable[[Mapping[str, object], str], object]:
    """Read the texts of a flat event: what is no text by its dtype is JSON."""

    def find(document: Mapping[str, object], name: str) -> object:
        found = look_up(document, name)
        if not isinstance(found, str) or dtypes[name] in _TEXTS:
            return found
        try:
            return json.loads(found, parse_constant=_no_constant)
        except ValueError:
            return found  # a timestamp, or wrong: the dtype's reader says

    return find


def _refused(code: str, message: str) -> CheckedEvent:
    return CheckedEvent(CheckedRow(None, None, (), Fault("", code, message)), is_delete=False)


def _no_constant(text: str) -> None:
    raise ValueError(f'{text} is no JSON; write it as a string, "{text}"')
