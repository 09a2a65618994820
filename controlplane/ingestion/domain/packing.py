"""From checked values to what the store is given."""

from dataclasses import dataclass
from datetime import timedelta

from controlplane.kernel import durations
from controlplane.kernel.dtypes import Value
from store_adapters import (
    CorruptRow,
    Lane,
    Layout,
    Row,
    RowWrite,
    clamp_event_time,
    decode_header,
    decode_row,
    row_codec,
)

TOMBSTONES_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Packer:
    """Packs rows of one lane, layout and run."""

    lane: Lane
    layout: Layout
    run_number: int
    expire_after: timedelta | None

    def pack(
        self, key: bytes, values: tuple[Value, ...], *, event_time_us: int, position: int, now_us: int
    ) -> RowWrite:
        """Pack a row that arrives now; an event time from the future is clamped."""
        return self._pack(key, values, event_time_us, position=position, now_us=now_us)

    def pack_tombstone(self, key: bytes, *, event_time_us: int, position: int, now_us: int) -> RowWrite:
        """Pack a delete."""
        return self._pack(
            key, self.layout.nulls, event_time_us, position=position, now_us=now_us, tombstone=True
        )

    def pack_held(
        self,
        key: bytes,
        stored: bytes | None,
        *,
        layouts: dict[int, Layout],
        position: int,
        refused_event_time_us: int | None,
        now_us: int,
    ) -> RowWrite | None:
        """Pack the stored row again with the held flag, because an update of it was refused.

        None when there is nothing to hold: no row, another lane's, a tombstone, one that is held already,
        or one that is newer than the refused update would have been. ``refused_event_time_us`` None: unknown,
        then ``position`` alone tells.
        """
        if stored is None:
            return None
        try:
            header = decode_header(stored)
            layout = layouts.get(header.layout_number)
            if layout is None or header.lane is not self.lane or header.tombstone or header.held:
                return None
            refused_us = header.event_time_us if refused_event_time_us is None else refused_event_time_us
            if (refused_us, position) <= (header.event_time_us, header.position):
                return None
            row = decode_row(stored, layout)
        except CorruptRow:
            return None
        held = Row(
            event_time_us=row.event_time_us,
            lane=self.lane,
            position=max(position, row.position + 1),
            layout_number=row.layout_number,
            write_time_us=now_us,
            run_number=self.run_number,
            values=row.values,
            held=True,
            clamped=row.clamped,
        )
        return RowWrite(key, row_codec(layout).encode(held), self.expires_us(now_us=now_us))

    def expires_us(self, *, now_us: int, tombstone: bool = False) -> int | None:
        """Return when a row written now may leave the store; None is never."""
        if self.expire_after is None and not tombstone:
            return None
        return now_us + durations.to_us(self.expire_after or TOMBSTONES_KEPT)

    def _pack(
        self,
        key: bytes,
        values: tuple[Value, ...],
        event_time_us: int,
        *,
        position: int,
        now_us: int,
        tombstone: bool = False,
    ) -> RowWrite:
        stored_us, clamped = clamp_event_time(event_time_us, arrival_us=now_us)
        row = Row(
            event_time_us=stored_us,
            lane=self.lane,
            position=position,
            layout_number=self.layout.number,
            write_time_us=now_us,
            run_number=self.run_number,
            values=values,
            tombstone=tombstone,
            clamped=clamped,
        )
        expires_us = self.expires_us(now_us=now_us, tombstone=tombstone)
        return RowWrite(key, row_codec(self.layout).encode(row), expires_us)
