"""Reports as serving posts them."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60


def minute(**changes):
    """One minute of one view and service: 2 requests, 4 rows, 2 features."""
    counted = {
        "minute": MINUTE,
        "project": "flights",
        "view": "carrier_delays",
        "service": "delay_ranker",
        "contract": 3,
        "requests": 2,
        "rows": 4,
        "rejected_rows": 1,
        "failed_requests": 0,
        "values": {"fresh": 5, "null": 1, "missing": 0, "stale": 2, "invalid": 0, "unavailable": 0},
        "also_invalid": 1,
        "actions": {"serve": 6, "null": 0, "default": 1, "reject": 1},
        "features": {
            "avg_dep_delay": {"fresh": 3, "stale": 1},
            "flights_1d": {"fresh": 2, "null": 1, "stale": 1},
        },
        "age_buckets": {"30": 3, "78": 1},
    }
    return {**counted, **changes}


def sampled(**changes):
    """One sampled lookup."""
    told = {
        "at_us": int(NOW.timestamp()) * 1_000_000,
        "project": "flights",
        "view": "carrier_delays",
        "service": "",
        "key_sha256": "ab" * 32,
        "verdicts": {"avg_dep_delay": "stale"},
        "age_us": 4_000_000,
    }
    return {**told, **changes}


def report(*minutes, instance="edge-1f", sequence=1, **changes):
    """A report of those minutes (one, when none are named)."""
    said = {
        "format": 1,
        "instance": instance,
        "sequence": sequence,
        "sent_at_us": int(NOW.timestamp()) * 1_000_000,
        "dropped": 0,
        "minutes": list(minutes) or [minute()],
        "sampled": [],
    }
    return {**said, **changes}
