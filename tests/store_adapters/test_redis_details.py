"""What is particular to Redis: what it says of itself, how keys look, how scripts come back."""

from collections.abc import Iterator

import pytest

from controlplane.kernel.errors import Refused
from store_adapters import Lane, RowWrite, Store, Watermark, WriteResult, open_store, redis_scans
from tests.store_adapters.servers import RedisServer
from tests.store_adapters.stories import LAYOUT, key_of, packed, write_of

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path_factory.mktemp("redis"))
    yield started
    started.kill()


@pytest.fixture
def store(server: RedisServer) -> Iterator[Store]:
    opened = open_store(f"redis://127.0.0.1:{server.port}/0")
    yield opened
    server.client().flushall()
    opened.close()


def test_a_sound_server_has_nothing_said_against_it(store: Store):
    description = store.describe()
    assert (description.kind, description.problems, description.warnings) == ("redis", (), ())
    assert description.version.split(".")[0].isdigit()


def test_a_server_that_evicts_is_unfit(store: Store, server: RedisServer):
    server.client().config_set("maxmemory-policy", "allkeys-lru")
    (problem,) = store.describe().problems
    server.client().config_set("maxmemory-policy", "noeviction")
    assert "allkeys-lru" in problem and "noeviction" in problem


def test_a_server_that_persists_nothing_is_warned_about(store: Store, server: RedisServer):
    server.client().config_set("appendonly", "no")
    (warning,) = store.describe().warnings
    server.client().config_set("save", "60 1")
    assert store.describe().warnings == ()
    server.client().config_set("save", "")
    server.client().config_set("appendonly", "yes")
    assert "nothing is persisted" in warning


def test_keys_and_fields_are_those_that_serving_reads(store: Store, server: RedisServer):
    store.write_rows("p", "v", [write_of(1, packed(), 4_000_000_000_000_001)], run_number=1)
    store.write_watermark("p", "v", Lane.DIRECT, Watermark(3, -4))
    store.write_layout("p", "v", LAYOUT)
    client = server.client()
    assert set(client.keys()) == {b"fl:p:" + key_of(1), b"fl-wm:p", b"fl-layout:p"}
    assert client.hgetall(b"fl:p:" + key_of(1)) == {b"v": packed(), b"!v": b"4000000000001"}
    assert client.hgetall("fl-wm:p") == {b"v/direct": b"3:-4"}
    assert client.hgetall("fl-layout:p") == {
        b"v/1": b'[{"dtype":"float64","name":"score"},{"dtype":"string","name":"tail"}]'
    }


def test_scripts_that_a_server_forgot_are_loaded_again(store: Store, server: RedisServer):
    for run in range(1, 4):
        server.client().script_flush()
        rows = [write_of(i, packed(float(run), at=run)) for i in range(200)]
        assert store.write_rows("p", "v", rows, run_number=run) == [WriteResult.WRITTEN] * 200
        server.client().script_flush()
        assert store.write_watermark("p", "v", Lane.BATCH, Watermark(1, run))


def test_an_emptied_record_leaves_nothing_behind(store: Store, server: RedisServer):
    for empty in (
        lambda: store.delete_rows("p", "v", [key_of(1)]),
        lambda: store.purge_view("p", "v"),
    ):
        store.write_rows("p", "v", [write_of(1, packed(), 4_000_000_000_000_000)], run_number=1)
        assert empty() == 1
        assert server.client().keys() == []


@pytest.mark.parametrize("project", ["*", "a:b", "", "P", "{p}", "p?"])
def test_a_project_that_could_reach_into_another_is_refused(store: Store, project: str):
    store.write_rows("p", "v", [write_of(1, packed())], run_number=1)
    with pytest.raises(Refused):
        store.purge_view(project, "v")
    with pytest.raises(Refused):
        store.write_rows(project, "v", [write_of(1, packed())], run_number=1)
    assert store.read_rows("p", "v", [key_of(1)]) == [packed()]


def test_a_sweep_goes_on_where_the_last_of_any_process_stopped(
    store: Store, server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    """Each call looks at a part; the one expired row lies where only the last call comes."""
    monkeypatch.setattr(redis_scans, "_LOOKS", 1_000)
    store.write_rows("p", "keeps", [write_of(i, packed()) for i in range(5_000)], run_number=1)
    *_, last = server.client().scan_iter(match="fl:p:*", count=500)
    key = last.removeprefix(b"fl:p:")
    over = store.clock_us() - 1_000_000
    store.write_rows("p", "v", [RowWrite(key, packed(), over)], run_number=1)
    swept = []
    while not sum(swept) and len(swept) < 20:
        another = open_store(f"redis://127.0.0.1:{server.port}/0")
        swept.append(another.sweep_expired(now_us=store.clock_us(), limit=1))
        another.close()
    assert len(swept) > 1
    assert store.read_rows("p", "v", [key]) == [None]


def test_a_password_is_used_and_not_told(server: RedisServer):
    client = server.client()
    client.config_set("requirepass", "hunter2")
    good = open_store(f"redis://:hunter2@127.0.0.1:{server.port}/0")
    good.ping()
    assert "hunter2" not in repr(good.describe())
    with pytest.raises(Exception, match="could not answer a ping") as caught:
        open_store(f"redis://:wrong_secret@127.0.0.1:{server.port}/0").ping()
    assert "wrong_secret" not in str(caught.value)
    client.config_set("requirepass", "")
