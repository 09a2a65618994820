"""The Arrow answers of /v1/lookup say what its JSON answers say, and pyarrow reads them without a copy."""

import base64
import json
import struct

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.kernel.dtypes import Dtype
from tests.serving.wire import FEATURES, LAYOUT, ROWS, SERVICES, Wire

ARROW = "application/vnd.apache.arrow.stream"
VERDICTS = ["fresh", "null", "missing", "stale", "invalid", "unavailable"]
TYPES = {
    Dtype.INT32: pa.int32(),
    Dtype.INT64: pa.int64(),
    Dtype.FLOAT32: pa.float32(),
    Dtype.FLOAT64: pa.float64(),
    Dtype.BOOL: pa.bool_(),
    Dtype.STRING: pa.utf8(),
    Dtype.BYTES: pa.binary(),
    Dtype.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
DTYPES = {column.name: column.dtype for column in LAYOUT.columns}


def both(wire: Wire, body: dict) -> tuple[dict, pa.Table]:
    """The JSON and the Arrow answer to one request."""
    status, kind, text = wire.post(body, Accept="application/json")
    assert (status, kind) == (200, "application/json"), text
    status, kind, stream = wire.post(body, Accept=ARROW)
    assert (status, kind) == (200, ARROW), stream
    table = pa.ipc.open_stream(stream).read_all()
    table.validate(full=True)
    return json.loads(text), table


def plain(column: pa.Array, dtype: Dtype) -> list:
    """An Arrow column's values as the JSON answer spells them, floats by their bits."""
    integers = pa.list_(pa.int64()) if dtype.is_list else pa.int64()
    values = (column.cast(integers) if dtype.element is Dtype.TIMESTAMP else column).to_pylist()
    return [spelled(value, dtype) for value in values]


def spelled(value: object, dtype: Dtype) -> object:
    if value is None:
        return None
    if isinstance(value, list):
        return [spelled(item, dtype.element) for item in value]
    if dtype.is_float:
        return bits(value, dtype)
    return base64.b64encode(value).decode() if dtype is Dtype.BYTES else value


def bits(value: object, dtype: Dtype) -> object:
    """A float of a JSON or an Arrow answer, so that NaN equals itself and 1 differs from 1.5."""
    if value is None or isinstance(value, list):
        return value if value is None else [bits(item, dtype) for item in value]
    return struct.pack("<f" if dtype.element is Dtype.FLOAT32 else "<d", float(value))


def assert_same(said: dict, table: pa.Table) -> None:
    names = [name for column in said["columns"] for name in named(column["name"])]
    assert table.schema.names == names
    assert table.num_rows == said["rows"]
    details = json.loads(table.schema.metadata[b"freshline"])
    assert details == {name: said[name] for name in ("rejected", "counts", "bundle", "contracts")}
    for place, column in enumerate(said["columns"]):
        values, verdicts, ages = (table.column(3 * place + i).combine_chunks() for i in range(3))
        assert table.schema.field(3 * place).metadata == {b"view": column["view"].encode()}
        assert_same_values(column, values)
        assert verdicts.type == pa.uint8()
        assert [VERDICTS[number] for number in verdicts.to_pylist()] == column["verdicts"]
        assert ages.type == pa.int64()
        for age, earlier in zip(ages.to_pylist(), column["ages_us"], strict=True):
            # The Arrow answer was given a moment later, and that is how much older its rows are.
            assert (age is None) == (earlier is None)
            assert age is None or 0 <= age - earlier < 60_000_000


def named(name: str) -> tuple[str, str, str]:
    return name, f"{name}__verdict", f"{name}__age_us"


def assert_same_values(column: dict, values: pa.Array) -> None:
    if column["name"].endswith("gone"):
        assert values.type == pa.null()
        assert values.to_pylist() == column["values"]
        return
    dtype = DTYPES[column["name"].rpartition("__")[2]]
    assert values.type == (pa.list_(TYPES[dtype.element]) if dtype.is_list else TYPES[dtype])
    expected = [bits(value, dtype) if dtype.is_float else value for value in column["values"]]
    assert plain(values, dtype) == expected


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=9), service=st.sampled_from(sorted(SERVICES)), full=st.booleans())
def test_every_dtype_verdict_and_action_is_told_alike(wire, rows, service, full):
    keys = wire.write(rows)
    assert_same(
        *both(wire, {"feature_service": service, "entities": {"row": keys}, "full_feature_names": full})
    )


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=9))
def test_two_views_in_one_answer_are_told_apart(wire, rows):
    keys = wire.write(rows, "all", "watched")
    asked = [f"{view}:{name}" for name in FEATURES for view in ("watched", "all")]
    assert_same(*both(wire, {"features": asked, "entities": {"row": keys}, "full_feature_names": True}))


def test_every_column_is_read_without_a_copy(wire):
    values = dict.fromkeys(Dtype, 1) | {Dtype.STRING: "a", Dtype.BYTES: b"a", Dtype.BOOL: True}
    row = tuple(
        [values[column.dtype.element]] if column.dtype.is_list else values[column.dtype]
        for column in LAYOUT.columns
    )
    keys = wire.write([(1_000_000, row)] * 100)
    asked = {"features": [f"all:{name}" for name in FEATURES], "entities": {"row": keys}}
    stream = pa.py_buffer(wire.post(asked, Accept=ARROW)[2])
    table = pa.ipc.open_stream(stream).read_all()
    assert json.loads(table.schema.metadata[b"freshline"])["counts"]["verdicts"]["fresh"] == 100 * len(Dtype)
    assert table.column("int64").to_pylist() == [1] * 100
    for name, column in zip(table.schema.names, table.columns, strict=True):
        (chunk,) = column.chunks
        assert chunk.null_count == 0
        for buffer in filter(None, chunk.buffers()):
            within = buffer.address - stream.address
            assert 0 <= within <= stream.size - buffer.size, name
            assert within % 8 == 0, name


def test_no_rows_give_empty_columns(wire):
    said, table = both(wire, {"feature_service": "served", "entities": {"row": []}})
    assert_same(said, table)
    assert table.num_rows == 0


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "application/json"), (f"{ARROW}, */*;q=0.1", ARROW), (f"{ARROW};q=0, */*", "application/json")],
)
def test_the_form_is_the_one_that_was_asked_for(wire, accept, kind):
    keys = wire.write([None])
    answered = wire.post({"feature_service": "served", "entities": {"row": keys}}, Accept=accept)
    assert answered[:2] == (200, kind)


@pytest.mark.parametrize(
    ("accept", "body", "headers", "status", "code"),
    [
        ("text/csv", {"feature_service": "served", "entities": {"row": []}}, {}, 406, "not_acceptable"),
        (ARROW, {"feature_service": "nope", "entities": {"row": ["a"]}}, {}, 404, "not_found"),
        (ARROW, {"feature_service": "served", "entities": {"row": ["a"] * 1001}}, {}, 413, "too_large"),
        (ARROW, {"feature_service": "served", "entities": {"row": ["a" * 100_000]}}, {}, 413, "too_large"),
        (ARROW, {"feature_service": "strict", "entities": {"row": ["a"]}}, {}, 424, "contract_not_met"),
        (ARROW, {}, {"Authorization": "Bearer wrong"}, 401, "unauthenticated"),
    ],
)
def test_what_goes_wrong_is_told_as_a_problem_in_json(wire, accept, body, headers, status, code):
    answered, kind, text = wire.post(body, Accept=accept, **headers)
    assert (answered, kind, json.loads(text)["code"]) == (status, "application/problem+json", code)
