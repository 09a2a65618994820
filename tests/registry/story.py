"""The one story: the flights project of an airline's delays team, read by the ranking team."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

FLIGHTS = {
    "version": 1,
    "project": "flights",
    "entities": [{"name": "carrier", "join_keys": [{"name": "carrier", "dtype": "string"}], "owner": "ops"}],
    "sources": [
        {"name": "flights", "kind": "parquet", "uri": "data/flights.parquet", "event_time": "time_hour"}
    ],
    "feature_views": [
        {
            "name": "carrier_delays",
            "entities": ["carrier"],
            "owner": "delays",
            "tier": "gold",
            "features": [
                {"name": "avg_dep_delay", "dtype": "float64", "min": -120, "max": 2880, "default": 0.0},
                {"name": "flights_1d", "dtype": "int64", "nullable": False, "min": 0, "default": 0},
                {"name": "last_tail", "dtype": "string", "max_length": 16, "default": "none"},
            ],
            "freshness": {"warn_after": "20m", "max_age": "45m"},
            "batch": {"source": "flights", "query": "SELECT * FROM flights", "schedule": "*/15 * * * *"},
            "direct": True,
        }
    ],
    "feature_services": [
        {
            "name": "delay_ranker",
            "owner": "ranking",
            "model": "delay-ranker@2026-11",
            "features": ["carrier_delays:avg_dep_delay", "carrier_delays:flights_1d"],
            "max_age": "1h",
            "on_stale": "default",
        }
    ],
}


def flights(**changes):
    """The definition file, with top-level lists replaced."""
    return {**FLIGHTS, **changes}


def view(**changes):
    """The view's definition, with fields replaced; None takes a field away."""
    changed = {**FLIGHTS["feature_views"][0], **changes}
    return {name: value for name, value in changed.items() if value is not None}


def service(**changes):
    """The service's definition, with fields replaced."""
    return {**FLIGHTS["feature_services"][0], **changes}
