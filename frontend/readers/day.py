"""The last 24 hours of many views: in which state how many of them were."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from controlplane.registry.selectors import ViewSummary
from frontend.charts import StripColumn
from lineage import selectors as lineage
from lineage.domain import naming

COLUMNS = 96
_COLUMN = timedelta(minutes=15)
_MOST_VIEWS = 1_000  # of more the strip is left out: it would cost more than all the rest of the page


def read_day(records: Sequence[ViewSummary], *, now: datetime) -> tuple[StripColumn, ...]:
    """Return a column each 15 minutes, counted at its end; nothing when nothing was told of any view."""
    start = now - COLUMNS * _COLUMN
    if not records or len(records) > _MOST_VIEWS:
        return ()
    nodes = [naming.view(record.project, record.name) for record in records]
    counts = [Counter[str]() for _ in range(COLUMNS)]
    for spell in lineage.read_spells(nodes, start=start, end=now):
        # A column is counted at its end, so that the last one says what is true now.
        first = max(0, -(-(spell.since - start) // _COLUMN) - 1)
        last = (spell.until - start) // _COLUMN - 1
        for column in range(first, min(last, COLUMNS - 1) + 1):
            counts[column][spell.state] += 1
    if not any(counts):
        return ()
    return tuple(StripColumn(start + index * _COLUMN, told) for index, told in enumerate(counts))
