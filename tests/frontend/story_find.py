"""The story in the catalogue, the explorer and the playground."""

from datetime import timedelta

from frontend.records import catalogue, lineage, playground
from frontend.records.view import Snippet
from tests.frontend.story import ago, minutes


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
        catalogue.FeatureRow("hourly_weather", f"wind_{i}", "float64", "stale", "m/s at 10 m", "team-weather")
        for i in range(5)
    )
    return catalogue_page(0, kind="features", query="wind", features=rows, total=5, after="")


LINEAGE_ROWS = (
    lineage.LineageRow(
        "dataset:file|/data/weather",
        "dataset",
        "weather_files",
        "file",
        "missing",
        "lag 41 min",
        "",
        -2,
        "hourly_weather.batch",
        True,
        True,
    ),
    lineage.LineageRow(
        "job:flights|hourly_weather.batch",
        "job",
        "hourly_weather.batch",
        "flights",
        "late",
        "hollow 13:04",
        "",
        -1,
        "hourly_weather",
        True,
    ),
    lineage.LineageRow(
        "view:flights/hourly_weather",
        "view",
        "hourly_weather",
        "flights",
        "stale",
        "42 min / 15 min",
        "team-weather",
        0,
        "",
        True,
    ),
    lineage.LineageRow(
        "service:flights/delay_v3",
        "service",
        "delay_v3",
        "flights",
        "stale",
        "410 lookups/min",
        "team-models",
        1,
        "hourly_weather",
    ),
)


def lineage_page(**changes: object) -> lineage.LineagePage:
    known: dict[str, object] = {
        "project": "flights",
        "focus": "view:flights/hourly_weather",
        "focus_name": "hourly_weather",
        "mode": "graph",
        "rows": LINEAGE_ROWS,
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
        "problems": (
            problem("dataset:file|/data/weather", "dataset", "weather_files", "missing", "lag 41 min"),
        ),
        "views": tuple(
            problem(f"view:flights/v{i}", "view", f"flight_delays_{i}", "fresh", "3 min / 15 min")
            for i in range(6)
        ),
    }
    return lineage_page(**{**known, **changes})


CHOICE = playground.Choice(
    "hourly_weather", "hourly_weather (view)", ("origin",), ("wind_speed", "visibility", "gust")
)


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
        row(
            "wind_speed",
            "12.7",
            "float64",
            ago(minutes=42),
            minutes(42),
            minutes(15),
            "stale",
            "default",
            "age 42 min above the maximum age 15 min of contract v7",
        ),
        row("visibility", "10.0", "float64", ago(minutes=2), minutes(2), minutes(15), "fresh", "serve", ""),
        row("gust", "null", "float64", None, None, None, "missing", "null", "no row for this key"),
        row(
            "rain",
            "-3.0",
            "float64",
            ago(minutes=2),
            minutes(2),
            minutes(15),
            "invalid",
            "reject",
            "below the minimum 0",
        ),
        row("note", "null", "string", ago(minutes=2), minutes(2), None, "null", "serve", ""),
        row(
            "far", "–", "string", None, None, None, "unavailable", "null", "the store did not answer in time"
        ),
    )
    result = playground.LookupResult(
        (
            playground.EntityResult("origin=JFK", False, values),
            playground.EntityResult("origin=LGA", True, values[:2]),
        ),
        timedelta(milliseconds=3.2),
        7,
        31,
        (Snippet("curl", "curl ..."), Snippet("Python", "httpx.post(...)")),
    )
    return playground_page(result=result)
