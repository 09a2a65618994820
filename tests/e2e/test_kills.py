"""Ten random kills during mixed ingestion: nothing acknowledged is lost, nothing doubled."""

import os
import random
import signal
import threading
from pathlib import Path

import pytest

from tests.e2e.house import eventually
from tests.e2e.lanes import (
    BATCH_KEYS,
    DIRECT_KEYS,
    SHARED_KEYS,
    STREAM_KEYS,
    Asker,
    Beats,
    Client,
    Events,
    Snapshots,
    Story,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SEED = 20261123
VICTIMS = ("worker-ingest", "worker-stream", "worker-watch", "beat", "web", "serving")
KILLS = 10


def victims(chance):
    """Every process at least once, ten in all, in any order."""
    chosen = [*VICTIMS, *chance.choices(VICTIMS, k=KILLS - len(VICTIMS))]
    chance.shuffle(chosen)
    return chosen


def kill(house, name, chance):
    """Kill -9 the process, or one of its children, as the out-of-memory killer might."""
    pid = eventually(lambda: house.pid(name), within=60)
    family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    os.kill(chance.choice(family), signal.SIGKILL)


@pytest.fixture
def story(brittle):
    made = Story(brittle)
    Snapshots(made).write()
    made.apply()
    return made


def test_ten_random_kills_lose_nothing_and_double_nothing(brittle, story):
    chance = random.Random(SEED)
    first = BATCH_KEYS
    snapshots = Snapshots(story)
    streams = [
        Events(story, "streamed", range(first, first + STREAM_KEYS)),
        Events(story, "shared", range(SHARED_KEYS)),
    ]
    clients = [
        Client(story, "posted", range(DIRECT_KEYS // 2)),
        Client(story, "posted", range(DIRECT_KEYS // 2, DIRECT_KEYS)),
        Client(story, "shared", range(SHARED_KEYS)),
    ]
    asker = Asker(story)
    eventually(lambda: asker.ask()[0] == 200, within=30)
    beats = Beats(story)
    beats.start()
    writers = [snapshots, *streams, *clients, asker]
    for writer in writers:
        writer.start()
    for name in victims(chance):
        threading.Event().wait(chance.uniform(0.5, 3.5))
        kill(brittle, name, chance)
    eventually(brittle.is_whole, within=120)
    # A request whose answer was lost is taken up again after a minute: until then its key is in use.
    eventually(lambda: min(writer.rounds for writer in writers) > 10, within=120)
    for writer in writers:
        writer.finish()
    check_streams(brittle, story, streams)
    check_runs_end(brittle, story)
    check_store(story)
    check_direct(brittle, story, clients)
    check_observations(brittle, story, asker)
    check_state(brittle, story)
    beats.finish()


def check_streams(house, story, streams):
    """Every byte is consumed, each event is counted once, and each broken one is kept once."""
    cursor = (
        "SELECT json_extract(cursors, '$.0.offset') FROM ingestion_lanestate "
        "WHERE project=? AND view=? AND lane='stream'"
    )
    for stream in streams:
        end = [(stream.path.stat().st_size,)]
        eventually(lambda s=stream, at=end: house.rows(cursor, story.project, s.view) == at, within=60)
        read = counts(house, story, stream.view, "stream")[0]
        kept = refused(house, story, stream.view, "stream")
        assert (read, kept) == (stream.lines, stream.broken)


def check_direct(house, story, clients):
    """Each row of an acknowledged request is counted once, however often it was sent."""
    for view in ("posted", "shared"):
        of_view = [client for client in clients if client.view == view]
        posted, broken = (sum(getattr(c, name) for c in of_view) for name in ("posted", "broken"))
        read, kept, refused_count = counts(house, story, view, "direct")
        assert (read, kept, refused_count) == (posted + broken, posted, broken)
        assert refused(house, story, view, "direct") == broken


def check_runs_end(house, story):
    """No batch run is stuck or failed, none was made twice, and the last one saw the last snapshot."""
    batch = "FROM ingestion_ingestionrun WHERE project=? AND lane='batch'"
    before = house.rows(f"SELECT max(id) {batch}", story.project)[0][0]

    def seen():
        sql = f"SELECT count(*) {batch} AND state='succeeded' AND id > ?"
        return house.rows(sql, story.project, before)[0][0] >= 2

    eventually(seen, within=90)
    columns = "state, json_extract(error, '$.code'), scheduled_for"
    found = house.rows(f"SELECT {columns} {batch} AND id <= ?", story.project, before)
    assert {(state, code) for state, code, _ in found} == {("succeeded", None)}
    assert len({instant for _, _, instant in found}) == len(found) > 3


def check_store(story):
    for view, model in story.models.items():
        users = sorted(model)
        stored = story.stored(view, users)
        wrong = {user: (stored.get(user), model[user]) for user in users if stored.get(user) != model[user]}
        assert wrong == {}, view
    gone = [user for user in range(BATCH_KEYS) if user not in story.models["batched"]]
    assert set(story.stored("batched", gone).values()) <= {("gone",)}


def check_observations(house, story, asker):
    """What serving had counted when it was killed may be missing; nothing is counted twice."""
    sql = "SELECT coalesce(sum(requests), 0) FROM observations_minutecount WHERE project=? AND view='batched'"
    eventually(lambda: house.rows(sql, story.project)[0][0] > 100, within=30)
    assert house.rows(sql, story.project)[0][0] <= asker.sent


def check_state(house, story):
    def fresh():
        found = house.ok("GET", f"projects/{story.project}/health")
        return not found["monitoring"]["behind"] and {one["state"] for one in found["items"]} == {"fresh"}

    eventually(fresh, within=90, every=0.5)
    assert house.ok("GET", f"projects/{story.project}/incidents?state=open")["items"] == []


def counts(house, story, view, lane):
    sql = (
        'SELECT sum("read"), sum(written + older + unchanged), sum(refused) FROM ingestion_ingestionrun '
        "WHERE project=? AND view=? AND lane=?"
    )
    return house.rows(sql, story.project, view, lane)[0]


def refused(house, story, view, lane):
    sql = "SELECT count(*) FROM ingestion_refusedrow WHERE project=? AND view=? AND lane=?"
    return house.rows(sql, story.project, view, lane)[0][0]
