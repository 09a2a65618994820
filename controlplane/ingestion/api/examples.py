"""Examples in the OpenAPI document; a test sends each and compares the shapes of the answers."""

from drf_spectacular.utils import OpenApiExample

ROWS = [
    OpenApiExample(
        "Two carriers, one of them with a time of its own",
        {
            "rows": [
                {"carrier": "UA", "avg_dep_delay": 12.5, "flights_1d": 160},
                {
                    "carrier": "AA",
                    "avg_dep_delay": 8.0,
                    "flights_1d": -1,
                    "event_time": "2026-11-23T11:55:00Z",
                },
            ],
            "deletes": [{"carrier": "ZZ"}],
        },
        request_only=True,
    ),
    OpenApiExample(
        "One row and the delete are written, the other row breaks the contract",
        {
            "written": 2,
            "older": 0,
            "unchanged": 0,
            "refused": [
                {
                    "index": 1,
                    "field": "flights_1d",
                    "code": "out_of_domain",
                    "message": "flights_1d: below the minimum 0",
                }
            ],
        },
        response_only=True,
        status_codes=["200"],
    ),
]
HEARTBEAT = [
    OpenApiExample(
        "Everything up to noon is posted",
        {"as_of": "2026-11-23T12:00:00Z", "writer": "delays-exporter"},
        request_only=True,
    )
]
