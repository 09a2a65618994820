"""One story told on every page: weather stopped, hourly_weather went stale. Here: the shell and Home."""

from datetime import UTC, datetime, timedelta

from frontend.charts import StripColumn
from frontend.records import home
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
        "may_audit": True,
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
        "",
        "",
        (broken_view(view="carrier_delays", state="late", age=minutes(13), consumers=1, incident=None),),
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
            home.IncidentLine(
                142, "2 views stale: weather_files stopped", "critical", "open", ago(minutes=27)
            ),
        ),
        "runs": (
            home.RunLine(8813, "flight_delays", "batch", "compare", 1_900_000, 4_000_000, ago(seconds=48)),
            home.RunLine(8814, "departures", "stream", "write", 31_204, None, ago(hours=7)),
        ),
        "approaching": (home.Approaching("aircraft_usage", minutes(52), minutes(60), NOW + minutes(8)),),
        "changes": (
            home.Change(
                "contract v7: delay_15m is at most 30m old (was 15m)", "flight_delays", ago(hours=3), "grace"
            ),
        ),
        "tiles": tiles(),
    }
    return home.HomePage(**{**known, **changes})


def quiet_home() -> home.HomePage:
    counts = dict.fromkeys(("missing", "stale", "violating", "late", "no_data", "paused"), 0) | {"fresh": 38}
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
        home.Step(
            "Apply a definition: entities, sources, feature views", False, "freshline apply definition.yaml"
        ),
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
            broken_view(
                view=f"{name[:60]}{i:03d}", age=timedelta(days=900), consumers=123_456, owner="t" * 63
            )
            for i in range(10)
        ),
    )
    counts = {
        "missing": 3,
        "stale": 9_120,
        "violating": 44,
        "late": 512,
        "no_data": 17,
        "paused": 3,
        "fresh": 301,
    }
    return home_page(
        verdict=home.verdict(counts, scope="all"),
        scope="all",
        counts=tuple(home.StateCount(s, c) for s, c in counts.items()),
        broken=(group,),
        broken_total=9_696,
    )
