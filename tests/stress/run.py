"""A stress run: mixed load, one fault after the other, and the report."""

import json
import random
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.serving.stubs import make
from tests.stress import hostile, servers, story
from tests.stress.clients import Calls, Feast, LookupArrow, LookupJSON, Notes, Weather
from tests.stress.data import Writer
from tests.stress.proxy import Fault, Proxy
from tests.stress.servers import Control, Redis, Serving, eventually

DEADLINE = 2.0  # seconds; the race detector makes everything many times slower
CONCURRENT = 32
_CALM_AGAIN = 15.0  # seconds within which everything is answered again after a fault
# More than before are a leak; but the store's client keeps the connections that it needed most at once, and
# reads and writes each by a goroutine.
_GOROUTINES = 12
_ROOM = 80  # megabytes that the memory may differ by


@dataclass
class Report:
    """What a run came to; ``wrong`` is empty when all is well."""

    notes: Notes = field(default_factory=Notes)
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)  # megabytes, each second
    goroutines: tuple[int, int] = (0, 0)  # before the load and after it
    bundles: tuple[int, int] = (0, 0)  # taken, refused
    written: int = 0
    busy_after: float = 0.0  # seconds until the slowest 429

    @property
    def wrong(self) -> list[str]:
        return self.notes.wrong

    def lines(self) -> list[str]:
        lines = [f"{count:>9}  {name}" for name, count in sorted(self.notes.counts.items())]
        for weather, took in sorted(self.notes.took.items()):
            took.sort()
            p50, p99, top = (took[int((len(took) - 1) * share)] * 1000 for share in (0.5, 0.99, 1))
            lines.append(
                f"in {weather}: {len(took)} answers, p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {top:.0f} ms"
            )
        lines += [f"all answered again {seconds:.2f} s after {name}" for name, seconds in self.recoveries]
        shown = self.resident[:: max(1, len(self.resident) // 20)]
        lines.append(f"memory over time, MB: {' '.join(map(str, shown))}")
        lines.append(f"goroutines: {self.goroutines[0]} before the load, {self.goroutines[1]} after it")
        lines.append(
            f"bundles: {self.bundles[0]} taken, {self.bundles[1]} refused; rows written: {self.written}"
        )
        lines.append(f"slowest 429: {self.busy_after * 1000:.0f} ms")
        return lines + [f"WRONG: {complaint}" for complaint in self.wrong[:20]]


class Run:
    """Everything that runs, for as long as a run takes."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.report, self.weather = Report(), Weather()
        self.redis = Redis(folder / "redis")
        self.proxy = Proxy(self.redis.port)
        self.control = Control()
        self.writer = Writer(f"redis://127.0.0.1:{self.redis.port}/0")
        self.serving = Serving(
            binary,
            folder / "serving",
            STORE_URL=f"redis://127.0.0.1:{self.proxy.port}/0",
            FRESHLINE_CONTROL_URL=f"http://127.0.0.1:{self.control.port}",
            FRESHLINE_LOOKUP_TIMEOUT=f"{DEADLINE}s",
            FRESHLINE_LOOKUP_MAX_BODY_BYTES=str(hostile.MAX_BODY),
            FRESHLINE_LOOKUP_MAX_CONCURRENT=str(CONCURRENT),
            FRESHLINE_OBSERVE_INTERVAL="1s",
            FRESHLINE_OBSERVE_SPOOL_BYTES="100000",
        )
        self.stubs = make(folder / "stubs")
        self.number = 1
        self._clients = []
        self._side: list[threading.Thread] = []
        self._ended = threading.Event()

    def begin(self) -> None:
        self.report.goroutines = (self._goroutines(), 0)
        for seed, kind in enumerate(
            2 * (LookupJSON, LookupArrow, Feast, Calls, hostile.Hostile, hostile.Curious)
        ):
            extra = {"stubs": self.stubs} if kind is Calls else {}
            words = (self.serving.address, self.writer, self.weather, self.report.notes)
            self._clients.append(kind(*words, seed=seed, deadline=DEADLINE, **extra))
        self._side = [threading.Thread(target=each, daemon=True) for each in (self._publish, self._measure)]
        for thread in (self.writer, *self._side, *self._clients):
            thread.start()

    def _publish(self) -> None:
        """Swap bundles all the time; some are cut, some older, some under a digest that is not theirs."""
        chance = random.Random(7)
        while not self._ended.wait(0.4):
            good = story.bundle(self.number + 1)
            if chance.random() < 0.3:
                older = story.bundle(max(self.number - 1, 1))
                body, digest = chance.choice(
                    ((good[:-50], None), (older, None), (good, story.digest(b"another")), (b"\xff\x00", None))
                )
                self.control.publish(body, digest=digest)
            else:
                self.number += 1
                self.control.publish(good)

    def _measure(self) -> None:
        while not self._ended.wait(1):
            self.report.resident.append(self.serving.resident())

    def fault(self, name: str, begin, end, seconds: float) -> None:
        """Break something for a while, and see that everything is answered again after it."""
        self.weather.turn(broken=True)
        begin()
        time.sleep(seconds)
        end()
        took = eventually(
            self._answers_whole, f"everything is answered again after {name}", within=_CALM_AGAIN
        )
        self.report.recoveries.append((name, took))
        self.weather.turn(broken=False)

    def _answers_whole(self) -> bool:
        """Whether rows of all keys are read, five times in a row: more than one breaker's try."""
        return all(self._asks_all() for _ in range(5))

    def _asks_all(self) -> bool:
        code, said = self._lookup(story.keys(), range(story.KEYS))
        return code == 200 and not said["counts"]["verdicts"].get("unavailable")

    def _lookup(self, items, places) -> tuple[int, dict]:
        body = {
            "feature_service": "plain",
            "entities": {"item": list(items), "place": list(places)},
            "full_feature_names": True,
        }
        request = urllib.request.Request(
            f"http://{self.serving.address}/v1/lookup", json.dumps(body).encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def faults(self, pause: float):
        """Every fault once, in this order."""
        for kind in (Fault.SLOW, Fault.HANG, Fault.CUT, Fault.REFUSE):
            yield lambda kind=kind: self.fault(
                f"the store's {kind}", lambda: self.proxy.set(kind), lambda: self.proxy.set(Fault.NONE), pause
            )
        yield lambda: self.fault("redis-server's kill -9", self.redis.kill, self.redis.start, pause)
        yield self.flood
        yield lambda: self.away(pause)

    def flood(self) -> None:
        """More lookups than are allowed, while the store hangs: the others are turned away at once."""

        def asked(_) -> tuple[int, float]:
            began = time.monotonic()
            return self._lookup(["item 0"], [0])[0], time.monotonic() - began

        def begin() -> None:
            self.proxy.set(Fault.HANG)
            with ThreadPoolExecutor(3 * CONCURRENT) as crowd:
                answers = list(crowd.map(asked, range(3 * CONCURRENT)))
            busy = [took for code, took in answers if code == 429]
            if not busy:
                self.report.wrong.append(f"of {len(answers)} lookups at once none was turned away")
            self.report.busy_after = max([self.report.busy_after, *busy])
            if busy and min(busy) > DEADLINE / 2:
                self.report.wrong.append(f"429 came after {min(busy):.1f} s at the earliest, and not at once")

        self.fault("a flood", begin, lambda: self.proxy.set(Fault.NONE), 0)

    def away(self, pause: float) -> None:
        """The control plane dies: nobody may notice, so this is no trouble."""
        self.control.kill()
        time.sleep(pause)
        self.control.start()

    def end(self) -> Report:
        """Stop the load, look at what is left, and drain."""
        self._ended.set()
        for client in self._clients:
            client.stop()
        for thread in self._side:
            thread.join()
        self.writer.stop()
        self._settle_bundles()
        before = self.report.goroutines[0]
        for ends in [time.monotonic() + 20]:
            while (after := self._goroutines()) > before + _GOROUTINES and time.monotonic() < ends:
                time.sleep(0.2)
        self.report.goroutines = (before, after)
        if after > before + _GOROUTINES:
            self.report.wrong.append(f"{after} goroutines are left, {before} were there before")
        self._check_memory()
        self.report.written = self.writer.written
        self._drain()
        return self.report

    def _settle_bundles(self) -> None:
        self.number += 1
        self.control.publish(story.bundle(self.number))
        eventually(
            lambda: self.serving.gauge("freshline_serving_bundle_number") == self.number,
            "the last bundle is in force",
        )
        refused = int(self.serving.gauge("freshline_serving_bundle_refusals_total"))
        self.report.bundles = (self.number, refused)

    def _goroutines(self) -> int:
        return int(self.serving.gauge("go_goroutines"))

    def _check_memory(self) -> None:
        """Memory is flat: the last third of the run holds no more than the second, but for what moves."""
        third = len(self.report.resident) // 3
        middle, last = self.report.resident[third : 2 * third], self.report.resident[2 * third :]
        if middle and max(last) > 1.3 * max(middle) + _ROOM:
            self.report.wrong.append(f"memory grows: {self.report.resident} MB")

    def _drain(self) -> None:
        """What is under way at SIGTERM is answered, and the process ends by itself without a race found."""
        self.proxy.delay = 0.5
        self.proxy.set(Fault.SLOW)
        with ThreadPoolExecutor(8) as crowd:
            under = [crowd.submit(self._lookup, ["item 0"], [0]) for _ in range(8)]
            eventually(
                lambda: self.serving.gauge("freshline_serving_lookups_in_flight") >= 8,
                "eight lookups are under way",
            )
            self.serving.terminate()
            answers = [each.result()[0] for each in under]
        if answers != [200] * 8:
            self.report.wrong.append(f"SIGTERM: what was under way was answered {answers}")
        code = self.serving.wait()
        if code == servers.RACE_FOUND or "DATA RACE" in self.serving.said():
            self.report.wrong.append("the race detector has found something:\n" + _race(self.serving.said()))
        elif code:
            self.report.wrong.append(f"serving ended with {code}: {self.serving.said()[-2000:]}")

    def close(self) -> None:
        self.serving.kill()
        self.proxy.close()
        self.control.kill()
        self.redis.kill()


def _race(said: str) -> str:
    return said[said.find("WARNING: DATA RACE") :][:4000]


def stress(*, seconds: float, pause: float) -> Report:
    """Run for about so many seconds, at least through every fault once."""
    with tempfile.TemporaryDirectory(prefix="freshline-stress-") as temporary:
        folder = Path(temporary)
        run = Run(folder, servers.build(folder))
        try:
            run.begin()
            ends = time.monotonic() + seconds
            while True:
                for fault in run.faults(pause):
                    time.sleep(pause)
                    fault()
                if time.monotonic() > ends:
                    return run.end()
        finally:
            run.close()
