"""A data set of a few days in June 2013, in the shape of the package's files, written by hand.

Three stations report every hour, but all are silent from 20:00 to 23:00 of the third of June, and JFK skips
an hour. One flight an hour leaves from each airport; times are UTC.
"""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta

from controlplane.kernel import clock
from controlplane.project.demo.data import DataSet
from controlplane.project.demo.places import Places
from controlplane.project.demo.timeline import Timeline

FIRST = datetime(2013, 6, 2, 1, tzinfo=UTC)  # the first report; the lap begins an hour before
HOURS = 96
SILENT_FROM, SILENT_HOURS = datetime(2013, 6, 3, 20, tzinfo=UTC), 3
JFK_SKIPS = datetime(2013, 6, 3, 16, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AIRPORTS = ("EWR", "JFK", "LGA")
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def write_package(folder):
    """Write the package's three files."""
    hours = [FIRST + timedelta(hours=number) for number in range(HOURS)]
    silent = range(SILENT_HOURS)
    quiet = {SILENT_FROM + timedelta(hours=number) for number in silent}
    reports = [
        {"origin": airport, **_calendar(hour), **dict.fromkeys(WEATHER, "NA"), "temp": 60 + hour.hour}
        for hour in hours
        for airport in AIRPORTS
        if hour not in quiet and (airport, hour) != ("JFK", JFK_SKIPS)
    ]
    (folder / "weather.csv").write_text(_csv(reports))
    flights = [_flight(number, hour, airport) for number, hour in enumerate(hours) for airport in AIRPORTS]
    with zipfile.ZipFile(folder / "flights.csv.zip", "w") as archive:
        archive.writestr("flights.csv", _csv(flights))
    planes = [{"tailnum": "N1JFK", "year": 1999, "manufacturer": "BOEING", "seats": 180}]
    (folder / "planes.csv").write_text(_csv(planes))
    return folder


def _calendar(hour):
    local = {"year": hour.year, "month": hour.month, "day": hour.day, "hour": hour.hour}
    return local | {"time_hour": f"{hour:%Y-%m-%dT%H:%M:%SZ}"}


def _flight(number, hour, airport):
    """Every tenth is cancelled; the others leave ten minutes late, at half past."""
    cancelled = number % 10 == 0
    delay = "NA" if cancelled else 10
    names = {
        "carrier": "UA" if airport == "EWR" else "B6",
        "flight": number,
        "tailnum": f"N{number}{airport}",
    }
    route = {"origin": airport, "dest": "BOS", "distance": 200, "minute": 20}
    times = {"dep_time": "NA" if cancelled else 1, "dep_delay": delay, "arr_delay": delay}
    return _calendar(hour) | names | route | times


def _csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def make_places(folder):
    """Return places below ``folder``, of nobody's home."""
    for name in ("memory", "data"):
        (folder / name).mkdir(parents=True)
    return Places(folder / "memory", folder / "data", folder / "alive" / "demo")


def make_timeline(dataset: DataSet, *, now=NOW):
    return Timeline(clock.to_us(now), dataset.begin, dataset.length)
