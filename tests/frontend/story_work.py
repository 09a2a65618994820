"""The story in runs and incidents."""

from datetime import timedelta

from frontend.records import incidents, runs, view
from tests.frontend.story import ago, minutes


def run_row(**changes: object) -> view.RunRow:
    known: dict[str, object] = {
        "id": 8812,
        "view": "hourly_weather",
        "lane": "batch",
        "state": "succeeded",
        "trigger": "schedule",
        "started_at": ago(minutes=40),
        "took": timedelta(seconds=4.1),
        "usual": timedelta(seconds=4),
        "read": 1_000_000,
        "changed": 20_000,
        "written": 20_000,
        "refused": 0,
        "worker": "worker-1",
    }
    return view.RunRow(**{**known, **changes})


def run_list(**changes: object) -> runs.RunListPage:
    known: dict[str, object] = {
        "project": "flights",
        "live": (
            run_row(
                id=8813,
                state="running",
                phase="compare",
                took=timedelta(seconds=48),
                read=1_900_000,
                changed=31_000,
                written=None,
                refused=None,
            ),
        ),
        "rows": (
            run_row(state="failed", id=8811, written=0, trigger="retry"),
            run_row(hollow=True, read=0, changed=0, written=0),
            run_row(id=8810, took=timedelta(seconds=9.8), refused=12),
            run_row(id=8809, state="held", changed=400_000),
            run_row(
                id=8808,
                state="aborted",
                read=None,
                changed=None,
                written=None,
                refused=None,
                took=None,
                started_at=None,
            ),
        ),
        "state": "",
        "lane": "",
        "view": "",
        "after": "x",
    }
    return runs.RunListPage(**{**known, **changes})


def run_page(state: str = "failed", **changes: object) -> runs.RunPage:
    done = [
        "done",
        "done",
        "done",
        {"failed": "failed", "running": "running"}.get(state, "done"),
        "waiting",
        "waiting",
    ]
    if state == "succeeded":
        done = ["done"] * 6
    phases = tuple(
        runs.Phase(
            name,
            how,
            timedelta(seconds=1.5 * (i + 1)) if how != "waiting" else None,
            0.2,
            1_000_000 if i < 3 else None,
        )
        for i, (name, how) in enumerate(zip(runs.PHASES, done, strict=True))
    )
    error = runs.RunError(
        "write",
        "store_unavailable: view hourly_weather, write_rows: connection refused",
        "store_unavailable",
        3,
    )
    known: dict[str, object] = {
        "project": "flights",
        "run": run_row(state=state, phase="write", refused=2),
        "done": 400_000,
        "total": 1_000_000,
        "phases": phases,
        "figures": (
            runs.Compared("rows read", "1,000,000", "998,112", "+0.2 %"),
            runs.Compared("changed", "20,000", "–"),
        ),
        "error": error if state == "failed" else None,
        "refused": (runs.RefusedSample("row 17", "wind_speed", "above the maximum 200"),),
        "watermark_before": ago(hours=1),
        "watermark_after": None,
        "openlineage_run_id": "0197a9f2-3c1e-7c43-9d37-7a64b7d0a001",
        "lineage_node": "job:flights|hourly_weather.batch",
        "events": '{\n  "eventType": "FAIL"\n}',
        "previous": 8800,
        "may_operate": True,
        "note": "Held: 41 % of the keys would change. Release it, or the next run takes its place."
        if state == "held"
        else "",
    }
    return runs.RunPage(**{**known, **changes})


def incident_row(**changes: object) -> incidents.IncidentRow:
    known: dict[str, object] = {
        "number": 142,
        "title": "2 views stale: weather_files stopped",
        "severity": "critical",
        "state": "open",
        "opened_at": ago(minutes=27),
        "resolved_at": None,
        "cause": "source weather_files stopped 13:02",
        "views": 2,
        "consumers": 3,
        "owner": "team-weather",
        "deliveries": (
            incidents.Delivery("#weather-alerts", "sent"),
            incidents.Delivery("pd-weather", "dead"),
        ),
    }
    return incidents.IncidentRow(**{**known, **changes})


CHAIN = (
    incidents.ChainStep(
        "dataset:file|/data/weather",
        "dataset",
        "weather_files",
        "missing",
        "lag 41 min, nothing new since 13:02",
        ago(minutes=42),
        "",
        True,
    ),
    incidents.ChainStep(
        "job:flights|hourly_weather.batch",
        "job",
        "hourly_weather.batch",
        "late",
        "hollow: 0 rows 13:04",
        ago(minutes=40),
        "/p/flights/runs/8812",
    ),
    incidents.ChainStep(
        "view:flights/hourly_weather",
        "view",
        "hourly_weather",
        "stale",
        "42 min, at most 15 min (2.8x)",
        ago(minutes=27),
        "/p/flights/features/hourly_weather",
    ),
    incidents.ChainStep(
        "service:flights/delay_v3", "service", "delay_v3", "stale", "410 lookups/min", None, ""
    ),
)


TIMELINE = (
    incidents.TimelineEntry(
        ago(minutes=27), "opened", "hourly_weather is stale: 15 min 12 s old, at most 15 min"
    ),
    incidents.TimelineEntry(ago(minutes=27), "notification", "Sent to #weather-alerts"),
    incidents.TimelineEntry(
        ago(minutes=26), "notification", "pd-weather answered 503; next try in 4 s", failed=True
    ),
    incidents.TimelineEntry(ago(minutes=20), "acknowledged", "Acknowledged", "grace"),
)


def incident_page(**changes: object) -> incidents.IncidentPage:
    known: dict[str, object] = {
        "project": "flights",
        "number": 142,
        "title": "2 views stale: weather_files stopped",
        "severity": "critical",
        "state": "open",
        "health": "stale",
        "kind": "stopped_source",
        "view": "hourly_weather",
        "node": "view:flights/hourly_weather",
        "opened_at": ago(minutes=27),
        "resolved_at": None,
        "chain": CHAIN,
        "confidence": "high",
        "reason": "first bad in time and most upstream; 2 of 2 symptoms share it",
        "alternatives": (
            incidents.Alternative(
                "carrier_import", "job:etl|carrier_import", "failed 12:10, but no path of data leads here"
            ),
        ),
        "consumers": (
            incidents.Consumer("delay_v3", "feature service", 410, 0.62, "team-models"),
            incidents.Consumer("delay_model", "model", None, None, ""),
        ),
        "views": (
            incidents.AffectedView("hourly_weather", "stale", minutes(42), minutes(15)),
            incidents.AffectedView("weather_by_airport", "stale", minutes(39), minutes(30)),
        ),
        "timeline": TIMELINE,
        "runbook": "https://runbooks.example/weather",
        "may_operate": True,
        "summary": "age 42 min of the oldest keys (95th percentile), max 15 min, 2.8x",
        "owner": "team-weather",
        "scope": "the view hourly_weather",
        "messages": (
            incidents.Message("weather-alerts", "opened", "sent", ago(minutes=27), 1),
            incidents.Message("pd-weather", "opened", "dead", ago(minutes=26), 3, "HTTP 400 invalid event"),
        ),
    }
    return incidents.IncidentPage(**{**known, **changes})


def inbox(rows: tuple[incidents.IncidentRow, ...], **changes: object) -> incidents.InboxPage:
    known: dict[str, object] = {
        "project": "flights",
        "tab": "open",
        "counts": (
            ("open", len(rows)),
            ("acknowledged", 1),
            ("silenced", 0),
            ("resolved", 140),
            ("all", 142),
        ),
        "rows": rows,
        "monitored": 38,
        "last_probe_at": ago(seconds=12),
    }
    return incidents.InboxPage(**{**known, **changes})
