"""The touched set: keys that another lane writes, so that the next batch run does not trust its digests."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from controlplane.ingestion.models import TouchedKey
from controlplane.kernel import clock
from controlplane.registry.domain.records import ViewRecord

# A key touched this short before a batch run looked may still be on its way to the store, so that the run
# after it looks at it again. Longer than any request, and than any lease that writes.
IN_FLIGHT = timedelta(minutes=15)
_AT_ONCE = 1_000


def touch_keys(record: ViewRecord, keys: Iterable[bytes], *, now: datetime) -> None:
    """Add keys to the view's touched set, before they are written. Views without a batch lane have none."""
    if record.view.batch is None:
        return
    add_touched(record.id, keys, touched_us=clock.to_us(now))


def add_touched(view_id: int, keys: Iterable[bytes], *, touched_us: int) -> None:
    """Add keys, or make them younger."""
    # In one order everywhere: two writers that lock the same rows in other orders would block each other.
    rows = [TouchedKey(view_id=view_id, key=key, touched_us=touched_us) for key in sorted(set(keys))]
    TouchedKey.objects.bulk_create(
        rows,
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["view_id", "key"],
        update_fields=["touched_us"],
    )


def drop_touched(view_id: int, *, before_us: int) -> None:
    """Drop what a finished batch run has looked at, except what may still be on its way."""
    settled = before_us - IN_FLIGHT // timedelta(microseconds=1)
    TouchedKey.objects.filter(view_id=view_id, touched_us__lt=settled).delete()
