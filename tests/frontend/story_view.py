"""The story on a feature view's page."""

from frontend.charts import AgePoint, RunMark, Span, freshness_figure, summary
from frontend.minimap import MapNode
from frontend.records import view
from tests.frontend.story import NOW, ago, minutes, wave


def ages() -> tuple[AgePoint, ...]:
    points = []
    for index in range(145):
        since_run = (index * 10) % 120
        grown = index - 136 if index > 136 else 0
        points.append(AgePoint(ago(minutes=10 * (144 - index)), minutes(2 + since_run / 10 + grown * 5)))
    return tuple(points)


def strips() -> tuple[view.FeatureStrip, ...]:
    return (
        view.FeatureStrip(
            "wind_speed",
            "stale",
            ("fresh",) * 40 + ("violating",) * 2 + ("stale",) * 6,
            since=ago(hours=24),
            note="34.0 % stale of 1,200 values",
        ),
        view.FeatureStrip(
            "visibility",
            "fresh",
            ("fresh",) * 20 + (None,) * 4 + ("fresh",) * 24,
            since=ago(hours=24),
        ),
    )


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
        "strips": strips(),
        "features": 2,
        "receivers": (
            view.Receiver("#weather-alerts", "Slack", "every incident"),
            view.Receiver("pd-weather", "PagerDuty", "critical only"),
        ),
        "map_nodes": (
            MapNode("dataset:file|/data/weather", "dataset", "weather_files", "missing", -2),
            MapNode("job:flights|hourly_weather.batch", "job", "hourly_weather.batch", "late", -1),
            MapNode("view:flights/hourly_weather", "view", "hourly_weather", "stale", 0),
            *(
                MapNode(
                    f"service:flights/s{i}", "service", f"delay_service_{i}", "fresh" if i else "stale", 1
                )
                for i in range(7)
            ),
        ),
        "map_edges": (
            ("dataset:file|/data/weather", "job:flights|hourly_weather.batch"),
            ("job:flights|hourly_weather.batch", "view:flights/hourly_weather"),
            *((("view:flights/hourly_weather", f"service:flights/s{i}")) for i in range(7)),
        ),
        "map_cause": (
            "dataset:file|/data/weather",
            "job:flights|hourly_weather.batch",
            "view:flights/hourly_weather",
        ),
        "snippets": (
            view.Snippet(
                "curl",
                "curl -s http://127.0.0.1:6566/v1/lookup \\\n"
                '  -H "Authorization: Bearer $FRESHLINE_TOKEN" \\\n'
                '  -d \'{"project": "flights"}\'',
            ),
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
        view.HealthCell(
            "freshness",
            "Freshness",
            "stale",
            "42 min",
            "of 15 min (2.8x)",
            wave(base=12),
            "?tab=overview#freshness",
        ),
        view.HealthCell("completeness", "Completeness", "good", "0.4 %", "null or missing", wave(base=0), ""),
        view.HealthCell(
            "contract",
            "Contract",
            "good",
            "0",
            "violations in 1,000 lookups",
            wave(base=0, gap=3),
            "?tab=contract",
        ),
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
        "incident": view.OpenIncident(
            142, "open", "stale", ago(minutes=27), "source weather_files stopped 13:02", 3
        ),
        "tab": "overview",
        "overview": overview(),
        "may_operate": True,
    }
    return view.ViewPage(**{**known, **changes})
