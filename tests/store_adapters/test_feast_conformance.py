"""What real Feast wrote, read alike from every store (tests/feast_stores/program.py)."""

import base64
import json
import math
import os
from pathlib import Path

import pytest

from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused
from store_adapters import Column, Lane, Layout, RowWrite, Watermark, decode_row, encode_key, open_store
from store_adapters.reading import Gap, values_as
from store_adapters.row_codec import decode_header

_VARIABLE = "FRESHLINE_TEST_FEAST_STORES"
KINDS = ["sqlite", "redis", "redis-cluster", "dynalite", "moto"]
pytestmark = pytest.mark.feast


def value_of(dtype, raw):
    """A value as the golden files have it."""
    if raw is None:
        return None
    if dtype.is_list:
        return [value_of(dtype.element, each) for each in raw]
    if dtype is Dtype.BYTES:
        return base64.b64decode(raw)
    return float(raw.replace("Infinity", "inf")) if isinstance(raw, str) and dtype in _FLOATS else raw


_FLOATS = (Dtype.FLOAT32, Dtype.FLOAT64)


@pytest.fixture(scope="module")
def told():
    path = os.environ.get(_VARIABLE)
    assert path, f"{_VARIABLE} is not set: run ./dev test, which has Feast write its stores"
    return json.loads(Path(path).read_text())


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def store(told, kind):
    opened = open_store(told["stores"][kind])
    yield opened
    opened.close()


def layout_of(told, view, *extra):
    columns = [Column(each["name"], Dtype(each["dtype"])) for each in told["views"][view]["columns"]]
    return Layout(7, (*columns, *extra))


def read(store, told, view, keys, layout=None):
    """Return (event time, values by feature) of each key; None where there is no row."""
    layout = layout or layout_of(told, view)
    found = []
    for data in store.read_rows(told["project"], view, keys, layout=layout):
        if data is None:
            found.append(None)
            continue
        used = store.read_layout(told["project"], view, decode_header(data).layout_number) or layout
        row = decode_row(data, used)
        values = values_as(row, stored=used, wanted=layout)
        found.append((row.event_time_us, dict(zip([c.name for c in layout.columns], values, strict=True))))
    return found


def same(one, other):
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other


VIEWS = ["everything", "driver_stats", "customers", "pairs", "all_drivers"]


@pytest.mark.parametrize("view", VIEWS)
def test_every_value_that_feast_wrote_is_read_back(told, kind, store, view):
    rows, layout = told["views"][view]["rows"], layout_of(told, view)
    found = read(store, told, view, [bytes.fromhex(row["key"]) for row in rows])
    for row, (event_time_us, values) in zip(rows, found, strict=True):
        # Feast keeps whole seconds in SQLite.
        lost = row["event_time_us"] % 1_000_000 if kind == "sqlite" else 0
        assert event_time_us == row["event_time_us"] - lost
        for column in layout.columns:
            stored = values[column.name]
            if column.name not in row["values"]:
                assert stored is Gap.ABSENT, column.name
                continue
            wanted = value_of(column.dtype, row["values"][column.name])
            # Feast itself has no null of a list in a row that has one: it writes what is empty.
            empty = wanted is None and column.dtype.is_list and stored == []
            assert same(stored, wanted) or empty, (column.name, stored, wanted)


def test_what_was_never_written_has_no_row(told, store):
    driver = encode_key([("driver_id", Dtype.INT64, 424242)])
    known = bytes.fromhex(told["views"]["everything"]["rows"][0]["key"])
    assert read(store, told, "everything", [driver, known, driver])[::2] == [None, None]
    assert read(store, told, "never_written", [known]) == [None]
    assert read(store, told, "customers", [known]) == [None]
    layout = layout_of(told, "everything")
    assert store.read_rows("no_such_project", "everything", [known], layout=layout) == [None]
    assert store.read_rows(told["project"], "no_such_view", [known], layout=layout) == [None]


def test_a_feature_that_feast_never_stored_is_absent_and_one_that_we_have_not_is_left_out(told, store):
    row = told["views"]["driver_stats"]["rows"][0]
    layout = Layout(3, (Column("unheard_of", Dtype.INT64), Column("trips", Dtype.INT64)))
    ((_, values),) = read(store, told, "driver_stats", [bytes.fromhex(row["key"])], layout)
    assert values == {"unheard_of": Gap.ABSENT, "trips": row["values"]["trips"]}


def test_a_value_of_another_type_is_told_and_its_siblings_are_read(told, store):
    row = told["views"]["driver_stats"]["rows"][0]
    layout = Layout(3, (Column("city", Dtype.INT64), Column("trips", Dtype.INT64)))
    ((_, values),) = read(store, told, "driver_stats", [bytes.fromhex(row["key"])], layout)
    assert values == {"city": Gap.RETYPED, "trips": row["values"]["trips"]}


def test_a_large_batch_comes_whole_and_in_order(told, store):
    known = bytes.fromhex(told["views"]["pairs"]["rows"][0]["key"])
    others = [encode_key([("driver_id", Dtype.INT64, number)]) for number in range(349)]
    keys = [*others[:200], known, *others[200:], known]
    found = store.read_rows(told["project"], "pairs", keys, layout=layout_of(told, "pairs"))
    assert [at for at, row in enumerate(found) if row] == [200, len(keys) - 1]
    assert found[200] == found[-1]


def test_keys_are_sampled_where_the_store_has_them(told, kind, store):
    keys = sorted(bytes.fromhex(row["key"]) for row in told["views"]["customers"]["rows"])
    if kind in ("dynalite", "moto"):  # of a key there is only its hash
        keys = []
    assert store.sample_keys(told["project"], "customers", limit=10) == keys
    assert store.sample_keys(told["project"], "customers", limit=1, after=(keys or [b""])[0]) == keys[1:2]
    assert store.sample_keys(told["project"], "never_written", limit=10) == []


def test_it_answers_says_what_it_is_and_keeps_nothing_of_ours(told, store):
    store.ping()
    description = store.describe()
    assert description.kind.startswith("feast-") and description.problems == ()
    assert store.address.startswith("feast+") and store.clock_us() > 0
    assert store.read_watermarks(told["project"]) == {}
    assert store.read_layout(told["project"], "customers", 1) is None


def test_nothing_is_ever_written(told, store):
    project, view, key = told["project"], "pairs", bytes.fromhex(told["views"]["pairs"]["rows"][0]["key"])
    attempts = [
        lambda: store.write_rows(project, view, [RowWrite(key, b"")], run_number=1),
        lambda: store.delete_rows(project, view, [key]),
        lambda: store.write_watermark(project, view, Lane.BATCH, Watermark(1, 1)),
        lambda: store.write_layout(project, view, layout_of(told, view)),
    ]
    for attempt in attempts:
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == "store_read_only"
    assert store.purge_view(project, view) == store.sweep_expired(now_us=2**60, limit=10) == 0
    assert read(store, told, view, [key])[0] is not None


def test_rows_cannot_be_read_without_their_layout(told, store):
    with pytest.raises(Refused, match="without their layout"):
        store.read_rows(told["project"], "pairs", [b""])
