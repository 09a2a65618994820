"""What the demo registers: three entities, six views over three lanes, two models with their own demands."""

from typing import Any

from controlplane.project.demo.places import Places

PROJECT = "flights"
DELAYS, STATIONS, RANKING, PLANNING = "delays", "stations", "ranking", "planning"
TEAMS = (DELAYS, STATIONS, RANKING, PLANNING)
MEMBER_OF = (DELAYS, STATIONS)  # the teams of who signs in
LAKE = "s3://lake"
# In the longest night of the year nobody left for 6 h 21 min: 64 seconds of the demo's time.
IDLE_AT_NIGHT = "75s"


def definition(places: Places) -> dict[str, Any]:
    """Return the definition file of the demo, over the files of an installation."""
    return {
        "version": 1,
        "project": PROJECT,
        "entities": [
            _entity("airport", STATIONS),
            _entity("carrier", DELAYS),
            _entity("aircraft", PLANNING, key="tail"),
        ],
        "sources": _sources(places),
        "feature_views": [*_weather_views(), *_flight_views(), _operations_view()],
        "feature_services": _services(),
    }


def _entity(name: str, owner: str, *, key: str | None = None) -> dict[str, Any]:
    return {"name": name, "join_keys": [{"name": key or name, "dtype": "string"}], "owner": owner}


def _sources(places: Places) -> list[dict[str, Any]]:
    return [
        {
            "name": "weather",
            "kind": "parquet",
            "uri": str(places.weather),
            "event_time": "happened_at",
            "lineage": {"namespace": LAKE, "name": "gold/weather"},
            "owner": STATIONS,
        },
        {
            "name": "flights",
            "kind": "parquet",
            "uri": str(places.flights / "*.parquet"),
            "event_time": "happened_at",
            "max_idle": IDLE_AT_NIGHT,
            "lineage": {"namespace": LAKE, "name": "gold/flights"},
            "owner": DELAYS,
        },
        {
            "name": "planes",
            "kind": "parquet",
            "uri": str(places.planes),
            "lineage": {"namespace": LAKE, "name": "gold/planes"},
            "owner": PLANNING,
        },
        {
            "name": "departures",
            "kind": "stream",
            "uri": str(places.departures),
            "event_time": "departed_at",
            "max_idle": IDLE_AT_NIGHT,
            "lineage": {"namespace": "kafka://airports", "name": "departures"},
            "owner": DELAYS,
        },
        {
            "name": "operations",
            "kind": "push",
            "lineage": {"namespace": "https://towers", "name": "operations"},
            "owner": STATIONS,
        },
    ]


def _feature(name: str, dtype: str, description: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "nullable": True, "description": description} | more


def _weather_views() -> list[dict[str, Any]]:
    shared = {
        "entities": ["airport"],
        "owner": STATIONS,
        "tier": "gold",
        "runbook": "https://wiki.example.org/runbooks/weather",
        "tags": {"domain": "weather"},
        "freshness": {"warn_after": "30s", "max_age": "40s"},
        "on_stale": "serve",
        "on_missing": "null",
        "on_invalid": "null",
    }
    latest = shared | {
        "name": "airport_weather",
        "description": "The last hour of weather at an airport, as its station measured it.",
        "features": [
            _feature("temp", "float64", "Temperature, F.", min=-30, max=130, default=55.0),
            _feature("humid", "float64", "Relative humidity, %.", min=0, max=100),
            _feature("wind_speed", "float64", "Wind, mph.", min=0, max=250, default=10.0),
            _feature("wind_gust", "float64", "Gusts, mph; often not reported.", min=0, max=250),
            _feature("precip", "float64", "Rain, inches in the hour.", min=0, max=20),
            _feature(
                "pressure", "float64", "Sea level pressure, mbar; often not reported.", min=850, max=1100
            ),
            _feature("visib", "float64", "Visibility, miles.", min=0, max=10, default=10.0),
        ],
        "batch": {
            "source": "weather",
            "query": "SELECT origin AS airport, temp, humid, wind_speed, wind_gust, precip, pressure, visib,"
            " happened_at FROM weather",
            "schedule": "*/10 * * * * *",
            "grace": "1m",
        },
    }
    trend = shared | {
        "name": "airport_weather_trend",
        "description": "Weather at an airport over the last day (four minutes of the demo's time).",
        "tier": "silver",
        "features": [
            _feature("temp_mean", "float64", "Mean temperature, F.", min=-30, max=130),
            _feature("precip_sum", "float64", "Rain, inches.", min=0, max=60),
            _feature("wind_max", "float64", "Strongest wind, mph.", min=0, max=250),
            _feature("hours_reported", "int64", "Hours with a report.", nullable=False, min=0),
        ],
        "batch": {
            "source": "weather",
            "query": "SELECT origin AS airport, avg(temp) AS temp_mean, sum(precip) AS precip_sum,"
            # A station once reported 1,048 mph: airport_weather refuses that hour, here it is left out.
            " max(wind_speed) FILTER (WHERE wind_speed <= 250) AS wind_max,"
            " count(*) AS hours_reported, max(happened_at) AS happened_at"
            " FROM weather WHERE happened_at > $as_of - INTERVAL 4 MINUTE GROUP BY origin",
            "schedule": "*/10 * * * * *",
            "grace": "1m",
        },
    }
    return [latest, trend]


def _flight_views() -> list[dict[str, Any]]:
    delays = {
        "name": "carrier_delays",
        "description": "Departure delays of a carrier over the last day (four minutes of the demo's time).",
        "entities": ["carrier"],
        "owner": DELAYS,
        "tier": "silver",
        "tags": {"domain": "operations"},
        "freshness": {"warn_after": "45s", "max_age": "75s"},
        "features": [
            _feature("avg_dep_delay", "float64", "Mean delay, minutes.", min=-120, max=2880, default=0.0),
            _feature("flights_1d", "int64", "Flights.", nullable=False, min=0, default=0),
            _feature("cancelled_share", "float64", "Share of flights that were cancelled.", min=0, max=1),
        ],
        "batch": {
            "source": "flights",
            "query": "SELECT carrier, avg(dep_delay) AS avg_dep_delay, count(*) AS flights_1d,"
            " avg(CAST(cancelled AS DOUBLE)) AS cancelled_share, max(happened_at) AS happened_at FROM flights"
            " WHERE happened_at > $as_of - INTERVAL 4 MINUTE GROUP BY carrier",
            "schedule": "*/20 * * * * *",
            "grace": "1m",
            "max_removed": 1.0,  # small carriers do not fly every day
        },
    }
    profile = {
        "name": "aircraft_profile",
        "description": "What an aircraft is and has flown; many are absent from the planes table.",
        "entities": ["aircraft"],
        "owner": PLANNING,
        "tier": "bronze",
        "tags": {"domain": "fleet"},
        "freshness": {"warn_after": "2m", "max_age": "4m"},
        "features": [
            _feature("flights_total", "int64", "Flights on record.", nullable=False, min=0),
            _feature("miles_total", "int64", "Miles on record.", nullable=False, min=0),
            _feature("seats", "int64", "Seats; null when the plane is unknown.", min=1, max=600, default=150),
            _feature("manufacturer", "string", "Maker; null when the plane is unknown.", max_length=64),
            _feature("built", "int64", "Year of manufacture.", min=1930, max=2013),
        ],
        "batch": {
            "sources": ["flights", "planes"],
            "query": "SELECT f.tailnum AS tail, count(*) AS flights_total,"
            " CAST(sum(f.distance) AS BIGINT) AS miles_total, any_value(p.seats) AS seats,"
            " any_value(p.manufacturer) AS manufacturer, any_value(p.year) AS built,"
            " max(f.happened_at) AS happened_at"
            " FROM flights f LEFT JOIN planes p ON p.tailnum = f.tailnum"
            " WHERE f.tailnum IS NOT NULL AND NOT f.cancelled GROUP BY f.tailnum",
            "schedule": "0 * * * * *",
            "grace": "2m",
        },
    }
    departures = {
        "name": "carrier_departures",
        "description": "The last departure of a carrier, seconds after it happened.",
        "entities": ["carrier"],
        "owner": DELAYS,
        "tier": "silver",
        "tags": {"domain": "operations"},
        "freshness": {"warn_after": "45s", "max_age": "75s"},
        "on_missing": "null",
        "features": [
            _feature("last_dep_delay", "float64", "Delay, minutes.", min=-120, max=2880, default=0.0),
            _feature("last_tail", "string", "Tail number.", max_length=16),
            _feature("last_dest", "string", "Destination.", max_length=3, pattern="[A-Z]{3}"),
            _feature("last_cancelled", "bool", "Whether it was cancelled.", nullable=False),
        ],
        "stream": {
            "source": "departures",
            "format": "json",
            "fields": {
                "last_dep_delay": "delay.departure",
                "last_tail": "tail",
                "last_dest": "dest",
                "last_cancelled": "cancelled",
            },
        },
    }
    return [delays, profile, departures]


def _operations_view() -> dict[str, Any]:
    return {
        "name": "airport_operations",
        "description": "What the tower counts in the last hour (ten seconds of the demo's time).",
        "entities": ["airport"],
        "owner": STATIONS,
        "tier": "silver",
        "tags": {"domain": "operations"},
        "freshness": {"warn_after": "30s", "max_age": "1m"},
        "features": [
            _feature("departures_1h", "int64", "Departures.", nullable=False, min=0, default=0),
            _feature("cancelled_1h", "int64", "Cancellations.", nullable=False, min=0, default=0),
            _feature("mean_delay_1h", "float64", "Mean delay, minutes.", min=-120, max=2880, default=0.0),
        ],
        "direct": {"source": "operations", "heartbeat": "10s"},
    }


def _services() -> list[dict[str, Any]]:
    return [
        {
            "name": "delay_ranker",
            "owner": RANKING,
            "model": "delay-ranker@2026-11",
            "description": "Ranks departures by their expected delay; would rather guess than wait.",
            "features": [
                "carrier_delays:avg_dep_delay",
                "carrier_delays:flights_1d",
                "carrier_departures:last_dep_delay",
                "airport_weather:temp",
                "airport_weather:wind_speed",
                "airport_weather:visib",
                "airport_operations:departures_1h",
            ],
            "on_stale": "default",
            "on_missing": "default",
        },
        {
            "name": "turnaround_planner",
            "owner": PLANNING,
            "model": "turnaround-planner@2026-09",
            "description": "Plans turnarounds; refuses to plan on weather that is not current.",
            "features": [
                "aircraft_profile:seats",
                "aircraft_profile:flights_total",
                "airport_weather:wind_gust",
                "airport_weather:precip",
                "airport_weather_trend:precip_sum",
            ],
            "on_stale": "reject",
            "max_rejected": 1.0,
        },
    ]
