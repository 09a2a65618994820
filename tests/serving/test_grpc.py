"""A gRPC client, generated from the .proto files, gets what HTTP gives."""

import base64
import json
import struct
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.kernel.dtypes import Dtype
from tests.serving.wire import FEATURES, LAYOUT, ROWS, SERVICES, TOKEN

BEARER = ("authorization", f"Bearer {TOKEN}")
VALUES = LAYOUT.nulls


class Client:
    """Asks GetOnlineFeatures and reads the answer as the HTTP answer is read."""

    def __init__(self, channel, stubs):
        self.stubs, self.serving = stubs, stubs.serving
        self.stub = stubs.ServingServiceStub(channel)

    def values(self, field, keys):
        """Keys of one kind of Value."""
        return self.stubs.types.RepeatedValue(val=[self.stubs.types.Value(**{field: key}) for key in keys])

    def ask(self, *, service=None, features=(), metadata=(BEARER,), timeout=30, entities=None, **fields):
        kind = (
            {"feature_service": service} if service else {"features": self.serving.FeatureList(val=features)}
        )
        request = self.serving.GetOnlineFeaturesRequest(**kind, entities=entities or {}, **fields)
        return self.stub.GetOnlineFeatures(request, metadata=metadata, timeout=timeout)

    def read(self, response):
        """The answer as columns by name: values, statuses, event times in microseconds."""
        names = list(response.metadata.feature_names.val)
        assert len(names) == len(set(names)) == len(response.results)
        return {
            name: (
                [_plain(value) for value in vector.values],
                [self.serving.FieldStatus.Name(status) for status in vector.statuses],
                [time.ToMicroseconds() for time in vector.event_timestamps],
            )
            for name, vector in zip(names, response.results, strict=True)
        }


@pytest.fixture
def client(channel, stubs):
    return Client(channel, stubs)


def _plain(value):
    kind = value.WhichOneof("val")
    if kind is None:
        return None
    content = getattr(value, kind)
    return [_item(item) for item in content.val] if kind.endswith("_list_val") else _item(content)


def _item(value):
    if isinstance(value, float):
        return struct.pack("<d", value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def over_http(wire, body):
    """The HTTP answer, read as the gRPC answer is; floats by their bits."""
    status, _, text = wire.post(body, path="/get-online-features")
    assert status == 200, text
    said = json.loads(text)
    names = said["metadata"]["feature_names"]
    return {
        name: (
            [_bits(value, name) for value in result["values"]],
            result["statuses"],
            [_microseconds(time) for time in result["event_timestamps"]],
        )
        for name, result in zip(names, said["results"], strict=True)
    }


def _bits(value, name):
    if isinstance(value, list):
        return [_bits(item, name) for item in value]
    return struct.pack("<d", float(value)) if value is not None and "float" in name else value


def _microseconds(text):
    moment = datetime.fromisoformat(text)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=9), service=st.sampled_from(sorted(SERVICES)), full=st.booleans())
def test_every_dtype_verdict_and_action_is_as_over_http(wire, client, rows, service, full):
    keys = wire.write(rows)
    entities = {"row": client.values("string_val", keys)}
    response = client.ask(service=service, entities=entities, full_feature_names=full)
    asked = {"feature_service": service, "entities": {"row": keys}, "full_feature_names": full}
    assert client.read(response) == over_http(wire, asked)


def test_features_of_two_views_and_their_versions_are_as_over_http(wire, client):
    keys = wire.write([(1_000_000, VALUES), None], "all", "watched")
    features = [f"{view}:{name}" for name in FEATURES[:3] for view in ("watched", "all")]
    response = client.ask(
        features=features,
        entities={"row": client.values("string_val", keys)},
        full_feature_names=True,
        include_feature_view_version_metadata=True,
        request_context={"ignored": client.values("int64_val", [1])},
    )
    asked = {"features": features, "entities": {"row": keys}, "full_feature_names": True}
    assert client.read(response) == over_http(wire, asked)
    versions = {view.name: view.version for view in response.metadata.feature_view_metadata}
    assert versions == {"watched": 2, "all": 1}


@pytest.mark.parametrize(
    ("view", "field", "keys"),
    [
        ("by_int32", "int32_val", [-(2**31), -1, 0, 2**31 - 1]),
        ("by_int32", "int64_val", [-7, 8]),
        ("by_int32", "double_val", [-9.0, 10.0]),
        ("by_int64", "int64_val", [-(2**63), -1, 0, 2**63 - 1]),
        ("by_int64", "int32_val", [-5, 5]),
        ("by_int64", "float_val", [-6.0, 6.0]),
        ("by_int64", "unix_timestamp_val", [1_700_000_000]),
        ("by_bytes", "bytes_val", [b"", b"\0\xff", b"plain"]),
        ("all", "string_val", ["", 'é "\\\n', "\U0001f600"]),
    ],
)
def test_keys_of_every_kind_find_their_rows(wire, client, view, field, keys):
    dtype = Dtype.STRING if view == "all" else Dtype(view.removeprefix("by_"))
    name = "row" if view == "all" else f"{dtype}_key"
    rows = {
        ((name, dtype, int(key) if dtype in (Dtype.INT32, Dtype.INT64) else key),): (
            1_000_000,
            tuple(index if column.name == "int64" else None for column in LAYOUT.columns),
        )
        for index, key in enumerate(keys)
    }
    wire.put(view, rows)
    response = client.ask(features=[f"{view}:int64"], entities={name: client.values(field, keys)})
    assert [value.int64_val for value in response.results[1].values] == list(range(len(keys)))
    assert [getattr(value, field) for value in response.results[0].values] == keys


@pytest.mark.parametrize(
    ("view", "name", "field", "key"),
    [
        ("by_int32", "int32_key", "int64_val", 2**31),
        ("by_int64", "int64_key", "double_val", 1.5),
        ("by_int64", "int64_key", "double_val", float("nan")),
        ("by_int64", "int64_key", "string_val", "one"),
        ("by_int64", "int64_key", "bytes_val", b"one"),
        ("by_bytes", "bytes_key", "int64_val", 7),
        ("all", "row", "bytes_val", b"row"),
        ("all", "row", "bool_val", True),
        ("all", "row", "double_val", float("inf")),
        ("all", "row", "null_val", 0),
    ],
)
def test_a_key_of_the_wrong_kind_is_refused(client, view, name, field, key):
    with pytest.raises(grpc.RpcError) as refused:
        client.ask(features=[f"{view}:int64"], entities={name: client.values(field, [key])})
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert name in refused.value.details()


def test_a_contract_that_is_not_met_tells_the_facts_that_http_tells(wire, client, stubs):
    keys = [*wire.write([(1_000_000, VALUES), None, None]), "nobody"]
    with pytest.raises(grpc.RpcError) as refused:
        client.ask(service="strict", entities={"row": client.values("string_val", keys)})
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    sent = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
    status, facts = stubs.Status.FromString(sent), struct_pb2.Struct()
    assert (status.code, status.message) == (9, refused.value.details())
    (detail,) = status.details
    assert detail.Unpack(facts)
    _, _, text = wire.post({"feature_service": "strict", "entities": {"row": keys}})
    contract = json.loads(text)["contract"]
    assert json_format.MessageToDict(facts) == contract
    assert (contract["rejected_rows"], contract["rows"], contract["max_rejected"]) == (4, 4, 0.0)
    assert contract["reasons"] == {"all:int64 missing (absent)": 3, "all:int64 invalid (not_nullable)": 1}
    assert (contract["bundle"]["digest"], contract["contracts"]) == (wire.digest, {"all": 1})


@pytest.mark.parametrize(
    ("asked", "count", "metadata", "code"),
    [
        ({"features": ["nope:x"]}, 1, [BEARER], grpc.StatusCode.NOT_FOUND),
        ({"service": "nope"}, 1, [BEARER], grpc.StatusCode.NOT_FOUND),
        ({"features": []}, 1, [BEARER], grpc.StatusCode.INVALID_ARGUMENT),
        ({"service": "served"}, 1001, [BEARER], grpc.StatusCode.INVALID_ARGUMENT),
        ({"service": "served"}, 100_000, [BEARER], grpc.StatusCode.RESOURCE_EXHAUSTED),
        ({"service": "strict"}, 1, [BEARER], grpc.StatusCode.FAILED_PRECONDITION),
        ({"service": "served"}, 1, [], grpc.StatusCode.UNAUTHENTICATED),
        ({"service": "served"}, 1, [("authorization", "Bearer wrong")], grpc.StatusCode.UNAUTHENTICATED),
        (
            {"service": "served"},
            1,
            [BEARER, ("freshline-project", "theirs")],
            grpc.StatusCode.PERMISSION_DENIED,
        ),
    ],
)
def test_what_goes_wrong_has_its_status(client, asked, count, metadata, code):
    entities = {"row": client.values("string_val", ["nobody"] * count)}
    with pytest.raises(grpc.RpcError) as refused:
        client.ask(**asked, entities=entities, metadata=metadata)
    assert refused.value.code() is code
    assert refused.value.details()


def test_a_compressed_message_is_read(wire, stubs):
    keys = wire.write([None] * 100)
    with grpc.insecure_channel(wire.address, compression=grpc.Compression.Gzip) as channel:
        client = Client(channel, stubs)
        response = client.ask(service="served", entities={"row": client.values("string_val", keys)})
    assert [value.string_val for value in response.results[0].values] == keys


def test_a_method_that_serving_lacks_is_unimplemented(channel):
    call = channel.unary_unary("/feast.serving.ServingService/Nope")
    with pytest.raises(grpc.RpcError) as refused:
        call(b"", metadata=[BEARER], timeout=30)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_serving_tells_its_version_and_health(client, channel, stubs):
    info = client.stub.GetFeastServingInfo(
        client.serving.GetFeastServingInfoRequest(), metadata=[BEARER], timeout=30
    )
    assert info.version
    health = stubs.HealthStub(channel)
    for name in ("", "feast.serving.ServingService"):
        answer = health.Check(stubs.health.HealthCheckRequest(service=name), timeout=30)
        assert answer.status == stubs.health.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as refused:
        health.Check(stubs.health.HealthCheckRequest(service="nope"), timeout=30)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_client_watches_the_health(channel, stubs):
    health, asked = stubs.HealthStub(channel), stubs.health.HealthCheckRequest
    states = stubs.health.HealthCheckResponse
    for name, state in {"": states.SERVING, "nope": states.SERVICE_UNKNOWN}.items():
        watch = health.Watch(asked(service=name), timeout=30)
        assert next(watch).status == state
        watch.cancel()
    with pytest.raises(grpc.RpcError) as over:  # nothing changes, so that nothing more is said
        list(health.Watch(asked(), timeout=0.2))
    assert over.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_calls_are_counted_by_procedure_and_outcome(wire, client):
    keys = wire.write([None])
    before = _metrics(wire)
    client.ask(service="served", entities={"row": client.values("string_val", keys)})
    with pytest.raises(grpc.RpcError):
        client.ask(service="nope", entities={"row": client.values("string_val", keys)})
    after = _metrics(wire)
    for code in ("200", "404"):
        counted = (
            f'requests_total{{code="{code}",endpoint="/feast.serving.ServingService/GetOnlineFeatures"}}'
        )
        assert after[counted] == before.get(counted, 0) + 1
    looked = 'values_total{project="wire",verdict="missing",view="all"}'
    assert after[looked] == before[looked] + len(FEATURES) + 1


def _metrics(wire):
    """Serving's own figures by name and labels."""
    ours = (line for line in wire.get("/metrics").splitlines() if line.startswith("freshline_serving_"))
    named = (line.removeprefix("freshline_serving_").rsplit(" ", 1) for line in ours)
    return {name: float(value) for name, value in named}
