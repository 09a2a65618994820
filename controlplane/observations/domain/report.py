"""Reading an observation report of serving, strictly: what is not understood is refused with its path."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from controlplane.contracts import bins
from controlplane.contracts.terms import Action
from controlplane.contracts.verdicts import Verdict
from controlplane.kernel import names
from controlplane.kernel.clock import from_us, to_us
from controlplane.kernel.errors import FieldError, Refused
from controlplane.observations.domain import ages
from controlplane.observations.domain.records import RecordedLookup
from controlplane.observations.domain.sums import BinCounts, Counts, ServedSums

FORMAT = 1
MAX_MINUTES = 20_000
MAX_SAMPLED = 1_000
MAX_FAULTS = 50
LONGEST_KEY = 1_024
_FUTURE = timedelta(minutes=5)
_MOST = 2**40  # of anything, in one report of one process
_LATEST_US = 2**53  # the year 2255, and what every reader of JSON can count exactly
_GREATEST_NUMBER = 2**31 - 1
_VERDICTS = frozenset(verdict.value for verdict in Verdict)
_BINS_ID = re.compile(r"[0-9a-f]{16}")
_BINS = frozenset([*map(str, range(bins.MOST + 1)), bins.OTHER, bins.NULL, bins.NAN])
_ACTIONS = frozenset(action.value for action in Action)


class MinuteKey(NamedTuple):
    """Whose counts: sorting keys gives every writer the same order of locks."""

    minute: int
    project: str
    view: str
    service: str


@dataclass(frozen=True, slots=True)
class MinuteReport:
    key: MinuteKey
    contract: int
    sums: ServedSums
    features: Mapping[str, Counts]
    latency_buckets: Mapping[int, int]
    bins: BinCounts


@dataclass(frozen=True, slots=True)
class Report:
    """One message of one serving process; the numbers are increments."""

    instance: str
    sequence: int
    sent_at: datetime
    dropped: int
    minutes: tuple[MinuteReport, ...]
    sampled: tuple[RecordedLookup, ...]

    def projects(self) -> frozenset[str]:
        """Return the projects that the report speaks of."""
        return frozenset([m.key.project for m in self.minutes] + [s.project for s in self.sampled])

    def place_of(self, project: str) -> str:
        """Return the path at which the report first speaks of one of its projects."""
        told = [(f"minutes[{at}]", minute.key.project) for at, minute in enumerate(self.minutes)]
        told += [(f"sampled[{at}]", lookup.project) for at, lookup in enumerate(self.sampled)]
        return next(f"{path}.project" for path, name in told if name == project)


def parse(document: object, *, now: datetime) -> Report:
    """Return the report; ``Refused`` lists everything that is wrong with it (the first 50 faults)."""
    faults = _Faults()
    fields = faults.record(
        document,
        "",
        "format instance sequence sent_at_us dropped minutes sampled",
        optional="dropped sampled",
    )
    if fields.get("format") != FORMAT:
        faults.add("format", f"is {fields.get('format')!r}; this version reads format {FORMAT}")
    minutes = faults.items(fields.get("minutes"), "minutes", most=MAX_MINUTES)
    sampled = faults.items(fields.get("sampled", []), "sampled", most=MAX_SAMPLED)
    report = Report(
        instance=faults.text(fields.get("instance"), "instance", longest=200),
        sequence=faults.count(fields.get("sequence"), "sequence"),
        sent_at=faults.instant(fields.get("sent_at_us"), "sent_at_us"),
        dropped=faults.count(fields.get("dropped", 0), "dropped"),
        minutes=tuple(_minute(raw, f"minutes[{i}]", faults, now=now) for i, raw in enumerate(minutes)),
        sampled=tuple(_sampled(raw, f"sampled[{i}]", faults) for i, raw in enumerate(sampled)),
    )
    if faults.found:
        first = faults.found[0]
        raise Refused(
            "bad_value", f"The report cannot be counted: {first.path}: {first.message}", errors=faults.found
        )
    return report


class _Faults:
    """Reads parts of the document; notes what is wrong and goes on with something harmless."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, path: str, message: str) -> None:
        if len(self.found) < MAX_FAULTS:
            self.found.append(FieldError(path, "bad_value", message))

    def record(self, raw: object, path: str, fields: str, *, optional: str = "") -> Mapping[str, Any]:
        if not isinstance(raw, dict):
            self.add(path, "must be an object")
            return {}
        prefix = f"{path}." if path else ""
        for name in sorted(raw.keys() - set(fields.split())):
            self.add(prefix + name, "is no field of this format")
        for name in fields.split():
            if name not in raw and name not in optional.split():
                self.add(prefix + name, "is missing")
        return raw

    def items(self, raw: object, path: str, *, most: int) -> list[object]:
        if not isinstance(raw, list):
            self.add(path, "must be an array")
            return []
        if len(raw) > most:
            self.add(path, f"has {len(raw)} entries; at most {most} are taken at once")
            return []
        return raw

    def count(self, raw: object, path: str, *, most: int = _MOST) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= most:
            self.add(path, f"is {_shown(raw)}; a whole number from 0 to {most} is expected")
            return 0
        return raw

    def text(self, raw: object, path: str, *, longest: int) -> str:
        if not isinstance(raw, str) or not 1 <= len(raw) <= longest or not raw.isprintable():
            self.add(path, f"is {_shown(raw)}; 1 to {longest} printable characters are expected")
            return ""
        return raw

    def hexadecimal(self, raw: object, path: str) -> bytes:
        try:
            return bytes.fromhex(self.text(raw, path, longest=2 * LONGEST_KEY))
        except ValueError:
            self.add(path, f"is {_shown(raw)}; hexadecimal digits are expected")
            return b""

    def name(self, raw: object, path: str, *, what: str) -> str:
        try:
            return names.check(raw, what=what)
        except Refused as refused:
            self.add(path, refused.detail)
            return ""

    def service(self, raw: object, path: str) -> str:
        return "" if raw == "" else self.name(raw, path, what="feature service")

    def instant(self, raw: object, path: str) -> datetime:
        return from_us(self.count(raw, path, most=_LATEST_US))

    def age(self, raw: object, path: str) -> timedelta:
        return timedelta(microseconds=self.count(raw, path, most=_LATEST_US))

    def mapping(self, raw: object, path: str) -> Mapping[str, object]:
        if isinstance(raw, dict):
            return raw
        self.add(path, "must be an object")
        return {}

    def bins_id(self, raw: str, path: str) -> str:
        if _BINS_ID.fullmatch(raw) is None:
            self.add(path, f"{_shown(raw)} names no bins: 16 hexadecimal digits are expected")
        return raw

    def bins(self, raw: object, path: str) -> dict[str, int]:
        counted = self.counts(raw, path)
        for name in counted:
            if name not in _BINS:
                self.add(f"{path}.{_shown(name)}", "is no bin")
        return counted

    def counts(self, raw: object, path: str, *, allowed: Iterable[str] | None = None) -> dict[str, int]:
        known = self.record(raw, path, " ".join(allowed), optional=" ".join(allowed)) if allowed else raw
        if not isinstance(known, dict):
            self.add(path, "must be an object")
            return {}
        counted = {name: self.count(count, f"{path}.{name}") for name, count in known.items()}
        return {name: count for name, count in counted.items() if count}


_MINUTE_FIELDS = (
    "minute project view service contract requests rows rejected_rows failed_requests values also_invalid"
    " actions features age_buckets latency_buckets bins"
)


def _minute(raw: object, path: str, faults: _Faults, *, now: datetime) -> MinuteReport:
    # A serving process of before latencies were told does not send them; bins are told where there are any.
    fields = faults.record(raw, path, _MINUTE_FIELDS, optional="latency_buckets bins")
    minute = faults.count(fields.get("minute"), f"{path}.minute")
    if minute * 60_000_000 > to_us(now + _FUTURE):
        faults.add(f"{path}.minute", f"{minute} lies more than 5 minutes ahead of the control plane's clock")
    raw_features = fields.get("features")
    if not isinstance(raw_features, dict):
        faults.add(f"{path}.features", "must be an object")
        raw_features = {}

    def count(name: str) -> int:
        return faults.count(fields.get(name), f"{path}.{name}")

    return MinuteReport(
        key=MinuteKey(
            minute=minute,
            project=faults.name(fields.get("project"), f"{path}.project", what="project"),
            view=faults.name(fields.get("view"), f"{path}.view", what="feature view"),
            service=faults.service(fields.get("service"), f"{path}.service"),
        ),
        contract=faults.count(fields.get("contract"), f"{path}.contract", most=_GREATEST_NUMBER),
        sums=ServedSums(
            requests=count("requests"),
            rows=count("rows"),
            rejected_rows=count("rejected_rows"),
            failed_requests=count("failed_requests"),
            also_invalid=count("also_invalid"),
            values=faults.counts(fields.get("values"), f"{path}.values", allowed=_VERDICTS),
            actions=faults.counts(fields.get("actions"), f"{path}.actions", allowed=_ACTIONS),
            age_buckets=_buckets(fields.get("age_buckets"), f"{path}.age_buckets", faults),
        ),
        features={
            faults.name(name, f"{path}.features", what="feature"): faults.counts(
                counts, f"{path}.features.{name}", allowed=_VERDICTS
            )
            for name, counts in raw_features.items()
        },
        latency_buckets=_buckets(fields.get("latency_buckets", {}), f"{path}.latency_buckets", faults),
        bins=_bins(fields.get("bins", {}), f"{path}.bins", faults),
    )


def _bins(raw: object, path: str, faults: _Faults) -> BinCounts:
    return {
        faults.name(feature, path, what="feature"): {
            faults.bins_id(id_, f"{path}.{feature}"): faults.bins(counts, f"{path}.{feature}.{id_}")
            for id_, counts in faults.mapping(ids, f"{path}.{feature}").items()
        }
        for feature, ids in faults.mapping(raw, path).items()
    }


def _buckets(raw: object, path: str, faults: _Faults) -> dict[int, int]:
    buckets = {}
    for name, count in faults.counts(raw, path).items():
        if not (name.isascii() and name.isdigit() and int(name) <= ages.LAST):
            faults.add(f"{path}.{name}", f"is no bucket; buckets are 0 to {ages.LAST}")
        else:
            buckets[int(name)] = count
    return buckets


def _sampled(raw: object, path: str, faults: _Faults) -> RecordedLookup:
    fields = faults.record(
        raw, path, "at_us project view service key_sha256 key verdicts age_us", optional="key"
    )
    age_us = fields.get("age_us")
    key = faults.text(fields.get("key_sha256"), f"{path}.key_sha256", longest=64)
    verdicts = fields.get("verdicts")
    if not isinstance(verdicts, dict) or any(word not in list(_VERDICTS) for word in verdicts.values()):
        faults.add(f"{path}.verdicts", "must be an object of verdicts by feature")
        verdicts = {}
    return RecordedLookup(
        at=faults.instant(fields.get("at_us"), f"{path}.at_us"),
        project=faults.name(fields.get("project"), f"{path}.project", what="project"),
        view=faults.name(fields.get("view"), f"{path}.view", what="feature view"),
        service=faults.service(fields.get("service"), f"{path}.service"),
        key_sha256=key,
        key=None if fields.get("key") is None else faults.hexadecimal(fields.get("key"), f"{path}.key"),
        verdicts=verdicts,
        age=None if age_us is None else faults.age(age_us, f"{path}.age_us"),
    )


def _shown(raw: object) -> str:
    shown = repr(raw)
    return shown if len(shown) <= 60 else shown[:60] + "..."
