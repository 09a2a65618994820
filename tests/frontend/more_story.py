"""The rest of the story: catalogue, runs, lineage, playground, settings."""

from datetime import timedelta

from frontend.records import catalogue, incidents, lineage, playground, runs, settings
from frontend.records.view import Snippet
from tests.frontend.story import NOW, ago, minutes, run_row


def view_row(index: int = 0, **changes: object) -> catalogue.ViewRow:
    known: dict[str, object] = {
        "view": f"hourly_weather_{index}",
        "state": ("stale", "late", "no_data", "fresh", "paused", "missing", "violating")[index % 7],
        "description": "Wind, visibility and rain at each airport, every hour.",
        "entities": ("airport",),
        "owner": "team-weather",
        "age": minutes(42 - index % 40) if index % 7 != 5 else None,
        "limit": minutes(15),
        "lanes": ("batch",),
        "tags": ("weather",),
        "features": 12,
        "lookups_per_minute": 410.5 if index % 3 else None,
        "consumers": 3,
        "last_run_state": "succeeded" if index % 2 else "",
        "last_run_at": ago(minutes=40),
    }
    return catalogue.ViewRow(**{**known, **changes})


def catalogue_page(rows: int = 14, **changes: object) -> catalogue.CataloguePage:
    known: dict[str, object] = {
        "project": "flights",
        "query": "",
        "kind": "views",
        "state": "",
        "owner": "",
        "sort": "",
        "total": 3_412,
        "first": 1,
        "after": "cursor=",
        "views": tuple(view_row(i) for i in range(rows)),
        "owners": ("team-weather", "team-models"),
    }
    return catalogue.CataloguePage(**{**known, **changes})


def features_page() -> catalogue.CataloguePage:
    rows = tuple(
        catalogue.FeatureRow("hourly_weather", f"wind_{i}", "float64", "stale", "m/s at 10 m", "team-weather") for i in range(5)
    )
    return catalogue_page(0, kind="features", query="wind", features=rows, total=5, after="")


def run_list(**changes: object) -> runs.RunListPage:
    known: dict[str, object] = {
        "project": "flights",
        "live": (run_row(id=8813, state="running", phase="compare", took=timedelta(seconds=48), read=1_900_000, changed=31_000, written=None, refused=None),),
        "rows": (
            run_row(state="failed", id=8811, written=0, trigger="retry"),
            run_row(hollow=True, read=0, changed=0, written=0),
            run_row(id=8810, took=timedelta(seconds=9.8), refused=12),
            run_row(id=8809, state="held", changed=400_000),
            run_row(id=8808, state="aborted", read=None, changed=None, written=None, refused=None, took=None, started_at=None),
        ),
        "state": "",
        "lane": "",
        "view": "",
        "after": "x",
    }
    return runs.RunListPage(**{**known, **changes})


def run_page(state: str = "failed", **changes: object) -> runs.RunPage:
    done = ["done", "done", "done", {"failed": "failed", "running": "running"}.get(state, "done"), "waiting", "waiting"]
    if state == "succeeded":
        done = ["done"] * 6
    phases = tuple(
        runs.Phase(name, how, timedelta(seconds=1.5 * (i + 1)) if how != "waiting" else None, 0.2, 1_000_000 if i < 3 else None)
        for i, (name, how) in enumerate(zip(runs.PHASES, done, strict=True))
    )
    error = runs.RunError("write", "store_unavailable: view hourly_weather, write_rows: connection refused", "store_unavailable", "Traceback\n  line", 3)
    known: dict[str, object] = {
        "project": "flights",
        "run": run_row(state=state, phase="write", refused=2),
        "done": 400_000,
        "total": 1_000_000,
        "phases": phases,
        "figures": (runs.Compared("rows read", "1,000,000", "998,112", "+0.2 %"), runs.Compared("changed", "20,000", "–")),
        "error": error if state == "failed" else None,
        "refused": (runs.RefusedSample("row 17", "wind_speed", "above the maximum 200"),),
        "watermark_before": ago(hours=1),
        "watermark_after": None,
        "openlineage_run_id": "0197a9f2-3c1e-7c43-9d37-7a64b7d0a001",
        "lineage_node": "job:flights|hourly_weather.batch",
        "events": '{\n  "eventType": "FAIL"\n}',
        "previous": 8800,
        "may_operate": True,
    }
    return runs.RunPage(**{**known, **changes})


def inbox(rows: tuple[incidents.IncidentRow, ...], **changes: object) -> incidents.InboxPage:
    known: dict[str, object] = {
        "project": "flights",
        "tab": "open",
        "counts": (("open", len(rows)), ("acknowledged", 1), ("silenced", 0), ("resolved", 140), ("all", 142)),
        "rows": rows,
        "monitored": 38,
        "last_probe_at": ago(seconds=12),
    }
    return incidents.InboxPage(**{**known, **changes})


def lineage_page(**changes: object) -> lineage.LineagePage:
    row = lineage.LineageRow
    known: dict[str, object] = {
        "project": "flights",
        "focus": "view:flights/hourly_weather",
        "focus_name": "hourly_weather",
        "mode": "graph",
        "rows": (
            row("dataset:file|/data/weather", "dataset", "weather_files", "file", "missing", "lag 41 min", "", -2, "hourly_weather.batch", True, True),
            row("job:flights|hourly_weather.batch", "job", "hourly_weather.batch", "flights", "late", "hollow 13:04", "", -1, "hourly_weather", True),
            row("view:flights/hourly_weather", "view", "hourly_weather", "flights", "stale", "42 min / 15 min", "team-weather", 0, "", True),
            row("service:flights/delay_v3", "service", "delay_v3", "flights", "stale", "410 lookups/min", "team-models", 1, "hourly_weather"),
        ),
        "problems": (),
        "views": (),
        "left_out": "3 more left out: limit of 120 nodes, worst and nearest first",
        "cause": "source weather_files stopped 13:02",
    }
    return lineage.LineagePage(**{**known, **changes})


def lineage_start(**changes: object) -> lineage.LineagePage:
    problem = lineage.Problem
    known: dict[str, object] = {
        "focus": "",
        "focus_name": "",
        "rows": (),
        "problems": (problem("dataset:file|/data/weather", "dataset", "weather_files", "missing", "lag 41 min"),),
        "views": tuple(problem(f"view:flights/v{i}", "view", f"flight_delays_{i}", "fresh", "3 min / 15 min") for i in range(6)),
    }
    return lineage_page(**{**known, **changes})


CHOICE = playground.Choice("hourly_weather", "hourly_weather (view)", ("origin",), ("wind_speed", "visibility", "gust"))


def playground_page(**changes: object) -> playground.PlaygroundPage:
    known: dict[str, object] = {
        "project": "flights",
        "choices": (CHOICE, playground.Choice("service:delay_v3", "delay_v3 (service)", ("origin",), ())),
        "target": "hourly_weather",
        "features": (),
        "keys": "origin=JFK",
        "recent_keys": ("origin=JFK", "origin=LGA"),
    }
    return playground.PlaygroundPage(**{**known, **changes})


def answered() -> playground.PlaygroundPage:
    row = playground.ValueRow
    values = (
        row("wind_speed", "12.7", "float64", ago(minutes=42), minutes(42), minutes(15), "stale", "default", "age 42 min above the maximum age 15 min of contract v7"),
        row("visibility", "10.0", "float64", ago(minutes=2), minutes(2), minutes(15), "fresh", "serve", ""),
        row("gust", "null", "float64", None, None, None, "missing", "null", "no row for this key"),
        row("rain", "-3.0", "float64", ago(minutes=2), minutes(2), minutes(15), "invalid", "reject", "below the minimum 0"),
        row("note", "null", "string", ago(minutes=2), minutes(2), None, "null", "serve", ""),
        row("far", "–", "string", None, None, None, "unavailable", "null", "the store did not answer in time"),
    )
    result = playground.LookupResult(
        (playground.EntityResult("origin=JFK", False, values), playground.EntityResult("origin=LGA", True, values[:2])),
        timedelta(milliseconds=3.2),
        7,
        31,
        (Snippet("curl", "curl ..."), Snippet("Python", "httpx.post(...)")),
    )
    return playground_page(result=result)


def channels_page(**changes: object) -> settings.ChannelsPage:
    row = settings.ChannelRow
    known: dict[str, object] = {
        "channels": (
            row(1, "weather-alerts", "Slack webhook", "****X7f2", ("team-weather",), "delivered", ago(minutes=27), "sent"),
            row(2, "pd-weather", "PagerDuty", "****91ab", (), "failing", ago(minutes=26), "503, tries again", "weather-alerts"),
            row(3, "hook", "Webhook", "****/hook", (), "untested", None, ""),
        ),
        "silences": (settings.SilenceRow(1, "view = carrier_delays", "grace", "planned reload", NOW + minutes(48), 1),),
        "unreachable_views": 14,
        "teams": ("team-weather", "team-models"),
        "may_administer": True,
    }
    return settings.ChannelsPage(**{**known, **changes})


def failed_test() -> settings.ChannelsPage:
    sent = settings.SentTest("weather-alerts", False, "404 no_service", timedelta(milliseconds=120), "The webhook was revoked: make a new one in Slack and save it here.", '{"text": "test"}')
    return channels_page(test=sent, form=(("name", "x"), ("kind", "pagerduty")), errors=(("secret", "A routing key has 32 characters; this one has 5."),))


def tokens_page(**changes: object) -> settings.TokensPage:
    row = settings.TokenRow
    known: dict[str, object] = {
        "tokens": (
            row(1, "nightly", "fl_ab12cd", ("read", "ingest"), ("flights",), "ada", NOW + timedelta(days=80), ago(minutes=3), "127.0.0.1"),
            row(2, "old", "fl_zz99aa", ("read",), ("*",), "grace", ago(days=1), None, expired=True),
        ),
        "scopes": ("read", "register", "ingest", "lookup", "lineage", "operate"),
        "projects": ("flights", "shop"),
    }
    return settings.TokensPage(**{**known, **changes})


def system_page(**changes: object) -> settings.SystemPage:
    part = settings.Part
    known: dict[str, object] = {
        "parts": (
            part("Probes", "behind", "last 6 min ago", "expected every 30 s", ago(minutes=6)),
            part("Worker", "good", "2 slots", "queue empty", ago(seconds=3)),
            part("Store", "good", "p95 3.1 ms", "sqlite", ago(seconds=12)),
            part("Notifier", "no_data", "–", "never seen", None),
        ),
        "serving": (
            settings.ServingProcess("serving-1-9f2c", "0.1.0", 31, True, ago(seconds=4)),
            settings.ServingProcess("serving-2-11aa", "0.1.0", 30, False, ago(seconds=9), "digest differs"),
        ),
        "bundle": 31,
        "facts": (("version", "0.1.0"), ("database", "SQLite 3.40, 12 MB"), ("migrations", "all applied")),
    }
    return settings.SystemPage(**{**known, **changes})


def audit_page(**changes: object) -> settings.AuditPage:
    row = settings.AuditRow
    known: dict[str, object] = {
        "rows": (
            row(ago(hours=3), "grace", "apply", "flights", "view hourly_weather", "127.0.0.1", '{\n  "max": 150\n}', '{\n  "max": 200\n}'),
            row(ago(hours=4), "ada/nightly", "create", "", "token nightly", "10.0.0.7", "", ""),
        ),
        "actor": "",
        "action": "",
        "after": "x",
    }
    return settings.AuditPage(**{**known, **changes})
