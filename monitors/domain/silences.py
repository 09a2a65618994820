"""Who is not told for a while. Judged when sending: the incident opens all the same."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import re2

from controlplane.kernel.errors import FieldError, Refused

LONGEST = timedelta(days=30)
LABELS = ("tier", "owner", "project", "view", "kind", "severity")
MAX_PATTERN = 200


class Op(StrEnum):
    """How a matcher compares; patterns match the whole label."""

    EQUAL = "="
    UNEQUAL = "!="
    MATCH = "=~"
    NO_MATCH = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label of an incident."""

    label: str
    op: Op
    value: str


@dataclass(frozen=True, slots=True)
class Silence:
    """In force from ``starts_at`` on, and no longer at ``ends_at`` itself."""

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime


_MATCHES: Mapping[Op, Callable[[str, str], bool]] = {
    Op.EQUAL: lambda found, wanted: found == wanted,
    Op.UNEQUAL: lambda found, wanted: found != wanted,
    Op.MATCH: lambda found, wanted: re2.fullmatch(wanted, found) is not None,
    Op.NO_MATCH: lambda found, wanted: re2.fullmatch(wanted, found) is None,
}


def covers(silence: Silence, labels: Mapping[str, str], *, at: datetime) -> bool:
    """Whether ``silence`` is in force at ``at`` and speaks of ``labels``."""
    if not silence.starts_at <= at < silence.ends_at:
        return False
    return all(_MATCHES[m.op](labels.get(m.label, ""), m.value) for m in silence.matchers)


def muted_until(silences: Iterable[Silence], labels: Mapping[str, str], *, at: datetime) -> datetime | None:
    """Return when to judge again what is muted at ``at``; None when nothing mutes it."""
    return max((s.ends_at for s in silences if covers(s, labels, at=at)), default=None)


def parse(
    matchers: Iterable[Mapping[str, object]], *, starts_at: datetime, ends_at: datetime, now: datetime
) -> Silence:
    """Return a checked silence; raises ``Refused`` naming every fault."""
    faults: list[FieldError] = []
    parsed = [_matcher(raw, f"matchers[{index}]", faults) for index, raw in enumerate(matchers)]
    if not parsed:
        faults.append(FieldError("matchers", "bad_value", "at least one matcher says what is silenced"))
    if ends_at <= max(starts_at, now):
        faults.append(FieldError("ends_at", "bad_value", "the end lies before the start, or has passed"))
    elif ends_at - starts_at > LONGEST:
        faults.append(FieldError("ends_at", "bad_value", f"a silence lasts at most {LONGEST.days} days"))
    if faults:
        raise Refused("bad_value", "; ".join(f"{f.path}: {f.message}" for f in faults), errors=faults)
    return Silence(tuple(matcher for matcher in parsed if matcher is not None), starts_at, ends_at)


def _matcher(raw: Mapping[str, object], path: str, faults: list[FieldError]) -> Matcher | None:
    label, op, value = raw.get("label"), raw.get("op", "="), raw.get("value")
    known = [one.value for one in Op]
    if label not in LABELS:
        message = f"{label!r}: write one of {', '.join(LABELS)}"
        faults.append(FieldError(f"{path}.label", "bad_value", message))
    elif op not in known:
        faults.append(FieldError(f"{path}.op", "bad_value", f"{op!r}: write one of {' '.join(known)}"))
    elif not isinstance(value, str) or len(value) > MAX_PATTERN:
        faults.append(FieldError(f"{path}.value", "bad_value", f"write a text of at most {MAX_PATTERN}"))
    elif "~" in str(op) and not _compiles(value):
        faults.append(FieldError(f"{path}.value", "bad_value", f"{value!r} is no pattern (RE2)"))
    else:
        return Matcher(str(label), Op(str(op)), value)
    return None


def _compiles(pattern: str) -> bool:
    try:
        re2.compile(pattern)
    except re2.error:
        return False
    return True
