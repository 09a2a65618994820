"""Examples in the OpenAPI document; a test compares their shapes with real answers."""

from drf_spectacular.utils import OpenApiExample

ACKNOWLEDGED = [
    OpenApiExample(
        "Somebody is at it",
        {
            "number": 142,
            "name": "INC-142",
            "project": "flights",
            "state": "acknowledged",
            "kind": "served_age",
            "family": "freshness",
            "severity": "page",
            "subject": "view:flights/carrier_delays",
            "view": "carrier_delays",
            "service": None,
            "owner": "delays",
            "summary": "age 50 min, max 45 min, 1.1x",
            "cause": {
                "node": "job:etl|refine",
                "kind": "failed_run",
                "run": "019ab3c4-7d5e-7f60-8a9b-0c1d2e3f4a5b",
                "reason": "disk full",
                "confidence": "high",
                "since": "2026-11-23T11:59:00Z",
                "path": ["view:flights/carrier_delays", "dataset:s3://lake|gold/flights", "job:etl|refine"],
            },
            "parent": None,
            "open_children": None,
            "opened_at": "2026-11-23T12:00:00Z",
            "acknowledged_at": "2026-11-23T12:01:00Z",
            "acknowledged_by": "ada",
            "resolved_at": None,
            "resolution": None,
        },
        response_only=True,
    )
]
