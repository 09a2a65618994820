"""A primary of a Redis Cluster is killed under load: its own slots' values are missed, and not for long."""

import http.client
import json
import threading
import time

import pytest

from store_adapters import open_store
from tests.stress import servers, story
from tests.stress.cluster import Cluster, lies_in
from tests.stress.servers import Serving, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PLACES = range(story.KEYS)
TAKES_OVER = 20.0  # seconds; the cluster itself needs about two node timeouts


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path / "cluster")
    yield made
    made.close()


@pytest.fixture
def store(cluster):
    opened = open_store(cluster.url)
    write(opened, 1)
    eventually(cluster.is_whole, "replicas have every row")
    yield opened
    opened.close()


def write(store, generation, places=PLACES):
    now_us = time.time_ns() // 1000
    writes = [story.write_of("places", place, generation, now_us=now_us) for place in places]
    store.write_rows(story.PROJECT, "places", writes, run_number=generation)


@pytest.fixture
def serving(cluster, store, tmp_path):
    control = servers.Control()
    made = Serving(
        servers.build(tmp_path),
        tmp_path / "serving",
        STORE_URL=cluster.url,
        FRESHLINE_CONTROL_URL=f"http://127.0.0.1:{control.port}",
        FRESHLINE_LOOKUP_TIMEOUT="1s",
    )
    yield made
    made.kill()
    control.kill()


class Asker(threading.Thread):
    """Asks for some keys without a pause, and keeps each answer's verdicts with its time."""

    def __init__(self, address: str, places: list[int]) -> None:
        super().__init__(daemon=True)
        self.places, self.answers, self.done = places, [], threading.Event()
        self._connection = http.client.HTTPConnection(address, timeout=30)
        self._body = json.dumps({"features": ["places:who"], "entities": {"place": places}})

    def run(self) -> None:
        while not self.done.wait(0.01):
            began = time.monotonic()
            self._connection.request("POST", "/v1/lookup", self._body)
            response = self._connection.getresponse()
            said = json.loads(response.read())
            verdicts = [said.get("code")] * len(self.places)
            if response.status == 200:
                (column,) = said["columns"]
                verdicts = [
                    self._verdict(*each)
                    for each in zip(self.places, column["values"], column["verdicts"], strict=True)
                ]
            self.answers.append((began, verdicts))

    def _verdict(self, place: int, value: str | None, verdict: str) -> str:
        right = value is None if verdict == "unavailable" else value == story.who("places", place, 1)
        return verdict if right else f"{place} was answered {value!r}, {verdict}"

    def seen(self) -> set[str]:
        return {verdict for _, verdicts in self.answers for verdict in verdicts}

    def last_trouble(self) -> float:
        return max((began for began, verdicts in self.answers if set(verdicts) != {"fresh"}), default=0.0)

    def stop(self) -> None:
        self.done.set()
        self.join(timeout=60)


def test_a_killed_primary_costs_its_own_slots_values_until_its_replica_takes_over(cluster, store, serving):
    victim, ranges = next(iter(cluster.primaries().items()))
    keys = {place: b"fl:stress:" + story.write_of("places", place, 1, now_us=0).key for place in PLACES}
    hurt = [place for place in PLACES if lies_in(keys[place], ranges)]
    whole = [place for place in PLACES if place not in hurt]
    assert len(hurt) > 40
    assert len(whole) > 80
    askers = {"of both": Asker(serving.address, list(PLACES)), "whole": Asker(serving.address, whole[:1])}
    askers |= {f"hurt {number}": Asker(serving.address, hurt[number : number + 1]) for number in range(6)}
    for asker in askers.values():
        asker.start()
    eventually(lambda: all(len(asker.answers) > 20 for asker in askers.values()), "everybody is answered")
    assert all(asker.seen() == {"fresh"} for asker in askers.values())

    cluster.kill(victim)
    killed = time.monotonic()
    eventually(lambda: askers["hurt 0"].seen() != {"fresh"}, "its values are missed")
    eventually(
        lambda: all(latest(asker) for asker in askers.values()), "its replica answers", within=TAKES_OVER
    )
    time.sleep(1)  # and it stays so, for whoever asks
    for asker in askers.values():
        asker.stop()

    assert askers["whole"].seen() == {"fresh"}
    assert askers["of both"].seen() == {"fresh", "unavailable"}
    for _, verdicts in askers["of both"].answers:
        missed = {place for place, verdict in zip(PLACES, verdicts, strict=True) if verdict != "fresh"}
        assert missed <= set(hurt)
    for number in range(6):
        assert askers[f"hurt {number}"].seen() <= {"fresh", "store_unavailable", "deadline_exceeded"}
    ended = max(asker.last_trouble() for asker in askers.values())
    print(f"values were missed for {ended - killed:.1f} s after the kill")
    assert ended - killed < TAKES_OVER
    # Writers go on as well, through the client that they had.
    write(store, 2, hurt)


def latest(asker: Asker) -> bool:
    """Whether the last answers were all whole."""
    return all(set(verdicts) == {"fresh"} for _, verdicts in asker.answers[-10:])
