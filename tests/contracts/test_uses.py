"""Who uses a view or a feature: looked up in an index, answered as a reading of every service would."""

from hypothesis import HealthCheck, given, settings

from benchmarks.plan_compatibility import build
from controlplane.contracts.compatibility.findings import Uses
from tests.contracts.strategies import definitions


def readers(definition, view, feature=None):
    """Read every service, in the order of the file."""
    return [
        service
        for service in definition.feature_services
        if any(ref.view == view and feature in (None, ref.feature) for ref in service.features)
    ]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(definitions())
def test_the_index_finds_whom_reading_every_service_finds(definition):
    uses = Uses(definition)
    for view in definition.feature_views:
        assert uses.of_view(view.name) == readers(definition, view.name)
        for feature in view.features:
            expected = readers(definition, view.name, feature.name)
            assert uses.of_feature(view.name, feature.name) == expected


def test_a_service_that_reads_many_features_of_a_view_is_found_once_and_strangers_never():
    uses = Uses(build(6))
    assert [service.name for service in uses.of_view("view_5")] == [f"service_{n}" for n in (1, 2, 3, 4, 5)]
    assert [service.name for service in uses.of_feature("view_0", "f9")] == [
        f"service_{n}" for n in (0, 2, 3, 4, 5)
    ]
    assert uses.of_feature("view_0", "f10") == []
    assert uses.of_view("nothing") == []
