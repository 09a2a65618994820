"""Remember what a probe found."""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction

from controlplane.kernel.durations import to_us
from controlplane.observations.domain import half_hours
from controlplane.observations.domain.records import ProbeResult
from controlplane.observations.domain.sums import Counts
from controlplane.observations.models import Probe
from controlplane.observations.services.half_hours import add_half_hours

_LONGEST_ERROR = 500


@transaction.atomic
def record_probe(result: ProbeResult, *, verdicts: Mapping[str, Counts] | None = None) -> None:
    """Add one probe's result. ``verdicts``: how it judged the values that it read, by feature."""
    Probe.objects.create(
        project=result.project,
        view=result.view,
        at=result.at,
        keys_known=result.keys_known,
        keys_read=result.keys_read,
        found=result.found,
        missing=result.missing,
        invalid=result.invalid,
        age_p50_us=_us(result.age_p50),
        age_p95_us=_us(result.age_p95),
        age_max_us=_us(result.age_max),
        stale_share=result.stale_share,
        late_share=result.late_share,
        store_latency_us=result.store_latency_us,
        error=result.error[:_LONGEST_ERROR],
    )
    add_half_hours(half_hours.of_probe(result, verdicts or {}))


def _us(age: timedelta | None) -> int | None:
    return None if age is None else to_us(age)
