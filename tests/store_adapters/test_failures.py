"""What a caller hears when the store is away, slow or broken, and what is left in it afterwards."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from redis.exceptions import RedisError

from controlplane.kernel.errors import Unavailable
from store_adapters import Lane, Store, Watermark, WriteResult, open_store
from tests.store_adapters.servers import (
    Proxy,
    RedisServer,
    free_ports,
    is_whole,
    redis_cluster,
    silent_port,
    wait_until,
)
from tests.store_adapters.stories import LAYOUT, NOW, key_of, packed, write_of

OPERATIONS: dict[str, tuple[Callable[[Store], object], str]] = {
    "describe": (lambda s: s.describe(), "could not describe itself"),
    "ping": (lambda s: s.ping(), "could not answer a ping"),
    "clock": (lambda s: s.clock_us(), "could not read the clock"),
    "write": (lambda s: s.write_rows("p", "v", [write_of(1, packed())], run_number=1), "write rows of p/v"),
    "read": (lambda s: s.read_rows("p", "v", [key_of(1)]), "could not read rows of p/v"),
    "delete": (lambda s: s.delete_rows("p", "v", [key_of(1)]), "could not delete rows of p/v"),
    "purge": (lambda s: s.purge_view("p", "v"), "could not purge the rows of p/v"),
    "sample": (lambda s: s.sample_keys("p", "v", limit=1), "could not sample keys of p/v"),
    "move": (
        lambda s: s.write_watermark("p", "v", Lane.BATCH, Watermark(1, 1)),
        "could not move the watermark of p/v/batch",
    ),
    "watermarks": (lambda s: s.read_watermarks("p"), "could not read the watermarks of p"),
    "lay out": (lambda s: s.write_layout("p", "v", LAYOUT), "could not write the layout of p/v/1"),
    "layout": (lambda s: s.read_layout("p", "v", 1), "could not read the layout of p/v/1"),
    "sweep": (
        lambda s: s.sweep_expired(now_us=NOW, limit=1),
        "sweep the expired rows of every view",
    ),
}


def _assert_unavailable(store: Store, operation: str) -> None:
    call, told = OPERATIONS[operation]
    with pytest.raises(Unavailable) as caught:
        call(store)
    assert caught.value.code == "store_unavailable"
    assert caught.value.detail.startswith(f"store {store.address} could not ")
    assert f"{told}: " in caught.value.detail
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("form", ["redis://:hunter2@127.0.0.1:{}/0", "redis+cluster://:hunter2@127.0.0.1:{}"])
def test_a_closed_port_is_told_by_store_view_and_operation(form: str, operation: str):
    store = open_store(form.format(free_ports(1)[0]), timeout_seconds=1)
    _assert_unavailable(store, operation)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("form", ["redis://127.0.0.1:{}/0", "redis+cluster://127.0.0.1:{}"])
def test_a_silent_server_is_waited_for_no_longer_than_the_timeout_allows(form: str, operation: str):
    with silent_port() as port:
        store = open_store(form.format(port), timeout_seconds=0.05)
        started = monotonic()
        _assert_unavailable(store, operation)
    assert monotonic() - started < 3


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - {"clock"}))
def test_a_closed_port_of_dynamodbs_protocol_is_told_by_store_view_and_operation(
    monkeypatch: pytest.MonkeyPatch, operation: str
):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    endpoint = f"http://127.0.0.1:{free_ports(1)[0]}"
    _assert_unavailable(
        open_store(f"dynamodb://eu-west-1/table?endpoint={endpoint}", timeout_seconds=1), operation
    )


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - {"clock"}))
def test_a_silent_server_of_dynamodbs_protocol_is_waited_for_no_longer_than_the_timeout_allows(
    monkeypatch: pytest.MonkeyPatch, operation: str
):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    with silent_port() as port:
        url = f"dynamodb://eu-west-1/table?endpoint=http://127.0.0.1:{port}"
        store = open_store(url, timeout_seconds=0.05)
        started = monotonic()
        _assert_unavailable(store, operation)
    assert monotonic() - started < 3


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - {"clock"}))
def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path, operation: str):
    (tmp_path / "store.db").write_bytes(b"not a database, but long enough to look like one" * 100)
    _assert_unavailable(open_store(f"sqlite://{tmp_path}/store.db"), operation)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path):
    (tmp_path / "file").write_text("")
    _assert_unavailable(open_store(f"sqlite://{tmp_path}/file/store.db"), "read")


def test_a_locked_file_is_waited_for_and_then_unavailable_to_writers_alone(tmp_path: Path):
    store = open_store(f"sqlite://{tmp_path}/store.db", timeout_seconds=0.05)
    store.write_rows("p", "v", [write_of(1, packed())], run_number=1)
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for operation in ("write", "delete", "purge", "move", "lay out", "sweep"):
        _assert_unavailable(store, operation)
    assert store.read_rows("p", "v", [key_of(1)]) == [packed()]
    holder.execute("ROLLBACK")
    newer = packed(2.0, at=NOW + 1)
    assert store.write_rows("p", "v", [write_of(1, newer)], run_number=2) == [WriteResult.WRITTEN]


def test_a_write_that_fails_midway_leaves_no_open_transaction(tmp_path: Path):
    store = open_store(f"sqlite://{tmp_path}/store.db", timeout_seconds=0.05)
    wrong = write_of(2, packed())
    object.__setattr__(wrong, "key", object())  # what no type checker lets through
    with pytest.raises(Unavailable):
        store.write_rows("p", "v", [write_of(1, packed()), wrong], run_number=1)
    assert store.read_rows("p", "v", [key_of(1)]) == [None]
    other = open_store(f"sqlite://{tmp_path}/store.db", timeout_seconds=0.05)
    assert other.write_rows("p", "v", [write_of(1, packed())], run_number=1) == [WriteResult.WRITTEN]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path)
    yield started
    started.kill()


@pytest.mark.redis
def test_a_store_comes_back_with_its_server(server: RedisServer):
    store = open_store(f"redis://127.0.0.1:{server.port}/0", timeout_seconds=1)
    assert store.write_rows("p", "v", [write_of(1, packed())], run_number=1) == [WriteResult.WRITTEN]
    server.kill()
    _assert_unavailable(store, "write")
    _assert_unavailable(store, "read")
    server.start()  # and knows no script any more
    assert store.read_rows("p", "v", [key_of(1)]) == [packed()]
    newer = packed(2.0, at=NOW + 1)
    assert store.write_rows("p", "v", [write_of(1, newer)], run_number=2) == [WriteResult.WRITTEN]
    assert store.write_watermark("p", "v", Lane.BATCH, Watermark(1, 1))


@pytest.mark.redis
def test_a_lost_answer_is_asked_for_again_and_the_row_counts_as_written(server: RedisServer):
    proxy = Proxy(server.port)
    store = open_store(f"redis://127.0.0.1:{proxy.port}/0", timeout_seconds=5)
    store.write_rows("p", "v", [write_of(999, packed())], run_number=1)  # loads the script
    before = proxy.connections
    proxy.lose_answers_to = b"EVALSHA"
    rows = [write_of(i, packed(float(i), run=2)) for i in range(300)]
    assert store.write_rows("p", "v", rows, run_number=2) == [WriteResult.WRITTEN] * 300
    assert proxy.connections > before
    assert store.read_rows("p", "v", [row.key for row in rows]) == [row.row for row in rows]
    proxy.close()


@pytest.mark.redis
def test_a_server_that_may_not_write_says_why(server: RedisServer):
    server.client().config_set("maxmemory", "1mb")
    store = open_store(f"redis://127.0.0.1:{server.port}/0")
    with pytest.raises(Unavailable, match="maxmemory"):
        store.write_rows("p", "v", [write_of(1, packed(1.0, "x" * 2_000_000))], run_number=1)
    assert store.read_rows("p", "v", [key_of(1)]) == [None]


@pytest.mark.redis
def test_another_programs_key_does_not_stop_scans(server: RedisServer):
    server.client().set("fl:p:mine", "a string")
    server.client().set("fl:other", "a string")
    server.client().hset("fl:p:short", "x", "1")
    store = open_store(f"redis://127.0.0.1:{server.port}/0")
    assert store.sample_keys("p", "v", limit=5) == []
    assert store.purge_view("p", "v") == 0
    assert store.sweep_expired(now_us=NOW, limit=5) == 0


@pytest.mark.redis
def test_a_watermark_that_cannot_be_read_is_no_evidence_and_is_replaced(server: RedisServer):
    client = server.client()
    client.hset(
        "fl-wm:p", mapping={"v/batch": "soon", "v/stream": "1:2", "v/carrier_pigeon": "1:2", "w/direct": "1"}
    )
    store = open_store(f"redis://127.0.0.1:{server.port}/0")
    assert store.read_watermarks("p") == {("v", Lane.STREAM): Watermark(1, 2)}
    assert store.write_watermark("p", "v", Lane.BATCH, Watermark(0, 0))
    assert client.hget("fl-wm:p", "v/batch") == b"0:0"


@pytest.mark.redis
def test_a_cluster_that_loses_a_node_serves_the_rest(tmp_path: Path):
    with redis_cluster(tmp_path) as servers:
        url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        store = open_store(url, timeout_seconds=0.5)
        writes = [write_of(i, packed(float(i))) for i in range(300)]
        assert store.write_rows("p", "v", writes, run_number=1) == [WriteResult.WRITTEN] * 300
        servers[1].kill()
        started = monotonic()
        with pytest.raises(Unavailable, match="write rows of p/v"):
            store.write_rows("p", "v", writes, run_number=1)
        assert monotonic() - started < 10
        answered = 0
        for write in writes:
            try:
                answered += store.read_rows("p", "v", [write.key]) == [write.row]
            except Unavailable:
                continue
            if answered >= 20:
                break
        assert answered >= 20
        servers[1].start()
        wait_until(lambda: all(is_whole(server) for server in servers))
        assert store.write_rows("p", "v", writes, run_number=1) == [WriteResult.WRITTEN] * 300


@pytest.mark.redis
def test_a_slot_that_moved_is_followed(tmp_path: Path):
    with redis_cluster(tmp_path) as servers:
        url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        store = open_store(url, timeout_seconds=5)
        record = b"fl:p:" + key_of(1)
        slot = servers[0].client().execute_command("CLUSTER KEYSLOT", record)
        assert store.read_rows("p", "v", [key_of(1)]) == [None]
        home = next(s for s in servers if _owns(s, record))
        away = next(s for s in servers if s is not home)
        name = away.client().execute_command("CLUSTER MYID")
        for each in (away, home, *servers):
            each.client().execute_command("CLUSTER SETSLOT", slot, "NODE", name)
        assert store.write_rows("p", "v", [write_of(1, packed())], run_number=1) == [WriteResult.WRITTEN]
        assert away.client().hget(record, "v") == packed()
        assert store.read_rows("p", "v", [key_of(1)]) == [packed()]


def _owns(server: RedisServer, record: bytes) -> bool:
    try:
        server.client().exists(record)
    except RedisError:
        return False
    return True
