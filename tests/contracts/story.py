"""One small project that the tests of contracts tell: delays of carriers, read by a ranker."""

import copy

from controlplane.contracts.definition import parse

DOCUMENT = {
    "version": 1,
    "project": "flights",
    "entities": [{"name": "carrier", "join_keys": [{"name": "carrier", "dtype": "string"}], "owner": "ops"}],
    "sources": [
        {"name": "flights", "kind": "parquet", "uri": "data/flights.parquet", "event_time": "time_hour"},
        {"name": "departures", "kind": "stream", "uri": "data/departures.jsonl", "max_idle": "30m"},
        {"name": "scores", "kind": "push", "lineage": {"namespace": "s3://lake", "name": "gold/scores"}},
    ],
    "feature_views": [
        {
            "name": "delays",
            "entities": ["carrier"],
            "owner": "delays",
            "tier": "gold",
            "features": [
                {"name": "avg_delay", "dtype": "float64", "min": -120, "max": 2880, "default": 0.0},
                {"name": "flights_1d", "dtype": "int64", "nullable": False, "min": 0, "default": 0},
                {"name": "last_tail", "dtype": "string", "max_length": 16},
            ],
            "freshness": {"warn_after": "20m", "max_age": "45m"},
            "on_stale": "serve",
            "on_missing": "null",
            "on_invalid": "null",
            "expire_after": "30d",
            "batch": {"source": "flights", "query": "SELECT 1", "schedule": "*/15 * * * *"},
            "stream": {"source": "departures", "fields": {"avg_delay": "stats.avg"}},
            "direct": {"source": "scores", "heartbeat": "5m"},
        }
    ],
    "feature_services": [
        {
            "name": "ranker",
            "owner": "ranking",
            "model": "ranker@2026-11",
            "features": ["delays:avg_delay", "delays:flights_1d"],
            "max_age": "1h",
            "on_stale": "default",
            "max_rejected": 0.05,
            "slo": {"target": 99.5, "window": "28d"},
        }
    ],
}


def document(*edits):
    """A copy of the story's file, edited: ``("feature_views.0.tier", "silver")``; DROP removes."""
    edited = copy.deepcopy(DOCUMENT)
    for path, value in edits:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place = edited
        for part in parents:
            place = place[part]
        if value is DROP:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return edited


DROP = object()


def definition(*edits, **known):
    return parse(document(*edits), **known)
