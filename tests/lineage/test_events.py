"""Events as real producers send them: what is placed, what is flagged, what is refused."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.errors import Refused
from lineage.domain import naming
from lineage.domain.events import digest_of, parse, read_time

from .story import NOON, dataset, facet, run_event


def broken(**changes):
    return run_event("j", "START", NOON) | changes


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "JSON object"),
        ({}, "neither run nor job nor dataset"),
        (broken(run={"runId": "7"}), "no UUID"),
        (broken(run={"runId": 7}), "no UUID"),
        (broken(job={"name": "x"}), "job.namespace"),
        (broken(job={"namespace": "x", "name": " "}), "job.name"),
        (broken(job=None), "needs a job"),
        (broken(eventTime="yesterday"), "cannot be read"),
        (broken(eventTime=None), "cannot be read"),
        (broken(inputs={}), "inputs is no array"),
        (broken(outputs=[{"name": "x"}]), r"outputs\[0\].namespace"),
        (broken(job={"namespace": "x", "name": "n" * 5000}), "longer than"),
    ],
)
def test_an_event_that_cannot_be_placed_is_refused_with_the_reason(document, says):
    with pytest.raises(Refused, match=says):
        parse(document)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T12:00:00", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2026-11-23T12:00:00.123456789Z", datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-23T13:00:00+01:00", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2026-11-23T12:00:00.5Z", datetime(2026, 11, 23, 12, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_producers_write_them(text, expected):
    assert read_time(text) == expected


def test_bad_facets_are_kept_and_flagged_never_refused():
    event = parse(
        run_event("j", "COMPLETE", NOON, outputs=[dataset("d", dataSource={"uri": "file"}, gone=None)])
    )
    assert event.outputs[0].facets == {"dataSource": {"uri": "file"}}
    assert event.flags == ("outputs[0].facets.dataSource lacks _producer or _schemaURL",)


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("postgresql://db:5432", "dataset:postgres://db:5432|t"),
        ("postgres://db:5432", "dataset:postgres://db:5432|t"),
        ("freshline://shop", "view:shop/t"),
    ],
)
def test_one_dataset_has_one_id(namespace, expected):
    node = naming.dataset(namespace, "t")
    assert node.id == expected
    assert naming.parse_id(expected) == node


@given(
    st.sampled_from(naming.Kind),
    st.text(st.characters(exclude_characters="|/%", exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.text(st.characters(exclude_characters="|/%", exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_a_node_id_reads_back(kind, namespace, name):
    node = naming.NodeRef(kind, namespace, name)
    assert naming.parse_id(node.id) == node


def test_column_lineage_names_inputs_that_the_event_left_out():
    columns = facet(fields={"x": {"inputFields": [{"namespace": "s3://lake", "name": "raw", "field": "x"}]}})
    event = parse(run_event("j", "COMPLETE", NOON, outputs=[dataset("gold", columnLineage=columns)]))
    assert (naming.dataset("s3://lake", "raw"), naming.job("etl", "j")) in event.edges


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "run",
                        "job",
                        "inputs",
                        "outputs",
                        "facets",
                        "runId",
                        "name",
                        "namespace",
                        "eventTime",
                        "eventType",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_crashes_the_reader(document):
    try:
        parse(document)
    except Refused as refused:
        assert refused.code == "bad_event"


def test_the_digest_ignores_the_order_of_keys():
    event = run_event("j", "START", NOON, run_id=str(uuid.UUID(int=7)))
    assert digest_of(event) == digest_of(dict(reversed(event.items())))
