"""What lies beside the rows, on every store."""

import json
import threading

import pytest

from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Conflict, Unavailable
from store_adapters import Column, Lane, Layout, Store, Watermark, open_store
from tests.store_adapters.conformance.backdoors import Backdoor
from tests.store_adapters.stories import LAYOUT, NOW


def test_a_watermark_moves_forward_only(store: Store, project: str):
    steps = [
        (Watermark(1, NOW), True, "the first"),
        (Watermark(1, NOW), False, "an equal one"),
        (Watermark(1, NOW - 1), False, "an earlier one"),
        (Watermark(1, NOW + 1), True, "a later one"),
        (Watermark(2, NOW - 500), True, "an earlier one of a higher generation"),
        (Watermark(1, NOW + 999), False, "a later one of a lower generation"),
        (Watermark(2, NOW - 501), False, "an earlier one again"),
        (Watermark(10, -5), True, "generations compare as numbers, and a time may lie before 1970"),
        (Watermark(10, -6), False, "negative times compare as numbers"),
        (Watermark(2**53 - 1, 2**53 - 2), True, "great numbers"),
        (Watermark(2**53 - 1, 2**53 - 1), True, "great numbers that differ by one"),
        (Watermark(2**53 - 1, 2**53 - 2), False, "great numbers that differ by one, backwards"),
    ]
    best = None
    for watermark, moves, why in steps:
        assert store.write_watermark(project, "v", Lane.STREAM, watermark) is moves, why
        best = watermark if moves else best
        assert store.read_watermarks(project) == {("v", Lane.STREAM): best}, why


def test_watermarks_are_told_by_view_lane_and_project(store: Store, project: str):
    assert store.read_watermarks(project) == {}
    written = {
        ("v", Lane.BATCH): Watermark(1, 1),
        ("v", Lane.STREAM): Watermark(0, 2),
        ("v", Lane.DIRECT): Watermark(3, -3),
        ("w", Lane.BATCH): Watermark(1, 4),
    }
    for (view, lane), watermark in written.items():
        assert store.write_watermark(project, view, lane, watermark)
    assert store.read_watermarks(project) == written
    assert store.read_watermarks(f"{project}_2") == {}


def test_writers_racing_leave_the_greatest_watermark(backdoor: Backdoor, project: str):
    def move(writer: int) -> None:
        store = open_store(backdoor.url)
        for step in range(60):
            store.write_watermark(project, "v", Lane.BATCH, Watermark(step % 3, writer * 1000 + step))
        store.close()

    threads = [threading.Thread(target=move, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert open_store(backdoor.url).read_watermarks(project) == {("v", Lane.BATCH): Watermark(2, 3059)}


EVERY = Layout(7, tuple(Column(f"f{i}_é", dtype) for i, dtype in enumerate(Dtype)))


@pytest.mark.parametrize("layout", [LAYOUT, EVERY, Layout(2**32 - 1, ())], ids=["two", "every", "none"])
def test_a_layout_reads_back(store: Store, backdoor: Backdoor, project: str, layout: Layout):
    assert store.read_layout(project, "v", layout.number) is None
    store.write_layout(project, "v", layout)
    store.write_layout(project, "v", layout)
    assert store.read_layout(project, "v", layout.number) == layout
    assert store.read_layout(project, "w", layout.number) is None
    expected = json.dumps(
        [{"dtype": c.dtype.value, "name": c.name} for c in layout.columns],
        separators=(",", ":"),
        ensure_ascii=False,
    )
    assert backdoor.layout_text(project, f"v/{layout.number}") == expected


def test_a_layout_number_never_gets_other_columns(store: Store, project: str):
    store.write_layout(project, "v", LAYOUT)
    with pytest.raises(Conflict, match=f"layout {project}/v/1 is already stored with other columns"):
        store.write_layout(project, "v", Layout(1, (Column("score", Dtype.FLOAT32),)))
    assert store.read_layout(project, "v", 1) == LAYOUT


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '[{"name":"x"}]', '[{"name":"x","dtype":"complex"}]'])
def test_a_layout_that_cannot_be_read_says_so(store: Store, backdoor: Backdoor, project: str, text: str):
    store.write_layout(project, "v", LAYOUT)
    backdoor.plant_layout(project, "v/2", text)
    with pytest.raises(Unavailable, match=f"read the layout of {project}/v/2") as caught:
        store.read_layout(project, "v", 2)
    assert caught.value.code == "store_unavailable"
