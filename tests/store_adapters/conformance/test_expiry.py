"""When rows and records go, on every store. No test waits: expiries lie far ahead, or already behind."""

from store_adapters import Store, WriteResult
from tests.store_adapters.conformance.backdoors import Backdoor
from tests.store_adapters.stories import HOUR, NOW, key_of, packed, tombstone, write_of

SECOND = 1_000_000
FAR = 4_000_000_000 * SECOND  # 2096; whole milliseconds, as Redis keeps them


def _write(store: Store, project: str, view: str, row: bytes, expire_at_us: int | None) -> WriteResult:
    (result,) = store.write_rows(project, view, [write_of(1, row, expire_at_us)], run_number=77)
    return result


def _now(store: Store) -> int:
    """The store's clock in whole milliseconds, as Redis keeps expiries."""
    return store.clock_us() // 1000 * 1000


def _sweep(store: Store, now_us: int) -> int:
    """Until a whole round found nothing: on Redis one call looks at a part of what is there."""
    swept = 0
    for _ in range(100):
        found = store.sweep_expired(now_us=now_us, limit=1_000)
        swept += found
        if not found:
            break
    return swept


def test_a_record_goes_with_the_last_of_its_views(store: Store, backdoor: Backdoor, project: str):
    _write(store, project, "v", packed(), FAR + 2 * SECOND)
    assert backdoor.record_expiry_us(project, key_of(1)) == FAR + 2 * SECOND
    _write(store, project, "w", packed(), FAR + SECOND)
    assert backdoor.record_expiry_us(project, key_of(1)) == FAR + 2 * SECOND
    _write(store, project, "x", packed(), FAR + 3 * SECOND)
    assert backdoor.record_expiry_us(project, key_of(1)) == FAR + 3 * SECOND


def test_a_view_that_keeps_its_rows_makes_the_record_permanent(
    store: Store, backdoor: Backdoor, project: str
):
    _write(store, project, "v", packed(), FAR)
    _write(store, project, "w", packed(), None)
    assert backdoor.record_expiry_us(project, key_of(1)) is None
    _write(store, project, "v", packed(2.0, at=NOW + 1), FAR + HOUR)
    assert backdoor.record_expiry_us(project, key_of(1)) is None


def test_a_permanent_record_stays_so_when_a_view_that_expires_joins(
    store: Store, backdoor: Backdoor, project: str
):
    _write(store, project, "w", packed(), None)
    _write(store, project, "v", packed(), FAR)
    assert backdoor.record_expiry_us(project, key_of(1)) is None


def test_an_expiry_is_never_brought_forward(store: Store, backdoor: Backdoor, project: str):
    _write(store, project, "v", packed(), FAR)
    assert _write(store, project, "v", packed(2.0, at=NOW + 1), FAR - HOUR) is WriteResult.WRITTEN
    assert backdoor.record_expiry_us(project, key_of(1)) == FAR


def test_an_unchanged_row_stays_longer(store: Store, backdoor: Backdoor, project: str):
    """Right values that never change must not be lost (batch refreshes them)."""
    _write(store, project, "v", packed(run=1), FAR)
    again = packed(position=9, run=9)
    assert _write(store, project, "v", again, FAR + HOUR) is WriteResult.UNCHANGED
    assert backdoor.record_expiry_us(project, key_of(1)) == FAR + HOUR
    assert _write(store, project, "v", again, FAR) is WriteResult.UNCHANGED
    assert backdoor.record_expiry_us(project, key_of(1)) == FAR + HOUR
    assert _write(store, project, "v", again, None) is WriteResult.UNCHANGED
    assert backdoor.record_expiry_us(project, key_of(1)) is None
    assert _write(store, project, "v", again, FAR) is WriteResult.UNCHANGED
    assert backdoor.record_expiry_us(project, key_of(1)) is None


def test_an_older_row_prolongs_nothing(store: Store, backdoor: Backdoor, project: str):
    _write(store, project, "v", packed(), FAR)
    assert _write(store, project, "v", packed(5.0, at=NOW - 1), FAR + HOUR) is WriteResult.OLDER
    assert _write(store, project, "v", packed(5.0, at=NOW - 1), None) is WriteResult.OLDER
    assert backdoor.record_expiry_us(project, key_of(1)) == FAR


def test_a_microsecond_is_rounded_up_not_away(store: Store, backdoor: Backdoor, project: str):
    _write(store, project, "v", packed(), FAR + 1)
    assert backdoor.record_expiry_us(project, key_of(1)) >= FAR + 1


def test_a_sweep_takes_expired_rows_of_any_view_and_leaves_the_rest(store: Store, project: str):
    now = _now(store)
    _write(store, project, "keeps", packed(), None)
    for view, expire_at_us in {"over": now - SECOND, "at_once": now, "to_come": now + HOUR}.items():
        _write(store, project, view, packed(), expire_at_us)
    _sweep(store, now - 2 * SECOND)
    assert store.read_rows(project, "over", [key_of(1)]) == [packed()]
    assert _sweep(store, now) >= 2
    for view, left in {"over": None, "at_once": None, "to_come": packed(), "keeps": packed()}.items():
        assert store.read_rows(project, view, [key_of(1)]) == [left], view


def test_a_sweep_takes_its_limit_and_goes_on_later(store: Store, backdoor: Backdoor, project: str):
    many, limit = backdoor.many, backdoor.many * 2 // 5
    now = _now(store)
    store.write_rows(project, "keeps", [write_of(i, packed()) for i in range(many)], run_number=1)
    expiring = [write_of(i, packed(), now - SECOND) for i in range(many)]
    store.write_rows(project, "over", expiring, run_number=1)
    first = store.sweep_expired(now_us=now, limit=limit)
    assert limit <= first < many
    _sweep(store, now)
    assert store.sample_keys(project, "over", limit=1) == []
    assert len(store.sample_keys(project, "keeps", limit=2 * many)) == many


def test_the_tombstone_of_a_permanent_row_expires(store: Store, project: str):
    now = _now(store)
    _write(store, project, "keeps", packed(), None)
    _write(store, project, "v", packed(), None)
    assert _write(store, project, "v", tombstone(at=NOW + 1), now - SECOND) is WriteResult.WRITTEN
    _sweep(store, now)
    assert store.read_rows(project, "v", [key_of(1)]) == [None]
    assert store.read_rows(project, "keeps", [key_of(1)]) == [packed()]


def test_a_row_written_again_without_an_expiry_outlives_the_sweep(store: Store, project: str):
    now = _now(store)
    _write(store, project, "keeps", packed(), None)
    _write(store, project, "v", packed(), now - SECOND)
    newer = packed(2.0, at=NOW + 1)
    _write(store, project, "v", newer, None)
    _sweep(store, now)
    assert store.read_rows(project, "v", [key_of(1)]) == [newer]


def test_a_deleted_row_leaves_no_expiry_to_its_successor(store: Store, project: str):
    now = _now(store)
    _write(store, project, "keeps", packed(), None)
    for drop in (
        lambda: store.delete_rows(project, "v", [key_of(1)]),
        lambda: store.purge_view(project, "v"),
    ):
        _write(store, project, "v", packed(), now - SECOND)
        assert drop() == 1
        _write(store, project, "v", packed(), None)
        _sweep(store, now)
        assert store.read_rows(project, "v", [key_of(1)]) == [packed()]


def test_a_permanent_row_that_is_told_again_stays_permanent(store: Store, project: str):
    now = _now(store)
    _write(store, project, "v", packed(run=1), None)
    assert _write(store, project, "v", packed(position=9, run=9), now - SECOND) is WriteResult.UNCHANGED
    _sweep(store, now)
    assert store.read_rows(project, "v", [key_of(1)]) == [packed(run=1)]


def test_a_row_is_swept_no_sooner_than_it_was_once_promised(store: Store, project: str):
    now = _now(store)
    _write(store, project, "keeps", packed(), None)
    _write(store, project, "v", packed(), now + HOUR)
    newer = packed(2.0, at=NOW + 1)
    assert _write(store, project, "v", newer, now - SECOND) is WriteResult.WRITTEN
    _sweep(store, now)
    assert store.read_rows(project, "v", [key_of(1)]) == [newer]
