"""The heat strip: how each feature's values were in each half hour of the last day, worst first."""

from collections.abc import Iterable, Mapping

from frontend.readers.last_day import LastDay
from frontend.records.view import FeatureStrip
from frontend.states import HEALTH, severity
from frontend.wording import count, percent
from monitors.domain.kinds import KINDS, Kind

_Counts = Mapping[str, int]
_WORST = 50  # of more features the page would be all strips

# From which share on the values of a half hour are told as what is wrong with them: where monitors open an
# incident. Of age they judge the 95th percentile.
_LIMITS = {
    "missing": ("missing", KINDS[Kind.COVERAGE].limit or 0.0),
    "stale": ("stale", 0.05),
    "invalid": ("violating", KINDS[Kind.INVALID_RATE].limit or 0.0),
}


def read_strips(features: Iterable[str], day: LastDay, *, state: str) -> tuple[FeatureStrip, ...]:
    """Return the strips of a view's features, at most 50.

    ``state`` is the view's own: while nobody watches it, or a person paused that, no feature is called
    fresh, whatever was seen before.
    """
    strips = [_strip(feature, day, state=state) for feature in features]
    strips.sort(key=lambda strip: (severity(strip.state), -_bad_cells(strip), strip.feature))
    return tuple(strips[:_WORST])


def state_of(looked_up: _Counts, probed: _Counts) -> str | None:
    """Return the worst that lookups or probes got of a feature, None where nobody looked."""
    told = [state for state in (_judge(looked_up), _judge(probed)) if state is not None]
    sure = [state for state in told if state != "no_data"]
    return min(sure or told, key=list(HEALTH).index, default=None)


def _judge(counts: _Counts) -> str | None:
    total = sum(counts.values())
    readable = total - counts.get("unavailable", 0)
    if not readable:
        return "no_data" if total else None
    for verdict, (state, limit) in _LIMITS.items():
        if counts.get(verdict, 0) > limit * readable:
            return state
    return "fresh"


def _strip(feature: str, day: LastDay, *, state: str) -> FeatureStrip:
    pairs = [
        ({}, {}) if column is None else (column.features.get(feature, {}), column.probed.get(feature, {}))
        for column in day.columns
    ]
    cells = tuple(state_of(*pair) for pair in pairs)
    # A half hour has just begun, and nobody has looked yet: then the one before it speaks.
    last = next((index for index in (-1, -2) if cells[index] is not None), -1)
    now = cells[last] or "no_data"
    if now == "fresh" and state in ("no_data", "paused"):
        now = state
    return FeatureStrip(feature, now, cells, since=day.since, note=_note(*pairs[last]))


def _note(looked_up: _Counts, probed: _Counts) -> str:
    """Say what was not as promised, by who makes the state what it is; of two alike, who saw more values."""
    worst = state_of(looked_up, probed)
    counts = max(looked_up, probed, key=lambda each: (_judge(each) == worst, sum(each.values())))
    total = sum(counts.values())
    bad = [
        f"{percent(counts[verdict] / total)} {verdict}"
        for verdict in ("missing", "stale", "invalid", "unavailable")
        if counts.get(verdict)
    ]
    return f"{', '.join(bad)} of {count(total)} values" if bad else ""


def _bad_cells(strip: FeatureStrip) -> int:
    return sum(cell not in ("fresh", "no_data", None) for cell in strip.cells)
