"""Counts of what serving answered. Adding them up is commutative and associative, so reports may come late,
in any order and from any number of processes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from controlplane.observations.domain import ages

Counts = Mapping[str, int]
BinCounts = Mapping[str, Mapping[str, Counts]]  # by feature, by the id of its bins, by bin


def add(left: Counts, right: Counts) -> dict[str, int]:
    """Return both added up by name; names that count nothing are left out."""
    total = {name: left.get(name, 0) + right.get(name, 0) for name in {*left, *right}}
    return {name: count for name, count in total.items() if count}


def add_features(left: Mapping[str, Counts], right: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """Return the counts by feature and verdict, added up."""
    return {name: add(left.get(name, {}), right.get(name, {})) for name in {*left, *right}}


def add_bins(left: BinCounts, right: BinCounts) -> dict[str, dict[str, dict[str, int]]]:
    """Return the counts by feature, bins and bin, added up. Bins under another id are other bins."""
    return {name: add_features(left.get(name, {}), right.get(name, {})) for name in {*left, *right}}


def add_buckets(left: Mapping[int, int], right: Mapping[int, int]) -> dict[int, int]:
    """Return both added up by bucket."""
    return {bucket: left.get(bucket, 0) + right.get(bucket, 0) for bucket in {*left, *right}}


@dataclass(frozen=True, slots=True)
class ServedSums:
    """What lookups of a view got, over some time.

    ``rows`` counts entity rows as asked, duplicates included; ``values`` counts rows x features by verdict
    (fresh, null, missing, stale, invalid, unavailable), ``actions`` by what was done (serve, null, default,
    reject); ``also_invalid`` counts values that were stale and invalid at once; ``age_buckets`` counts found
    rows by age (``ages``). ``requests`` and ``rows`` are counted for each view that a request touched.
    """

    requests: int = 0
    rows: int = 0
    rejected_rows: int = 0
    failed_requests: int = 0
    also_invalid: int = 0
    values: Counts = field(default_factory=dict)
    actions: Counts = field(default_factory=dict)
    age_buckets: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: "ServedSums") -> "ServedSums":
        return ServedSums(
            requests=self.requests + other.requests,
            rows=self.rows + other.rows,
            rejected_rows=self.rejected_rows + other.rejected_rows,
            failed_requests=self.failed_requests + other.failed_requests,
            also_invalid=self.also_invalid + other.also_invalid,
            values=add(self.values, other.values),
            actions=add(self.actions, other.actions),
            age_buckets=add_buckets(self.age_buckets, other.age_buckets),
        )

    @property
    def total_values(self) -> int:
        return sum(self.values.values())

    def share(self, *verdicts: str) -> float | None:
        """Return the share of values with one of ``verdicts``; None when there was no value."""
        total = self.total_values
        return sum(self.values.get(verdict, 0) for verdict in verdicts) / total if total else None

    def share_over(self, limit: timedelta) -> float | None:
        """Return the share of found rows that are certainly older than ``limit`` (see ``ages``)."""
        return ages.share_over(self.age_buckets, limit)

    def quantile(self, q: float) -> timedelta | None:
        """Return the age that the share ``q`` of the found rows does not exceed (see ``ages``)."""
        return ages.quantile(self.age_buckets, q)


def total(sums: Iterable[ServedSums]) -> ServedSums:
    """Return all of them added up."""
    return sum(sums, start=ServedSums())
