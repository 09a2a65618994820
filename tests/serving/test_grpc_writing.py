"""A client of Feast's package-less service: the same lookups, and writes that find no control plane here."""

import grpc
import pytest

from tests.serving.wire import TOKEN

BEARER = ("authorization", f"Bearer {TOKEN}")


@pytest.fixture
def writer(channel, stubs):
    return stubs.GrpcFeatureServerStub(channel)


def test_lookups_are_answered_as_by_the_other_service(wire, channel, stubs, writer):
    (key,) = wire.write([(30_000_000, None)])
    values = stubs.types.RepeatedValue(val=[stubs.types.Value(string_val=key)])
    features = stubs.serving.FeatureList(val=["all:int64", "all:list_string"])
    request = stubs.serving.GetOnlineFeaturesRequest(features=features, entities={"row": values})
    asked = {"metadata": (BEARER,), "timeout": 30}
    expected = stubs.ServingServiceStub(channel).GetOnlineFeatures(request, **asked)
    assert writer.GetOnlineFeatures(request, **asked) == expected
    assert len(expected.results) == 3


def test_a_write_without_a_control_plane_says_so(stubs, writer):
    row = {"k": stubs.types.Value(string_val="a"), "x": stubs.types.Value(int64_val=1)}
    calls = [
        (writer.Push, stubs.writing.PushRequest(stream_feature_view="s", to="online", typed_features=row)),
        (
            writer.WriteToOnlineStore,
            stubs.writing.WriteToOnlineStoreRequest(feature_view_name="v", features={"k": "a"}),
        ),
    ]
    for call, request in calls:
        with pytest.raises(grpc.RpcError) as away:
            call(request, metadata=(BEARER,), timeout=30)
        assert away.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "control plane does not answer" in away.value.details()
        with pytest.raises(grpc.RpcError) as stranger:
            call(request, timeout=30)
        assert stranger.value.code() is grpc.StatusCode.UNAUTHENTICATED
