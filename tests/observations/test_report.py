"""Reading a report strictly."""

import copy
import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.clock import from_us
from controlplane.kernel.errors import Refused
from controlplane.observations.domain.report import parse
from tests.observations.reports import MINUTE, NOW, minute, report, sampled

GOLDEN = Path(__file__).parents[1] / "golden" / "observations.json"


def faults(document):
    with pytest.raises(Refused) as refused:
        parse(document, now=NOW)
    return {fault.path for fault in refused.value.errors}


def test_a_report_is_read_whole():
    read = parse(report(minute(), sampled=[sampled()]), now=NOW)
    (one,) = read.minutes
    assert (one.key.minute, one.key.view, one.contract) == (MINUTE, "carrier_delays", 3)
    assert one.sums.values == {"fresh": 5, "null": 1, "stale": 2}
    assert one.sums.age_buckets == {30: 3, 78: 1}
    assert one.features["flights_1d"] == {"fresh": 2, "null": 1, "stale": 1}
    assert read.sampled[0].age == timedelta(seconds=4)
    assert read.projects() == {"flights"}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"format": 2}, "format"),
        ({"instance": ""}, "instance"),
        ({"instance": "a\nb"}, "instance"),
        ({"sequence": -1}, "sequence"),
        ({"sequence": True}, "sequence"),
        ({"sequence": 1.0}, "sequence"),
        ({"sent_at_us": "now"}, "sent_at_us"),
        ({"minutes": {}}, "minutes"),
        ({"minutes": [7]}, "minutes[0]"),
        ({"surprise": 1}, "surprise"),
        ({"sampled": [{**sampled(), "verdicts": {"x": "late"}}]}, "sampled[0].verdicts"),
        ({"sampled": [{**sampled(), "verdicts": {"x": []}}]}, "sampled[0].verdicts"),
        ({"sampled": [sampled(age_us=-1)]}, "sampled[0].age_us"),
    ],
)
def test_what_is_wrong_with_a_report_is_told_by_its_path(changes, path):
    assert path in faults(report(**changes))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"minute": MINUTE + 6}, "minute"),
        ({"project": "Flights"}, "project"),
        ({"view": ""}, "view"),
        ({"service": None}, "service"),
        ({"contract": 2**31}, "contract"),
        ({"rows": -1}, "rows"),
        ({"rows": 2**60}, "rows"),
        ({"values": {"late": 1}}, "values.late"),
        ({"actions": {"serve": 0.5}}, "actions.serve"),
        ({"age_buckets": {"79": 1}}, "age_buckets.79"),
        ({"age_buckets": {"-1": 1}}, "age_buckets.-1"),
        ({"age_buckets": {"²": 1}}, "age_buckets.²"),
        ({"features": {"f": {"late": 1}}}, "features.f.late"),
        ({"features": []}, "features"),
    ],
)
def test_what_is_wrong_with_a_minute_is_told_by_its_path(changes, path):
    assert f"minutes[1].{path}" in faults(report(minute(), minute(**changes)))


def test_a_minute_up_to_five_minutes_ahead_is_taken():
    assert parse(report(minute(minute=MINUTE + 5)), now=NOW)


@pytest.mark.parametrize("field", sorted(minute()))
def test_no_field_of_a_minute_may_be_missing(field):
    broken = minute()
    del broken[field]
    assert f"minutes[0].{field}" in faults(report(broken))


def test_all_faults_are_told_at_once_up_to_fifty():
    assert len(faults(report(minute(rows=-1, view="X"), minute(rows=-1)))) == 3
    assert len(faults(report(*[minute(rows=-1)] * 80))) == 50


@pytest.mark.parametrize("document", [None, [], "x", 7, {}])
def test_what_is_no_report_is_refused(document):
    assert faults(document)


@given(st.data())
def test_no_document_makes_the_reader_fail_otherwise_than_by_refusing(data):
    """Replace any one part of a good report by anything that JSON can say."""
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
        max_leaves=4,
    )
    document = copy.deepcopy(report(minute(), sampled=[sampled()]))
    target = document
    while True:
        key = data.draw(st.sampled_from(sorted(target) if isinstance(target, dict) else range(len(target))))
        below = target[key]
        if not isinstance(below, dict | list) or not below or data.draw(st.booleans()):
            target[key] = data.draw(anything)
            break
        target = below
    try:
        parse(document, now=NOW)
    except Refused as refused:
        assert refused.errors


BINS = {"avg_dep_delay": {"0123456789abcdef": {"0": 1, "63": 2, "null": 0, "nan": 1, "other": 4}}}


def test_bins_are_read_where_they_are_told():
    told, silent = parse(report(minute(bins=BINS), minute()), now=NOW).minutes
    assert told.bins == {"avg_dep_delay": {"0123456789abcdef": {"0": 1, "63": 2, "nan": 1, "other": 4}}}
    assert silent.bins == {}


@pytest.mark.parametrize(
    ("bins", "path"),
    [
        ([], ""),
        ({"x": []}, ".x"),
        ({"x": {"0123456789ABCDEF": {}}}, ".x"),
        ({"x": {"0123456789abcdef": []}}, ".x.0123456789abcdef"),
        ({"x": {"0123456789abcdef": {"0": -1}}}, ".x.0123456789abcdef.0"),
        ({"x": {"0123456789abcdef": {"64": 1}}}, ".x.0123456789abcdef.'64'"),
        ({"x": {"0123456789abcdef": {"01": 1}}}, ".x.0123456789abcdef.'01'"),
    ],
)
def test_what_is_wrong_with_bins_is_told_by_its_path(bins, path):
    assert f"minutes[0].bins{path}" in faults(report(minute(bins=bins)))


def test_a_key_is_read_where_it_may_be_told():
    read = parse(report(sampled=[sampled(key="0a1b"), sampled()]), now=NOW)
    assert [lookup.key for lookup in read.sampled] == [b"\x0a\x1b", None]
    for wrong in ("xyz", "", 7, "ab" * 1_025):
        assert "sampled[0].key" in faults(report(sampled=[sampled(key=wrong)]))


def test_the_report_that_serving_writes_is_understood():
    """tests/golden/observations.json is written by serving's own test."""
    document = json.loads(GOLDEN.read_text(encoding="utf-8"))
    now = from_us(document["sent_at_us"])
    read = parse(document, now=now)
    by_service = {(entry.key.view, entry.key.service): entry for entry in read.minutes}
    delays = by_service["carrier_delays", ""]
    assert delays.sums.rows == 7
    assert delays.bins["delay"] == {"00000000000000d1": {"1": 2, "2": 2, "null": 3}}
    assert read.sampled
