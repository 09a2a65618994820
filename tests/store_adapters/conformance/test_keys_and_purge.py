"""Sampling keys and purging views, on every store."""

from store_adapters import Lane, Store, Watermark
from tests.store_adapters.conformance.backdoors import Backdoor
from tests.store_adapters.stories import LAYOUT, key_of, packed, write_of


def _fill(store: Store, project: str, view: str, numbers: range) -> None:
    store.write_rows(project, view, [write_of(i, packed(float(i), view)) for i in numbers], run_number=1)


def test_sampled_keys_are_those_of_the_view_in_byte_order(store: Store, project: str):
    _fill(store, project, "v", range(30))
    _fill(store, project, "w", range(20, 50))
    _fill(store, f"{project}_2", "v", range(90, 95))
    expected = sorted(key_of(i) for i in range(30))
    assert store.sample_keys(project, "v", limit=100) == expected
    assert store.sample_keys(project, "v", limit=7) == expected[:7]
    assert store.sample_keys(project, "v", limit=7, after=expected[6]) == expected[7:14]
    assert store.sample_keys(project, "v", limit=7, after=expected[-1]) == []
    assert store.sample_keys(project, "nothing", limit=7) == []


def test_calling_on_with_the_last_key_sees_all(store: Store, project: str):
    _fill(store, project, "v", range(333))
    seen: list[bytes] = []
    while page := store.sample_keys(project, "v", limit=50, after=seen[-1] if seen else b""):
        seen += page
    assert seen == sorted(key_of(i) for i in range(333))


def test_a_purge_takes_one_view_and_nothing_else(store: Store, backdoor: Backdoor, project: str):
    _fill(store, project, "v", range(backdoor.many))
    _fill(store, project, "w", range(10))
    _fill(store, f"{project}_2", "v", range(10))
    store.write_watermark(project, "v", Lane.BATCH, Watermark(1, 5))
    store.write_layout(project, "v", LAYOUT)
    assert store.purge_view(project, "v") == backdoor.many
    assert store.purge_view(project, "v") == 0
    assert store.sample_keys(project, "v", limit=5) == []
    assert len(store.sample_keys(project, "w", limit=50)) == 10
    assert len(store.sample_keys(f"{project}_2", "v", limit=50)) == 10
    assert store.read_watermarks(project) == {("v", Lane.BATCH): Watermark(1, 5)}
    assert store.read_layout(project, "v", LAYOUT.number) == LAYOUT
