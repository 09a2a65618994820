"""Reads of observations: sums over minutes, probes, sampled lookups.

Minutes are whole: a time range holds those that begin in it (``start <= minute < end``).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Func, Max, QuerySet, Sum

from controlplane.kernel.clock import from_us, to_us
from controlplane.observations.domain.half_hours import HalfHour, number_of
from controlplane.observations.domain.records import AgeSlice, ProbeResult, RecordedLookup, ReportingInstance
from controlplane.observations.domain.sums import ServedSums, add_bins, add_features, total
from controlplane.observations.models import HalfHourCount, MinuteCount, Probe, ReportReceipt, SampledLookup

__all__ = [
    "AgeSlice",
    "HalfHour",
    "ProbeResult",
    "RecordedLookup",
    "ReportingInstance",
    "ServedSums",
    "age_slices",
    "bin_sums",
    "feature_sums",
    "half_hours",
    "latest_probe",
    "latest_probes",
    "looked_up_keys",
    "lookups_per_minute",
    "probes_between",
    "recent_lookups",
    "reporting_instances",
    "service_values",
    "sums",
    "sums_by_minute",
    "sums_by_reader",
    "sums_by_service",
    "sums_by_view",
]

_MINUTE = timedelta(minutes=1)
RATE_WINDOW = timedelta(minutes=5)
_LOOKED_AT = 1_000
_ABSENT = frozenset({"missing", "unavailable"})  # of a value whose row was not seen


def sums(
    project: str, view: str, *, start: datetime, end: datetime, service: str | None = None
) -> ServedSums:
    """Return what lookups of ``view`` got. ``service`` None: from everybody; empty: without a service."""
    return total(sums_of(row) for row in _minutes(project, start, end, view=view, service=service))


def sums_by_view(project: str, *, start: datetime, end: datetime) -> dict[str, ServedSums]:
    """Return the sums of every view of ``project`` that was looked up."""
    by_view: dict[str, ServedSums] = defaultdict(ServedSums)
    for row in _minutes(project, start, end):
        by_view[row.view] += sums_of(row)
    return dict(by_view)


def sums_by_service(project: str, view: str, *, start: datetime, end: datetime) -> dict[str, ServedSums]:
    """Return the sums of ``view`` by the service that asked; empty: without a service."""
    by_service: dict[str, ServedSums] = defaultdict(ServedSums)
    for row in _minutes(project, start, end, view=view):
        by_service[row.service] += sums_of(row)
    return dict(by_service)


def sums_by_reader(
    project: str, views: Iterable[str], *, start: datetime, end: datetime
) -> dict[tuple[str, str], ServedSums]:
    """Return the sums of ``views`` by (view, service that asked); service empty: without one."""
    by_reader: dict[tuple[str, str], ServedSums] = defaultdict(ServedSums)
    for row in _minutes(project, start, end).filter(view__in=list(views)):
        by_reader[row.view, row.service] += sums_of(row)
    return dict(by_reader)


def sums_by_minute(
    project: str, view: str, *, start: datetime, end: datetime, service: str | None = None
) -> list[tuple[datetime, ServedSums]]:
    """Return the sums of each minute in which there were lookups, in order."""
    by_minute: dict[int, ServedSums] = defaultdict(ServedSums)
    for row in _minutes(project, start, end, view=view, service=service):
        by_minute[row.minute] += sums_of(row)
    return [(from_us(minute * 60_000_000), by_minute[minute]) for minute in sorted(by_minute)]


def feature_sums(
    project: str, view: str, *, start: datetime, end: datetime, service: str | None = None
) -> dict[str, dict[str, int]]:
    """Return counts by feature and verdict."""
    counted: dict[str, dict[str, int]] = {}
    rows = _minutes(project, start, end, view=view, service=service, defer_features=False)
    for row in rows:
        counted = add_features(counted, row.features)
    return counted


def bin_sums(
    project: str, view: str, *, start: datetime, end: datetime, service: str | None = None
) -> dict[str, dict[str, dict[str, int]]]:
    """Return how many values were answered in each bin, by feature, by the id of its bins
    (``contracts.bins.id_of``), by bin. A feature whose bins changed meanwhile has counts under both ids."""
    counted: dict[str, dict[str, dict[str, int]]] = {}
    rows = _minutes(project, start, end, view=view, service=service).defer(None).only("bins")
    for row in rows:
        counted = add_bins(counted, row.bins)
    return counted


def half_hours(project: str, view: str = "", *, start: datetime, end: datetime) -> list[HalfHour]:
    """Return the half hours that touch ``start <= t < end`` and of which anything is known, in order.

    ``view`` empty: of the project as a whole, without features.
    """
    rows = HalfHourCount.objects.filter(
        project=project, view=view, number__gte=number_of(start), number__lte=number_of(end)
    )
    return [half_hour_of(row) for row in rows.order_by("number")]


def half_hour_of(row: HalfHourCount) -> HalfHour:
    """Return one stored half hour as a record."""
    return HalfHour(
        row.project,
        row.view,
        row.number,
        requests=row.requests,
        values=row.values,
        features=row.features,
        latency_buckets=_buckets(row.latency_buckets),
        probed=row.probed,
        probe_latency_buckets=_buckets(row.probe_latency_buckets),
        age_p95=_age(row.age_p95_us),
    )


def service_values(project: str, service: str, *, start: datetime, end: datetime) -> int:
    """Return how many values lookups through ``service`` asked for, over all views."""
    rows = _minutes(project, start, end, service=service)
    return total(sums_of(row) for row in rows).total_values


def lookups_per_minute(
    project: str, *, now: datetime, view: str | None = None, service: str | None = None
) -> float:
    """Return requests a minute over the last five minutes, the current one included, of one view, of one
    service, or of the whole project.

    A request that touches several views is counted once: the busiest view stands for its service.
    """
    rows = _minutes(project, now - RATE_WINDOW, now, view=view, service=service)
    busiest: dict[str, int] = {}
    for row in rows.order_by().values("service", "view").annotate(requests_sum=Sum("requests")):
        busiest[row["service"]] = max(busiest.get(row["service"], 0), row["requests_sum"])
    return sum(busiest.values()) / (RATE_WINDOW / _MINUTE)


def latest_probe(project: str, view: str) -> ProbeResult | None:
    """Return the newest probe of ``view``, None before the first."""
    row = Probe.objects.filter(project=project, view=view).order_by("-at", "-pk").first()
    return _probe(row) if row else None


def latest_probes(project: str, *, since: datetime) -> dict[str, ProbeResult]:
    """Return the newest probe of each view of ``project`` that was probed since then."""
    rows = Probe.objects.filter(project=project, at__gte=since).order_by("at", "pk")
    return {row.view: _probe(row) for row in rows}


def probes_between(project: str, view: str, *, start: datetime, end: datetime) -> list[ProbeResult]:
    """Return the probes of ``view`` with ``start <= at < end``, in order."""
    rows = Probe.objects.filter(project=project, view=view, at__gte=start, at__lt=end)
    return [_probe(row) for row in rows.order_by("at", "pk")]


class _EpochSeconds(Func):
    """Whole seconds since 1970 of an instant; each database has its own word for it."""

    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Escaped twice: for Django's template of the expression, and for the parameters of the statement.
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(FLOOR(EXTRACT(EPOCH FROM %(expressions)s)) AS BIGINT)"
        return self.as_sql(compiler, connection, template=template, **context)


def age_slices(project: str, view: str, *, start: datetime, end: datetime, step: timedelta) -> list[AgeSlice]:
    """Return the oldest 95th percentile of age in each slice of time that was probed, in order.

    Slices are whole steps since 1970, and the first may begin before ``start``.
    """
    rows = Probe.objects.filter(project=project, view=view, at__gte=start, at__lt=end)
    seconds = step // timedelta(seconds=1)
    slices = rows.order_by().annotate(slice=_EpochSeconds("at") / seconds).values("slice")
    told = slices.annotate(age=Max("age_p95_us"), found=Max("found"), missing=Max("missing"))
    return [
        AgeSlice(from_us(row["slice"] * seconds * 1_000_000), _age(row["age"]), row["found"], row["missing"])
        for row in told.order_by("slice")
    ]


def recent_lookups(project: str, view: str, *, limit: int = 50) -> list[RecordedLookup]:
    """Return the newest sampled lookups of ``view``, the newest first."""
    rows = SampledLookup.objects.filter(project=project, view=view).order_by("-at", "-pk")[:limit]
    return [
        RecordedLookup(
            at=row.at,
            project=row.project,
            view=row.view,
            service=row.service,
            key_sha256=row.key_sha256,
            key=None if row.key is None else bytes(row.key),
            verdicts=row.verdicts,
            age=_age(row.age_us),
        )
        for row in rows
    ]


def looked_up_keys(project: str, view: str, *, limit: int) -> list[bytes]:
    """Return keys at which sampled lookups of ``view`` found a row, each once, the newest first.

    Only of lookups whose key serving may tell, and among the newest 1,000 of those.
    """
    told = SampledLookup.objects.filter(project=project, view=view, key__isnull=False).order_by("-at", "-pk")
    found: dict[bytes, None] = {}
    for key, verdicts in told.values_list("key", "verdicts")[:_LOOKED_AT]:
        if key is not None and not _ABSENT.issuperset(verdicts.values()):
            found[bytes(key)] = None
    return list(found)[:limit]


def reporting_instances(*, since: datetime) -> list[ReportingInstance]:
    """Return the serving processes that reported since then, by name."""
    rows = ReportReceipt.objects.filter(received_at__gte=since).order_by().values("instance")
    told = rows.annotate(last=Max("received_at"), lost=Sum("dropped")).order_by("instance")
    return [ReportingInstance(row["instance"], row["last"], row["lost"]) for row in told]


def sums_of(row: MinuteCount) -> ServedSums:
    """Return one stored minute as sums."""
    return ServedSums(
        requests=row.requests,
        rows=row.rows,
        rejected_rows=row.rejected_rows,
        failed_requests=row.failed_requests,
        also_invalid=row.also_invalid,
        values=row.values,
        actions=row.actions,
        age_buckets=_buckets(row.age_buckets),
    )


def _buckets(stored: Mapping[str, int]) -> dict[int, int]:
    return {int(bucket): count for bucket, count in stored.items()}


def _minutes(
    project: str,
    start: datetime,
    end: datetime,
    *,
    view: str | None = None,
    service: str | None = None,
    defer_features: bool = True,
) -> QuerySet[MinuteCount]:
    asked = {"view": view, "service": service}
    rows = MinuteCount.objects.filter(
        project=project,
        minute__gte=-(-to_us(start) // 60_000_000),
        minute__lt=-(-to_us(end) // 60_000_000),
        **{name: value for name, value in asked.items() if value is not None},
    )
    return rows.defer("features", "bins") if defer_features else rows.defer("bins")


def _probe(row: Probe) -> ProbeResult:
    return ProbeResult(
        project=row.project,
        view=row.view,
        at=row.at,
        keys_known=row.keys_known,
        keys_read=row.keys_read,
        found=row.found,
        missing=row.missing,
        invalid=row.invalid,
        age_p50=_age(row.age_p50_us),
        age_p95=_age(row.age_p95_us),
        age_max=_age(row.age_max_us),
        stale_share=row.stale_share,
        late_share=row.late_share,
        store_latency_us=row.store_latency_us,
        error=row.error,
    )


def _age(us: int | None) -> timedelta | None:
    return None if us is None else timedelta(microseconds=us)
