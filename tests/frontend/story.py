"""One story told on every page: flights are late, weather stopped, hourly_weather went stale, delay_model is hit."""

from datetime import UTC, datetime, timedelta

from frontend.charts import AgePoint, RunMark, Span, StripColumn, freshness_figure, summary
from frontend.minimap import MapNode
from frontend.records import home, incidents, view
from frontend.records.shell import Bar, Preferences, Shell

NOW = datetime(2026, 11, 22, 13, 44, tzinfo=UTC)


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def shell(**changes: object) -> Shell:
    known: dict[str, object] = {
        "user": "ada",
        "role": "operator",
        "project": "flights",
        "projects": ("flights", "search", "shop"),
        "my_open_incidents": 1,
        "open_incidents": 2,
        "may_operate": True,
        "may_administer": True,
        "preferences": Preferences(),
    }
    return Shell(**{**known, **changes})


BEHIND = Bar(
    "Monitoring itself is behind: last probe 6 min ago. States may be out of date.",
    "/settings/system",
    "System",
    "breach",
)


def strip(broken_since: int = 90) -> tuple[StripColumn, ...]:
    columns = []
    for index in range(96):
        counts = {"fresh": 38}
        if index >= broken_since:
            counts = {"fresh": 35, "stale": 2, "late": 1}
        if 40 <= index < 44:
            counts = {"fresh": 30, "no_data": 8}
        columns.append(StripColumn(ago(minutes=15 * (96 - index)), counts))
    return tuple(columns)


def wave(*, size: int = 24, base: float = 10, gap: int = -1) -> tuple[float | None, ...]:
    return tuple(None if i == gap else base + (i * 7919 % 13) / 4 for i in range(size))


def tiles() -> tuple[home.Tile, ...]:
    return (
        home.Tile("Lookups", "412/s", "served in the last minute", wave(base=400)),
        home.Tile("Violations", "0.3 %", "of values, last hour", wave(base=0)),
        home.Tile("Store probe p95", "3.1 ms", "read of known keys", wave(base=3, gap=9)),
        home.Tile("Changed", "2.1 %", "of rows scanned by the last batch", wave(base=2)),
        home.Tile("Serving p95", "no data", "not reported yet", ()),
    )


def broken_view(**changes: object) -> home.BrokenView:
    known: dict[str, object] = {
        "view": "hourly_weather",
        "state": "stale",
        "age": minutes(42),
        "limit": minutes(15),
        "since": ago(minutes=27),
        "owner": "team-weather",
        "consumers": 3,
        "incident": 142,
    }
    return home.BrokenView(**{**known, **changes})


def home_page(**changes: object) -> home.HomePage:
    counts = {"missing": 0, "stale": 2, "violating": 0, "late": 1, "no_data": 0, "paused": 1, "fresh": 34}
    group = home.BrokenGroup(
        "source weather_files stopped 13:02",
        "dataset:file|/data/weather",
        (broken_view(), broken_view(view="weather_by_airport", age=minutes(39), acknowledged_by="grace")),
    )
    lone = home.BrokenGroup(
        "", "", (broken_view(view="carrier_delays", state="late", age=minutes(13), consumers=1, incident=None),)
    )
    known: dict[str, object] = {
        "project": "flights",
        "scope": "mine",
        "verdict": home.verdict(counts, scope="mine", oldest=", oldest since 13:17 (27 min)"),
        "verdict_state": "stale",
        "checked_at": ago(seconds=12),
        "counts": tuple(home.StateCount(state, count) for state, count in counts.items()),
        "strip": strip(),
        "broken": (group, lone),
        "broken_total": 3,
        "incidents": (
            home.IncidentLine(142, "2 views stale: weather_files stopped", "critical", "open", ago(minutes=27)),
        ),
        "runs": (
            home.RunLine(8813, "flight_delays", "batch", "compare", 1_900_000, 4_000_000, ago(seconds=48)),
            home.RunLine(8814, "departures", "stream", "write", 31_204, None, ago(hours=7)),
        ),
        "approaching": (
            home.Approaching("aircraft_usage", minutes(52), minutes(60), NOW + minutes(8)),
        ),
        "changes": (
            home.Change("contract v7: delay_15m is at most 30m old (was 15m)", "flight_delays", ago(hours=3), "grace"),
        ),
        "tiles": tiles(),
    }
    return home.HomePage(**{**known, **changes})


def quiet_home() -> home.HomePage:
    counts = {state: 0 for state in ("missing", "stale", "violating", "late", "no_data", "paused")} | {"fresh": 38}
    return home_page(
        verdict=home.verdict(counts, scope="mine"),
        verdict_state="fresh",
        counts=tuple(home.StateCount(s, c) for s, c in counts.items()),
        strip=strip(broken_since=200),
        broken=(),
        broken_total=0,
        incidents=(),
        runs=(),
        approaching=(),
        changes=(),
    )


def empty_home() -> home.HomePage:
    steps = (
        home.Step("Apply a definition: entities, sources, feature views", False, "freshline apply definition.yaml"),
        home.Step("Write the first rows", False, "freshline push VIEW rows.parquet"),
        home.Step("Start a serving process", True, "freshline-serving"),
        home.Step("Add a channel and send a test", False, "", "/settings/channels"),
    )
    return home_page(
        verdict="No feature views yet",
        verdict_state="no_data",
        checked_at=None,
        counts=(),
        strip=(),
        broken=(),
        broken_total=0,
        incidents=(),
        runs=(),
        approaching=(),
        changes=(),
        tiles=(),
        steps=steps,
    )


def huge_home() -> home.HomePage:
    name = "v" * 63
    group = home.BrokenGroup(
        "run " + "x" * 120 + " failed 12:47: <b>disk full</b>",
        "job:a|" + "y" * 200,
        tuple(
            broken_view(view=f"{name[:60]}{i:03d}", age=timedelta(days=900), consumers=123_456, owner="t" * 63)
            for i in range(10)
        ),
    )
    counts = {"missing": 3, "stale": 9_120, "violating": 44, "late": 512, "no_data": 17, "paused": 3, "fresh": 301}
    return home_page(
        verdict=home.verdict(counts, scope="all"),
        scope="all",
        counts=tuple(home.StateCount(s, c) for s, c in counts.items()),
        broken=(group,),
        broken_total=9_696,
    )


def ages() -> tuple[AgePoint, ...]:
    points = []
    for index in range(145):
        since_run = (index * 10) % 120
        grown = index - 136 if index > 136 else 0
        points.append(AgePoint(ago(minutes=10 * (144 - index)), minutes(2 + since_run / 10 + grown * 5)))
    return tuple(points)


def overview(**changes: object) -> view.Overview:
    points = ages()
    limit = minutes(15)
    figure = freshness_figure(
        points=points,
        warn=minutes(12),
        limit=limit,
        runs=[RunMark(ago(hours=h), "succeeded" if h != 1 else "failed") for h in range(1, 24, 2)],
        incidents=[Span(ago(minutes=27), None, "INC-142")],
        until=NOW,
    )
    known: dict[str, object] = {
        "figure": figure,
        "summary": summary(points, limit=limit, breaches=1, window="the last 24 h"),
        "range": "24h",
        "points": tuple(view.AgeRow(p.at, p.age, "fresh") for p in points[-12:]),
        "strips": (
            view.FeatureStrip("wind_speed", "stale", ("fresh",) * 40 + ("late",) * 2 + ("stale",) * 6, "27 min"),
            view.FeatureStrip("visibility", "fresh", ("fresh",) * 20 + (None,) * 4 + ("fresh",) * 24),
        ),
        "receivers": (view.Receiver("#weather-alerts", "Slack", "every incident"), view.Receiver("pd-weather", "PagerDuty", "critical only")),
        "map_nodes": (
            MapNode("dataset:file|/data/weather", "dataset", "weather_files", "missing", -2),
            MapNode("job:flights|hourly_weather.batch", "job", "hourly_weather.batch", "late", -1),
            MapNode("view:flights/hourly_weather", "view", "hourly_weather", "stale", 0),
            *(MapNode(f"service:flights/s{i}", "service", f"delay_service_{i}", "fresh" if i else "stale", 1) for i in range(7)),
        ),
        "map_edges": (
            ("dataset:file|/data/weather", "job:flights|hourly_weather.batch"),
            ("job:flights|hourly_weather.batch", "view:flights/hourly_weather"),
            *((("view:flights/hourly_weather", f"service:flights/s{i}")) for i in range(7)),
        ),
        "map_cause": ("dataset:file|/data/weather", "job:flights|hourly_weather.batch", "view:flights/hourly_weather"),
        "snippets": (
            view.Snippet("curl", 'curl -s http://127.0.0.1:6566/v1/lookup \\\n  -H "Authorization: Bearer $FRESHLINE_TOKEN" \\\n  -d \'{"project": "flights"}\''),
            view.Snippet("Python", "import httpx\n\nanswer = httpx.post(...)"),
        ),
    }
    return view.Overview(**{**known, **changes})


def contract(**changes: object) -> view.ContractTab:
    known: dict[str, object] = {
        "number": 7,
        "max_age": minutes(15),
        "warn_after": minutes(12),
        "enforcement": "enforce",
        "promises": (
            view.Promise("wind_speed", "float64", False, "0 to 200", "0.0", "default", "null", "reject"),
            view.Promise("visibility", "float64", True, "", "", "serve", "null", "null"),
        ),
        "text": "feature_views:\n- name: hourly_weather\n  features: ...",
        "versions": (
            view.Version(7, ago(hours=3), "grace", "risky", ("wind_speed: max 200 (was 150)",), 2, 3),
            view.Version(6, ago(days=4), "ada", "compatible", (), 3, 3),
            view.Version(1, ago(days=40), "ada", "", ()),
        ),
    }
    return view.ContractTab(**{**known, **changes})


def comparison() -> view.Comparison:
    text = "\n".join(f"line {i}: value" for i in range(30))
    return view.Comparison(
        6,
        7,
        (
            view.Difference("wind_speed", "at most 150", "at most 200", "risky"),
            view.Difference("gust", "float64, may be null", "", "breaking"),
            view.Difference("visibility", "", "float64", "compatible"),
        ),
        11,
        text,
        text.replace("line 12: value", "line 12: other"),
    )


def cells() -> tuple[view.HealthCell, ...]:
    return (
        view.HealthCell("freshness", "Freshness", "stale", "42 min", "of 15 min (2.8x)", wave(base=12), "?tab=overview#freshness"),
        view.HealthCell("completeness", "Completeness", "good", "0.4 %", "null or missing", wave(base=0), ""),
        view.HealthCell("contract", "Contract", "good", "0", "violations in 1,000 lookups", wave(base=0, gap=3), "?tab=contract"),
        view.HealthCell("serving", "Serving", "good", "410/min", "lookups", wave(base=400), ""),
        view.HealthCell("run", "Last run", "hollow", "4.1 s", "0 rows, 13:04", wave(base=4), "?tab=runs"),
        view.HealthCell("budget", "Probe", "no_data", "–", "no result yet", (), ""),
    )


def view_page(**changes: object) -> view.ViewPage:
    known: dict[str, object] = {
        "project": "flights",
        "name": "hourly_weather",
        "node": "view:flights/hourly_weather",
        "state": "stale",
        "since": ago(minutes=27),
        "age": minutes(42),
        "limit": minutes(15),
        "entities": ("airport",),
        "join_keys": ("origin",),
        "owner": "team-weather",
        "description": "Wind, visibility and rain at each airport, every hour.",
        "tier": "gold",
        "runbook": "https://runbooks.example/weather",
        "tags": ("weather", "hourly"),
        "lanes": ("batch",),
        "paused": False,
        "cells": cells(),
        "incident": view.OpenIncident(142, "open", "stale", ago(minutes=27), "source weather_files stopped 13:02", 3),
        "tab": "overview",
        "overview": overview(),
        "may_operate": True,
    }
    return view.ViewPage(**{**known, **changes})


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
        "deliveries": (incidents.Delivery("#weather-alerts", "sent"), incidents.Delivery("pd-weather", "failed")),
    }
    return incidents.IncidentRow(**{**known, **changes})


def incident_page(**changes: object) -> incidents.IncidentPage:
    step = incidents.ChainStep
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
        "chain": (
            step("dataset:file|/data/weather", "dataset", "weather_files", "missing", "lag 41 min, nothing new since 13:02", ago(minutes=42), "", True),
            step("job:flights|hourly_weather.batch", "job", "hourly_weather.batch", "late", "hollow: 0 rows 13:04", ago(minutes=40), "/p/flights/runs/8812"),
            step("view:flights/hourly_weather", "view", "hourly_weather", "stale", "42 min, at most 15 min (2.8x)", ago(minutes=27), "/p/flights/features/hourly_weather"),
            step("service:flights/delay_v3", "service", "delay_v3", "stale", "410 lookups/min", None, ""),
        ),
        "confidence": "high",
        "reason": "first bad in time and most upstream; 2 of 2 symptoms share it",
        "alternatives": (incidents.Alternative("carrier_import", "job:etl|carrier_import", "failed 12:10, but no path of data leads here"),),
        "consumers": (
            incidents.Consumer("delay_v3", "feature service", 410, 0.62, "team-models"),
            incidents.Consumer("delay_model", "model", None, None, ""),
        ),
        "views": (
            incidents.AffectedView("hourly_weather", "stale", minutes(42), minutes(15)),
            incidents.AffectedView("weather_by_airport", "stale", minutes(39), minutes(30)),
        ),
        "timeline": (
            incidents.TimelineEntry(ago(minutes=27), "opened", "hourly_weather is stale: 15 min 12 s old, at most 15 min"),
            incidents.TimelineEntry(ago(minutes=27), "notification", "Sent to #weather-alerts"),
            incidents.TimelineEntry(ago(minutes=26), "notification", "pd-weather answered 503; next try in 4 s", failed=True),
            incidents.TimelineEntry(ago(minutes=20), "acknowledged", "Acknowledged", "grace"),
        ),
        "runbook": "https://runbooks.example/weather",
        "may_operate": True,
    }
    return incidents.IncidentPage(**{**known, **changes})
