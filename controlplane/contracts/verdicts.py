"""What serving answers for each value of a lookup.

Serving decides the same in Go; both read the vectors in tests/golden/contract_vectors. One call judges the
rows of one view. Here is no I/O and no clock: probes, dry runs and pages bring rows and ``now_us``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum, auto

from controlplane.contracts import ages
from controlplane.contracts.checks import violation
from controlplane.contracts.model import Action, Enforcement, Feature, Terms
from controlplane.kernel.dtypes import Dtype, Value
from controlplane.kernel.durations import to_us


class Verdict(StrEnum):
    FRESH = "fresh"
    NULL = "null"
    MISSING = "missing"
    STALE = "stale"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class Status(StrEnum):
    """The verdict in Feast's words."""

    PRESENT = "PRESENT"
    NULL_VALUE = "NULL_VALUE"
    NOT_FOUND = "NOT_FOUND"
    OUTSIDE_MAX_AGE = "OUTSIDE_MAX_AGE"
    INVALID = "INVALID"


class Lost(Enum):
    """Why there is no telling what a row holds."""

    UNAVAILABLE = auto()  # the store did not answer for it
    CORRUPT = auto()  # its checksum is wrong


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as decoded. ``columns`` are those of the layout it was written under, ``values`` theirs."""

    event_time_us: int
    write_time_us: int
    lane: str
    columns: Mapping[str, Dtype] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    held: bool = False
    tombstone: bool = False


Fetched = StoredRow | Lost | None


@dataclass(frozen=True, slots=True)
class FeatureVerdict:
    """``action`` is what the contract does, or under ``observe`` would do; ``value`` is what is answered."""

    name: str
    verdict: Verdict
    status: Status
    action: Action
    value: Value
    also_invalid: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class RowVerdict:
    as_of_us: int | None
    age_us: int | None
    rejected: bool
    features: tuple[FeatureVerdict, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """``counts`` sum to rows times requested features; ``rejected_rows`` counts those that ``observe``
    would have rejected, too; ``failed``: more rows are rejected than the service accepts."""

    rows: tuple[RowVerdict, ...]
    failed: bool
    counts: Mapping[Verdict, int]
    rejected_rows: int


@dataclass(frozen=True, slots=True)
class _Finding:
    verdict: Verdict
    reason: str | None = None
    stored: Value = None
    also_invalid: bool = False


def judge(
    rows: Sequence[Fetched],
    *,
    features: Mapping[str, Feature],
    requested: Sequence[str],
    terms: Terms,
    watermarks: Mapping[str, int],
    now_us: int,
    max_rejected: float = 1.0,
    enforcement: Enforcement = Enforcement.ENFORCE,
) -> Judgement:
    """Judge the rows of one view, in the order in which they were asked for, duplicates included.

    ``features`` are those of the contract; a requested name that is not among them is a retired feature.
    ``terms`` are the terms in force (``Terms.under``); ``watermarks`` maps a lane to microseconds, as read
    before the rows were.
    """
    judged = [
        _judge_row(
            row, features=features, requested=requested, terms=terms, watermarks=watermarks, now_us=now_us
        )
        for row in rows
    ]
    counts = Counter(value.verdict for row in judged for value in row.features)
    rejected_rows = sum(row.rejected for row in judged)
    enforced = enforcement is Enforcement.ENFORCE
    return Judgement(
        # Under observe nobody is rejected, only counted, and every value stays as it is stored.
        rows=tuple(
            _enforce(row, features=features) if enforced else replace(row, rejected=False) for row in judged
        ),
        failed=enforced and bool(judged) and rejected_rows / len(judged) > max_rejected,
        counts={verdict: counts[verdict] for verdict in Verdict},
        rejected_rows=rejected_rows,
    )


def _judge_row(
    row: Fetched,
    *,
    features: Mapping[str, Feature],
    requested: Sequence[str],
    terms: Terms,
    watermarks: Mapping[str, int],
    now_us: int,
) -> RowVerdict:
    """Return what the contract says of the row, before any value is changed for it."""
    as_of_us = None
    if isinstance(row, StoredRow) and not row.tombstone:
        as_of_us = ages.as_of_us(
            row.event_time_us,
            write_time_us=row.write_time_us,
            watermark_us=watermarks.get(row.lane),
            held=row.held,
            now_us=now_us,
        )
    age_us = ages.age_us(as_of_us, now_us=now_us)
    stale_reason = None
    if ages.is_stale(age_us, max_age_us=to_us(terms.max_age)):
        stale_reason = "no_evidence" if age_us is None else "age"
    judged = []
    for name in requested:
        finding = _find(name, row=row, feature=features.get(name), stale_reason=stale_reason)
        judged.append(_decide(name, finding=finding, terms=terms))
    rejected = any(value.action is Action.REJECT for value in judged)
    return RowVerdict(as_of_us, age_us, rejected, tuple(judged))


def _find(name: str, *, row: Fetched, feature: Feature | None, stale_reason: str | None) -> _Finding:
    if feature is None:
        return _Finding(Verdict.MISSING, "retired")
    if row is Lost.UNAVAILABLE:
        return _Finding(Verdict.UNAVAILABLE, "unavailable")
    if row is Lost.CORRUPT:
        return _Finding(Verdict.INVALID, "corrupt")
    if not isinstance(row, StoredRow):
        return _Finding(Verdict.MISSING, "absent")
    if row.tombstone:
        return _Finding(Verdict.MISSING, "tombstone")
    if name not in row.columns:
        return _Finding(Verdict.MISSING, "layout")
    stored = row.values.get(name)
    invalid_reason = violation(feature, stored) if _fits(row.columns[name], feature, stored) else "type"
    # What has another type cannot be said in a column of this one.
    stored = None if invalid_reason == "type" else stored
    if stale_reason is not None:
        return _Finding(Verdict.STALE, stale_reason, stored, also_invalid=invalid_reason is not None)
    if invalid_reason is not None:
        return _Finding(Verdict.INVALID, invalid_reason, stored)
    return _Finding(Verdict.NULL if stored is None else Verdict.FRESH, None, stored)


_WIDENS = {(Dtype.INT32, Dtype.INT64), (Dtype.FLOAT32, Dtype.FLOAT64)}


def _fits(written: Dtype, feature: Feature, stored: Value) -> bool:
    """Return whether a value of an older layout can be read under today's type. A null has no type."""
    return stored is None or written is feature.dtype or (written, feature.dtype) in _WIDENS


_STATUSES = {
    Verdict.FRESH: Status.PRESENT,
    Verdict.NULL: Status.NULL_VALUE,
    Verdict.MISSING: Status.NOT_FOUND,
    Verdict.STALE: Status.OUTSIDE_MAX_AGE,
    Verdict.INVALID: Status.INVALID,
    Verdict.UNAVAILABLE: Status.NOT_FOUND,
}


def _decide(name: str, *, finding: _Finding, terms: Terms) -> FeatureVerdict:
    """Take the strongest of the actions that were triggered."""
    triggered = {
        Verdict.FRESH: Action.SERVE,
        Verdict.NULL: Action.SERVE,
        Verdict.MISSING: terms.on_missing,
        Verdict.UNAVAILABLE: terms.on_missing,
        Verdict.STALE: terms.on_stale,
        Verdict.INVALID: terms.on_invalid,
    }[finding.verdict]
    if finding.also_invalid:
        triggered = max(triggered, terms.on_invalid, key=lambda action: action.strength)
    return FeatureVerdict(
        name=name,
        verdict=finding.verdict,
        status=_STATUSES[finding.verdict],
        action=triggered,
        value=finding.stored,
        also_invalid=finding.also_invalid,
        reason=finding.reason,
    )


def _enforce(row: RowVerdict, *, features: Mapping[str, Feature]) -> RowVerdict:
    """Change the values as the actions say; a rejected row answers nothing at all."""
    if row.rejected:
        emptied = [
            replace(value, value=None, status=Status.NULL_VALUE)
            if value.verdict is Verdict.FRESH
            else replace(value, value=None)
            for value in row.features
        ]
        return replace(row, features=tuple(emptied))
    return replace(
        row, features=tuple(_apply_action(value, features.get(value.name)) for value in row.features)
    )


def _apply_action(value: FeatureVerdict, feature: Feature | None) -> FeatureVerdict:
    if value.action is Action.SERVE:
        return value
    # A retired feature has no default left: it answers null.
    answered = feature.default if value.action is Action.DEFAULT and feature is not None else None
    return replace(value, value=answered)
