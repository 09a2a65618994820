"""Writes in whatever order, on every store: against one small model, and against what the format promises."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store_adapters import Lane, Row, Store, WriteResult, encode_row, order_key
from store_adapters.writing import decide, expiry_after
from tests.store_adapters.conformance.backdoors import Backdoor
from tests.store_adapters.stories import LAYOUT, key_of, write_of

# Each example takes a key of its own, so that all of them can share a store.
KEYS = itertools.count()
on_a_shared_store = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

CONTENTS = st.sampled_from([(1.0, None), (2.0, None), (1.0, ""), None])
FAR = 4_000_000_000_000_000
EXPIRIES = st.sampled_from([None, FAR, FAR + 1_000_000, FAR + 2_000_000])


def _row(event_time_us: int, lane: Lane, position: int, run: int, content: tuple | None, held: bool) -> Row:
    values = LAYOUT.nulls if content is None else content
    return Row(event_time_us, lane, position, 1, 5, run, values, tombstone=content is None, held=held)


ROWS = st.builds(
    _row,
    st.integers(-1, 1),
    st.sampled_from(Lane),
    st.integers(0, 2),
    st.integers(1, 3),
    CONTENTS,
    st.booleans(),
)


@on_a_shared_store
@given(steps=st.lists(st.tuples(ROWS, EXPIRIES), min_size=1, max_size=8), in_one_call=st.booleans())
def test_a_store_does_what_the_rules_say(
    store: Store, backdoor: Backdoor, project: str, steps: list[tuple[Row, int | None]], in_one_call: bool
):
    """The rules are pure Python; Redis has them in Lua."""
    number = next(KEYS)
    writes = [write_of(number, encode_row(row, LAYOUT), expire_at_us) for row, expire_at_us in steps]
    stored: bytes | None = None
    expiry: int | None = None
    expected = []
    for write in writes:
        decision = decide(stored, write.row, run_number=2)
        if decision.puts or decision.keeps:
            expiry = expiry_after(decision, expiry, write.expire_at_us)
        stored = write.row if decision.puts else stored
        expected.append(decision.result)
    if in_one_call:
        results = store.write_rows(project, "v", writes, run_number=2)
    else:
        results = [store.write_rows(project, "v", [write], run_number=2)[0] for write in writes]
    assert results == expected
    assert store.read_rows(project, "v", [key_of(number)]) == [stored]
    assert backdoor.row_expiry_us(project, key_of(number), "v") == expiry


def _told_apart(rows: Sequence[Row]) -> list[bytes]:
    """As it is in practice: two rows of one order key are one row, and no other row says quite the same."""
    keys = [order_key(encode_row(row, LAYOUT)) for row in rows]
    contents = {key: (float(number), None) for number, key in enumerate(keys)}
    return [
        encode_row(replace(row, values=contents[key], tombstone=False, held=False), LAYOUT)
        for row, key in zip(rows, keys, strict=True)
    ]


@on_a_shared_store
@given(
    case=st.lists(ROWS, min_size=1, max_size=8).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))
    )
)
def test_any_order_leaves_the_row_of_the_greatest_order_key(
    store: Store, project: str, case: tuple[list[Row], list[int]]
):
    rows = _told_apart(case[0])
    results = []
    number = next(KEYS)
    arriving = [rows[at] for at in case[1]]
    for data in arriving:
        results += store.write_rows(project, "v", [write_of(number, data)], run_number=99)
    greatest = max(order_key(data) for data in rows)
    (left,) = store.read_rows(project, "v", [key_of(number)])
    assert left is not None and order_key(left) == greatest
    assert left[40:-4] == next(data for data in rows if order_key(data) == greatest)[40:-4]
    for at, result in enumerate(results):
        before = [order_key(data) for data in arriving[:at]]
        mine = order_key(arriving[at])
        if not before or mine > max(before):
            assert result is WriteResult.WRITTEN
        elif mine == max(before):
            assert result is WriteResult.UNCHANGED
        else:
            assert result is WriteResult.OLDER


@on_a_shared_store
@given(rows=st.lists(ROWS, min_size=1, max_size=6), lost=st.integers(0, 5))
def test_a_retry_after_a_lost_answer_tells_what_was_written(
    store: Store, project: str, rows: list[Row], lost: int
):
    """A run writes a key once; its first try got through, and nothing else wrote in between."""
    number = next(KEYS)
    for row in rows[:-1]:
        other = encode_row(replace(row, run_number=1), LAYOUT)
        store.write_rows(project, "v", [write_of(number, other)], run_number=1)
    own = encode_row(replace(rows[-1], run_number=50), LAYOUT)
    first = store.write_rows(project, "v", [write_of(number, own)], run_number=50)
    for _ in range(lost):
        assert store.write_rows(project, "v", [write_of(number, own)], run_number=50) == first
