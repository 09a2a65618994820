"""Examples in the OpenAPI document; a test sends each and compares the shapes of the answers."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

DEFINITION: dict[str, Any] = {
    "version": 1,
    "project": "flights",
    "entities": [{"name": "carrier", "join_keys": [{"name": "carrier", "dtype": "string"}], "owner": "ops"}],
    "feature_views": [
        {
            "name": "carrier_delays",
            "entities": ["carrier"],
            "owner": "delays",
            "features": [
                {"name": "avg_dep_delay", "dtype": "float64", "min": -120, "max": 2880, "default": 0.0},
                {"name": "flights_1d", "dtype": "int64", "nullable": False, "min": 0, "default": 0},
            ],
            "freshness": {"warn_after": "20m", "max_age": "45m"},
            "direct": True,
        }
    ],
    "feature_services": [
        {
            "name": "delay_ranker",
            "owner": "ranking",
            "model": "delay-ranker@2026-11",
            "features": ["carrier_delays:avg_dep_delay"],
            "max_age": "1h",
            "on_stale": "default",
        }
    ],
}
_DIGEST = "5c2f6b0e9d4a7f3184f0b7c9a1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e"
_CHANGES = [
    {
        "kind": "feature_view",
        "name": "carrier_delays",
        "action": "create",
        "level": "compatible",
        "reasons": ["new"],
        "consumers": [],
        "recorded_lookups_affected": 0,
    }
]

_FILE = OpenApiExample(
    "A view and who reads it", DEFINITION, request_only=True, media_type="application/json"
)
PLAN = [
    _FILE,
    OpenApiExample("What would change", {"changes": _CHANGES, "digest": _DIGEST}, response_only=True),
]
APPLY = [
    _FILE,
    OpenApiExample(
        "What changed",
        {"changes": _CHANGES, "bundle": {"number": 7, "digest": _DIGEST}},
        response_only=True,
    ),
]
