"""Order, absence, tombstones and the results of a write, on every store."""

import itertools

import pytest

from controlplane.kernel.dtypes import Dtype
from store_adapters import Lane, RowWrite, Store, WriteResult, encode_key
from tests.store_adapters.conformance.backdoors import Backdoor
from tests.store_adapters.stories import HOUR, NOW, key_of, packed, tombstone, write_of

WRITTEN, OLDER, UNCHANGED = WriteResult.WRITTEN, WriteResult.OLDER, WriteResult.UNCHANGED
STORED = packed(1.0, "a", position=5, run=5)

OUTCOMES = {
    "a later event time is written": (packed(2.0, "b", at=NOW + 1, position=1, run=9), WRITTEN),
    "an earlier event time is older": (packed(2.0, "b", at=NOW - 1, position=9, run=9), OLDER),
    "an earlier event time with equal values is older": (packed(1.0, "a", at=NOW - 1, run=9), OLDER),
    "of one event time the higher position is written": (packed(2.0, "b", position=6, run=9), WRITTEN),
    "of one event time the lower position is older": (packed(2.0, "b", position=4, run=9), OLDER),
    "an equal order key is not greater": (packed(2.0, "b", position=5, run=9), OLDER),
    "equal but for a greater position is unchanged": (packed(1.0, "a", position=6, run=9), UNCHANGED),
    "equal but for a lower position is unchanged": (packed(1.0, "a", position=4, run=9), UNCHANGED),
    "equal in all but the run is unchanged": (packed(1.0, "a", position=5, run=9), UNCHANGED),
    "equal but for the write time is unchanged": (
        packed(1.0, "a", position=6, run=9, write_time_us=7),
        UNCHANGED,
    ),
    "equal but held is written": (packed(1.0, "a", position=6, run=9, held=True), WRITTEN),
    "equal but clamped is written": (packed(1.0, "a", position=6, run=9, clamped=True), WRITTEN),
    "a tombstone of the same time is written": (tombstone(position=6, run=9), WRITTEN),
    "an older tombstone is older": (tombstone(at=NOW - 1, position=6, run=9), OLDER),
    "another lane of the same time decides before the position": (
        packed(2.0, "b", position=1, run=9, lane=Lane.STREAM),
        WRITTEN,
    ),
    "a value that became null is written": (packed(1.0, None, position=6, run=9), WRITTEN),
    "a null and an empty string differ": (packed(1.0, "", position=6, run=9), WRITTEN),
    "the same row of the same run is written, as the first time": (STORED, WRITTEN),
    "the same content of the same run is written": (packed(1.0, "a", position=6, run=5), WRITTEN),
    "an older row of the run that wrote the newer is written": (packed(0.5, "z", at=NOW - 1, run=5), WRITTEN),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_outcome_of_a_write_over_a_stored_row(store: Store, project: str, case: str):
    row, expected = OUTCOMES[case]
    run = int.from_bytes(row[32:40], "little")
    assert store.write_rows(project, "v", [write_of(1, STORED)], run_number=5) == [WRITTEN]
    assert store.write_rows(project, "v", [write_of(1, row)], run_number=run) == [expected]
    replaced = (
        expected is WRITTEN
        and row[:16] > STORED[:16]
        and row[40:-4] + row[16:24] != STORED[40:-4] + STORED[16:24]
    )
    assert store.read_rows(project, "v", [key_of(1)]) == [row if replaced else STORED]


@pytest.mark.parametrize("bit", range(128))
def test_every_bit_of_the_order_key_counts(store: Store, project: str, bit: int):
    """Signed comparison, doubles and locales each get some of these wrong."""
    low, high = bytearray(packed(1.0, "a")), bytearray(packed(2.0, "b"))
    low[:16] = bytes(16) if bit % 2 else b"\x7f" * 16
    high[:16] = low[:16]
    high[15 - bit // 8] |= 1 << bit % 8
    low[15 - bit // 8] &= 0xFF ^ (1 << bit % 8)
    first, second = write_of(1, bytes(low)), write_of(1, bytes(high))
    assert store.write_rows(project, "v", [first], run_number=9) == [WRITTEN]
    assert store.write_rows(project, "v", [second], run_number=8) == [WRITTEN]
    assert store.write_rows(project, "v", [first], run_number=9) == [OLDER]
    assert store.read_rows(project, "v", [key_of(1)]) == [second.row]


def test_rows_arrive_in_any_order_and_the_newest_stays(store: Store, project: str):
    rows = [
        packed(1.0, "a", at=NOW, position=1, run=1),
        packed(2.0, "b", at=NOW, position=2, run=2),
        packed(3.0, "c", at=NOW - HOUR, position=3, run=3),
        tombstone(at=NOW + 1, position=1, run=4),
    ]
    for number, order in enumerate(itertools.permutations(rows)):
        results = [store.write_rows(project, "v", [write_of(number, row)], run_number=99)[0] for row in order]
        running = [max(order[: i + 1], key=lambda row: row[:16]) for i in range(len(order))]
        assert results == [
            WRITTEN if row is best else OLDER for row, best in zip(order, running, strict=True)
        ]
    found = store.read_rows(project, "v", [key_of(number) for number in range(24)])
    assert found == [rows[3]] * 24


def test_a_late_row_does_not_resurrect_a_deleted_one(store: Store, project: str):
    gone = tombstone(at=NOW, run=2)
    assert store.write_rows(project, "v", [write_of(1, gone)], run_number=2) == [WRITTEN]
    assert store.write_rows(project, "v", [write_of(1, packed(at=NOW - 1))], run_number=3) == [OLDER]
    assert store.read_rows(project, "v", [key_of(1)]) == [gone]
    back = packed(at=NOW + 1, run=4)
    assert store.write_rows(project, "v", [write_of(1, back)], run_number=4) == [WRITTEN]
    assert store.read_rows(project, "v", [key_of(1)]) == [back]


def test_one_key_twice_in_a_call_is_decided_in_order(store: Store, project: str):
    new, old = packed(2.0, "b", at=NOW + 1, run=7), packed(1.0, "a", run=7)
    assert store.write_rows(project, "v", [write_of(1, new), write_of(1, old)], run_number=8) == [
        WRITTEN,
        OLDER,
    ]
    assert store.write_rows(project, "v", [write_of(2, old), write_of(2, new)], run_number=8) == [WRITTEN] * 2
    assert store.read_rows(project, "v", [key_of(1), key_of(2)]) == [new, new]


def test_absent_keys_views_and_projects_read_as_none(store: Store, project: str):
    assert store.read_rows(project, "v", []) == []
    assert store.read_rows(project, "v", [key_of(1)]) == [None]
    store.write_rows(project, "v", [write_of(1, STORED)], run_number=1)
    assert store.read_rows(project, "v", [key_of(2), key_of(1), key_of(3), key_of(1)]) == [
        None,
        STORED,
        None,
        STORED,
    ]
    assert store.read_rows(project, "w", [key_of(1)]) == [None]
    assert store.read_rows(f"{project}_2", "v", [key_of(1)]) == [None]


def test_views_of_one_entity_do_not_touch_each_other(store: Store, project: str):
    other = packed(9.0, "z", at=NOW - HOUR)
    store.write_rows(project, "v", [write_of(1, STORED)], run_number=1)
    assert store.write_rows(project, "w", [write_of(1, other)], run_number=1) == [WRITTEN]
    assert store.delete_rows(project, "v", [key_of(1), key_of(2)]) == 1
    assert store.read_rows(project, "v", [key_of(1)]) == [None]
    assert store.read_rows(project, "w", [key_of(1)]) == [other]
    assert store.write_rows(project, "v", [write_of(1, packed(at=NOW - HOUR))], run_number=1) == [WRITTEN]


def test_nothing_to_write_is_no_error(store: Store, project: str):
    assert store.write_rows(project, "v", [], run_number=1) == []
    assert store.delete_rows(project, "v", []) == 0


def test_a_stored_fragment_does_not_block_its_key(store: Store, backdoor: Backdoor, project: str):
    """Shorter than any row, yet above every order key."""
    store.write_rows(project, "v", [write_of(1, STORED)], run_number=1)
    for fragment in backdoor.fragments:
        backdoor.plant_row(project, "v", key_of(1), fragment)
        assert store.read_rows(project, "v", [key_of(1)]) == [fragment]
        assert store.write_rows(project, "v", [write_of(1, STORED)], run_number=1) == [WRITTEN]
        assert store.read_rows(project, "v", [key_of(1)]) == [STORED]


HOSTILE = [
    encode_key([("k", Dtype.STRING, text)])
    for text in (
        "",
        "Zürich",
        "e\u0301",
        "\u00e9",
        "東京 🛫",
        "nul\x00",
        "{braces}",
        "a*?[b]",
        "x" * 5000,
        "\r\n$5",
    )
] + [
    encode_key([("k", Dtype.BYTES, raw)]) for raw in (b"", b"\x00", b"\xff\xfe", bytes(range(256)), b"*\r\n")
]


def test_any_unicode_or_binary_key_is_a_key_of_its_own(store: Store, backdoor: Backdoor, project: str):
    hostile = [key for key in HOSTILE if len(key) <= backdoor.longest_key]
    writes = [RowWrite(key, packed(float(i), f"{i}")) for i, key in enumerate(hostile)]
    assert store.write_rows(project, "v", writes, run_number=1) == [WRITTEN] * len(hostile)
    assert store.read_rows(project, "v", hostile) == [write.row for write in writes]
    assert store.sample_keys(project, "v", limit=100) == sorted(hostile)
    assert store.delete_rows(project, "v", hostile[::2]) == len(hostile[::2])
    assert store.purge_view(project, "v") == len(hostile[1::2])


def test_a_large_batch_keeps_its_order(store: Store, backdoor: Backdoor, project: str):
    size = 2 * backdoor.many
    writes = [write_of(i, packed(float(i), "x" * (i % 50), run=3)) for i in range(size)]
    assert store.write_rows(project, "v", writes, run_number=3) == [WRITTEN] * size
    mixed = [write_of(i, packed(float(i), "new", at=NOW + (1 if i % 3 else -1), run=4)) for i in range(size)]
    results = store.write_rows(project, "v", mixed, run_number=4)
    assert results == [WRITTEN if i % 3 else OLDER for i in range(size)]
    found = store.read_rows(project, "v", [key_of(i) for i in reversed(range(size))])
    assert found == [(mixed if i % 3 else writes)[i].row for i in reversed(range(size))]


def test_a_row_as_long_as_the_store_takes_comes_back(store: Store, backdoor: Backdoor, project: str):
    row = packed(1.0, "é" * ((backdoor.longest_row - 100) // 2))
    store.write_rows(project, "v", [write_of(1, row)], run_number=1)
    assert store.read_rows(project, "v", [key_of(1)]) == [row]
