"""Replays the year: each second what left, each hour of 2013 what was reported; and looks features up."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx
import structlog

from controlplane.kernel import clock
from controlplane.project.demo import outside, stopping
from controlplane.project.demo.data import DataSet
from controlplane.project.demo.definition import PROJECT
from controlplane.project.demo.places import Places
from controlplane.project.demo.timeline import HOUR, Timeline
from controlplane.project.demo.writing import LONGEST_CATCH_UP, Writer

TICK_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0
_OPERATIONS_EVERY = _ALIVE_EVERY = 5  # ticks
_KEYS_AT_ONCE = 5
_TAILS = 60
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """Whom the replay talks to."""

    web: str
    serving: str
    token: str


class Replay:
    """One step a second until told to stop. A part that fails is said once, and tried again with the next."""

    def __init__(self, dataset: DataSet, timeline: Timeline, places: Places, services: Services) -> None:
        self._dataset, self._timeline, self._places, self._services = dataset, timeline, places, services
        self._writer = Writer(dataset, timeline, places)
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {services.token}", "Freshline-Project": PROJECT},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
        self._lineage = outside.make_client(services.web, token=services.token)
        self._random = random.Random(2013)  # noqa: S311 - which lookups the demo makes is no secret
        self._airports, self._carriers = dataset.keys("origin"), dataset.keys("carrier")
        self._tails = dataset.keys("tailnum")[:_TAILS]
        self._failing: set[str] = set()
        self._departed_until = self._writer.last_departure() or clock.now()
        self._hour: int | None = None
        self._ticks = 0

    def run(self, stop: threading.Event) -> None:
        """Replay until ``stop`` is set."""
        while not stop.is_set():
            self.step(clock.now())
            stop.wait(TICK_SECONDS)
        self._http.close()

    def step(self, now: datetime) -> None:
        """Do what is due at ``now``."""
        self._attempt("departures", lambda: self._append_departures(now))
        if self._ticks % _OPERATIONS_EVERY == 0:
            self._attempt("operations", lambda: self._push_operations(now))
        hour = self._timeline.hours_at(now)
        if hour != self._hour:
            self._hour = hour
            self._attempt("weather", lambda: self._writer.write_weather(now))
            self._attempt("flights", lambda: self._writer.write_flights(now))
            self._attempt("lineage", lambda: self._report_lineage(hour, now))
        self._attempt("lookups", self._look_up)
        if self._ticks % _ALIVE_EVERY == 0:
            self._attempt("alive", self._show_alive)
        self._ticks += 1

    def _attempt(self, name: str, work: Callable[[], None]) -> None:
        if name in stopping.stopped_sources(self._places):
            return
        try:
            work()
        except (httpx.HTTPError, OSError) as wrong:
            if name not in self._failing:
                _log.warning("replay_step_fails", step=name, reason=str(wrong))
            self._failing.add(name)
        else:
            self._failing.discard(name)

    def _append_departures(self, now: datetime) -> None:
        earliest = now - LONGEST_CATCH_UP
        if self._departed_until < earliest:
            _log.info(
                "departures_left_out", after=self._departed_until.isoformat(), until=earliest.isoformat()
            )
        self._writer.append_departures(after=max(self._departed_until, earliest), until=now)
        self._departed_until = now

    def _push_operations(self, now: datetime) -> None:
        counted = {
            found.airport: found
            for found in self._dataset.operations(self._timeline, after=now - HOUR, until=now)
        }
        rows = []
        for airport in self._airports:
            found = counted.get(airport)
            rows.append(
                {
                    "airport": airport,
                    "departures_1h": found.departures if found else 0,
                    "cancelled_1h": found.cancelled if found else 0,
                    "mean_delay_1h": found.mean_delay if found else None,
                    "event_time": now.isoformat(),
                }
            )
        view = f"{self._services.web}/api/v1/projects/{PROJECT}/feature-views/airport_operations"
        self._http.post(f"{view}/rows", json={"rows": rows}).raise_for_status()
        heartbeat = {"as_of": now.isoformat(), "writer": "towers"}
        self._http.post(f"{view}/heartbeat", json=heartbeat).raise_for_status()

    def _report_lineage(self, hour: int, now: datetime) -> None:
        stopped = stopping.stopped_sources(self._places)
        for event in outside.events(hour=hour, now=now, stopped=stopped):
            self._lineage.emit(event)

    def _look_up(self) -> None:
        """Ask as the two models would; that a value is refused under its contract is an answer, too."""
        asked = {
            "delay_ranker": {"carrier": self._carriers, "airport": self._airports},
            "turnaround_planner": {"tail": self._tails, "airport": self._airports},
        }
        for service, keys in asked.items():
            entities = {name: self._random.choices(known, k=_KEYS_AT_ONCE) for name, known in keys.items()}
            body = {"feature_service": service, "entities": entities}
            self._http.post(f"{self._services.serving}/get-online-features", json=body)

    def _show_alive(self) -> None:
        """Touch HOME/alive/demo; in a new home not before there is something to see on every page."""
        if not self._places.populated.exists():
            answer = self._http.get(f"{self._services.web}/api/v1/projects/{PROJECT}/health")
            views = answer.raise_for_status().json()["items"]
            if not views or any(view["state"] == "no_data" for view in views):
                return
            self._places.populated.touch()
        self._places.alive.parent.mkdir(exist_ok=True)
        self._places.alive.touch()
