"""Half hours of a view, and of a whole project: what pages draw of the last day, added up while it comes in.

Adding is commutative and associative, as it is for minutes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controlplane.observations.domain import latencies
from controlplane.observations.domain.records import ProbeResult
from controlplane.observations.domain.report import MinuteReport
from controlplane.observations.domain.sums import Counts, add, add_buckets, add_features

LENGTH = timedelta(minutes=30)
WHOLE_PROJECT = ""  # stands in the place of a view
_MINUTES = 30
_EPOCH_SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class HalfHour:
    """What lookups got and what probes saw. ``number`` counts half hours since 1970 UTC.

    ``values`` and ``features`` count looked-up values by verdict, ``probed`` those that probes judged, by
    feature; features are told of views only. ``age_p95`` is the worst that a probe saw. Of a project, a
    request that touches several views is counted once: the busiest view stands for its service.
    """

    project: str
    view: str
    number: int
    requests: int = 0
    values: Counts = field(default_factory=dict)
    features: Mapping[str, Counts] = field(default_factory=dict)
    latency_buckets: Mapping[int, int] = field(default_factory=dict)
    probed: Mapping[str, Counts] = field(default_factory=dict)
    probe_latency_buckets: Mapping[int, int] = field(default_factory=dict)
    age_p95: timedelta | None = None

    @property
    def key(self) -> tuple[str, bool, str, int]:
        """The order of locks: a project's own row comes after those of its views, and is held shortest."""
        return (self.project, self.view == WHOLE_PROJECT, self.view, self.number)

    def __add__(self, other: "HalfHour") -> "HalfHour":
        known = [age for age in (self.age_p95, other.age_p95) if age is not None]
        return HalfHour(
            self.project,
            self.view,
            self.number,
            requests=self.requests + other.requests,
            values=add(self.values, other.values),
            features=add_features(self.features, other.features),
            latency_buckets=add_buckets(self.latency_buckets, other.latency_buckets),
            probed=add_features(self.probed, other.probed),
            probe_latency_buckets=add_buckets(self.probe_latency_buckets, other.probe_latency_buckets),
            age_p95=max(known, default=None),
        )


def number_of(at: datetime) -> int:
    """Return the half hour that ``at`` lies in."""
    return int(at.timestamp()) // _EPOCH_SECONDS


def of_minutes(minutes: Iterable[MinuteReport]) -> list[HalfHour]:
    """Return what the minutes of one report add, in the order of locks."""
    parts: list[HalfHour] = []
    busiest: dict[tuple[str, str, int], MinuteReport] = {}
    for each in minutes:
        key = each.key
        number = key.minute // _MINUTES
        parts.append(
            HalfHour(
                key.project,
                key.view,
                number,
                requests=each.sums.requests,
                values=each.sums.values,
                features=each.features,
                latency_buckets=each.latency_buckets,
            )
        )
        parts.append(HalfHour(key.project, WHOLE_PROJECT, number, values=each.sums.values))
        service = (key.project, key.service, key.minute)
        if service not in busiest or busiest[service].sums.requests < each.sums.requests:
            busiest[service] = each
    for (project, _, minute), each in busiest.items():
        number = minute // _MINUTES
        parts.append(
            HalfHour(
                project,
                WHOLE_PROJECT,
                number,
                requests=each.sums.requests,
                latency_buckets=each.latency_buckets,
            )
        )
    return _merged(parts)


def of_probe(result: ProbeResult, verdicts: Mapping[str, Counts]) -> list[HalfHour]:
    """Return what one probe adds, in the order of locks; nothing when it could not read."""
    if result.error:
        return []
    number = number_of(result.at)
    took = result.store_latency_us
    buckets = {} if took is None else {latencies.bucket_of(timedelta(microseconds=took)): 1}
    return [
        HalfHour(
            result.project,
            result.view,
            number,
            probed=verdicts,
            probe_latency_buckets=buckets,
            age_p95=result.age_p95,
        ),
        HalfHour(result.project, WHOLE_PROJECT, number, probe_latency_buckets=buckets),
    ]


def _merged(parts: Iterable[HalfHour]) -> list[HalfHour]:
    by_key: dict[tuple[str, bool, str, int], list[HalfHour]] = defaultdict(list)
    for part in parts:
        by_key[part.key].append(part)
    merged = []
    for key in sorted(by_key):
        first, *others = by_key[key]
        merged.append(sum(others, start=first))
    return merged
