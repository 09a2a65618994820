"""What Feast's clients write, in the bodies that they send, and what they are answered."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.contracts.model import Feature, JoinKey
from controlplane.ingestion import selectors
from controlplane.ingestion.domain.feast_frames import read_frame, rows_of
from controlplane.ingestion.models import RefusedRow
from controlplane.kernel import clock
from controlplane.kernel.clock import from_us
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused
from tests.ingestion.test_api import client_of
from tests.ingestion.world import KEY, view_document

PUSHED = [
    {"name": "scores", "kind": "push"},
    {"name": "timed", "kind": "push", "event_time": "seen_at"},
    {"name": "events", "kind": "stream", "uri": "data/events.jsonl"},
]
SEEN = {"name": "seen", "dtype": "timestamp"}
# As the SDK 0.67 sends it: naive UTC, `created` beside it, and null where it is not known.
FRAME = {
    "k": ["a", "b"],
    "x": [1, 2],
    "y": ["one", None],
    "event_timestamp": ["2026-11-23T11:00:00.250000", "2026-11-23T11:30:00"],
    "created": [None, "2026-11-23T11:59:00"],
}


@pytest.fixture
def feast(world):
    world.apply(
        entities=[KEY],
        sources=PUSHED,
        feature_views=[
            view_document(direct={"source": "scores"}),
            view_document(name="w", direct={"source": "scores"}, features=[{"name": "x", "dtype": "int64"}]),
            view_document(name="plain", direct=True, features=[SEEN]),
            view_document(name="other", direct={"source": "timed"}, features=[SEEN]),
            view_document(name="closed", features=[SEEN], stream={"source": "events"}),
        ],
    )
    client = client_of("ingest", "operate")

    def send(path, body, **headers):
        data = body if isinstance(body, str) else json.dumps(body)
        named = {"Freshline-Project": world.project, **headers}
        with clock.fixed(world.now):
            return client.post(f"/api/v1/feast/{path}", data, content_type="application/json", headers=named)

    return send


def said(answer):
    """The exception that Feast's client raises: a JSON string that holds JSON."""
    inner = json.loads(answer.json())
    assert set(inner) == {"module", "class", "message"}
    assert inner["module"] == "feast.errors"
    return answer.status_code, inner["class"], inner["message"]


def pushed(**changes):
    return {
        "push_source_name": "scores",
        "df": FRAME,
        "allow_registry_cache": True,
        "to": "online",
        **changes,
    }


def written(view, **columns):
    return {"feature_view_name": view, "df": FRAME | columns, "allow_registry_cache": False}


def test_a_push_reaches_every_view_of_its_source_and_is_answered_with_nothing(world, feast):
    answer = feast("push", pushed())
    assert (answer.status_code, answer.content) == (200, b"")
    assert (world.values("a"), world.values("b")) == ((1, "one"), (2, None))
    assert (world.values("a", view="w"), world.values("b", view="w")) == ((1,), (2,))
    assert from_us(world.row("a").event_time_us).isoformat() == "2026-11-23T11:00:00.250000+00:00"
    assert selectors.latest_run(world.project, "v", "direct").counts.written == 2


def test_a_write_to_one_view_is_answered_null(world, feast):
    answer = feast("write-to-online-store", written("v"))
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"null", "application/json")
    assert (world.values("a"), world.values("a", view="w")) == ((1, "one"), None)


def test_whole_numbers_of_timestamps_are_seconds_and_texts_are_times(world, feast):
    feast("write-to-online-store", written("plain", seen=[1_700_000_000, "2026-11-23T10:00:00Z"]))
    assert world.values("a", view="plain") == (1_700_000_000_000_000,)
    assert from_us(world.values("b", view="plain")[0]).isoformat() == "2026-11-23T10:00:00+00:00"


def test_values_that_are_all_texts_are_read_as_their_features_are(world, feast):
    texts = FRAME | {"x": ["1", "2"], "y": ["7", "true"]}
    told = feast("write-to-online-store", written("v", **texts), **{"Freshline-Values": "text"})
    assert told.status_code == 200, told.content
    assert (world.values("a"), world.values("b")) == ((1, "7"), (2, "true"))
    told = feast(
        "write-to-online-store", written("plain", seen=["17", "soon"]), **{"Freshline-Values": "text"}
    )
    assert "rows[1].seen" in said(told)[2]
    assert world.values("a", view="plain") == (17_000_000,)


def test_the_event_time_has_the_name_that_its_source_gives_or_feasts_own(world, feast):
    times = ["2026-11-23T08:00:00", "2026-11-23T09:00:00"]
    frame = FRAME | {"seen": [1, 2], "seen_at": times}
    assert feast("push", pushed(push_source_name="timed", df=frame)).status_code == 200
    assert from_us(world.row("a", view="other").event_time_us).hour == 8
    assert feast("write-to-online-store", written("other", seen=[3, 4])).status_code == 200
    assert from_us(world.row("a", view="other").event_time_us).hour == 11


def test_an_older_frame_changes_nothing_and_is_no_error(world, feast):
    feast("push", pushed())
    old = FRAME | {"x": [7, 8], "event_timestamp": ["2026-11-22T11:00:00", "2026-11-22T11:00:00"]}
    assert feast("push", pushed(df=old)).status_code == 200
    assert world.values("a") == (1, "one")


def test_refused_rows_are_named_and_the_others_are_written_once(world, feast):
    for _ in range(2):
        status, kind, message = said(feast("write-to-online-store", written("v", x=[1, -5])))
        assert (status, kind) == (422, "FeastError")
        assert "1 of 2 rows are refused, the other 1 are written" in message
        assert "rows[1].x: x: below the minimum 0 [out_of_domain]" in message
        assert message.endswith("[some_refused]")
    assert (world.values("a"), world.values("b")) == ((1, "one"), None)
    assert RefusedRow.objects.filter(project=world.project).count() == 2


def test_when_every_row_is_refused_the_answer_says_that_none_is_written(world, feast):
    status, kind, message = said(feast("write-to-online-store", written("v", x=[-1, "no"])))
    assert (status, kind) == (422, "FeastError")
    assert "2 of 2 rows are refused, none is written" in message
    assert message.endswith("[all_refused]")


def test_a_push_that_one_view_refuses_says_so_and_the_other_view_has_its_rows(world, feast):
    _, _, message = said(feast("push", pushed(df=FRAME | {"y": ["much too long", "much too long"]})))
    assert "Feature view v: 2 of 2 rows are refused" in message
    assert "Feature view w" not in message
    assert world.values("a", view="w") == (1,)


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "part"),
    [
        ("push", pushed(push_source_name="nope"), 422, "PushSourceNotFoundException", "Unable to find push"),
        ("push", pushed(to="offline"), 422, "FeastError", "an offline store"),
        ("push", pushed(to="online_and_offline"), 422, "FeastError", "an offline store"),
        ("push", pushed(to="nowhere"), 422, "FeastError", "not a supported push format"),
        ("push", pushed(df=FRAME | {"x": [1]}), 422, "FeastError", "same length"),
        ("push", pushed(df=FRAME | {"x": 1}), 422, "FeastError", "no list of values"),
        ("push", pushed(df={}), 422, "FeastError", "event time is absent: event_timestamp"),
        ("write-to-online-store", written("nope"), 404, "FeatureViewNotFoundException", "'nope'"),
        ("write-to-online-store", written("closed"), 422, "FeastError", "declare direct: true"),
        ("write-to-online-store", written("plain"), 422, "FeastError", "columns are absent: seen"),
        (
            "write-to-online-store",
            written("v", event_timestamp=[None, "2026-11-23T11:00:00"]),
            422,
            "FeastError",
            "row 0",
        ),
        (
            "write-to-online-store",
            {"feature_view_name": "v", "df": {name: ["1"] * 10_001 for name in FRAME}},
            413,
            "FeastError",
            "at most 10000",
        ),
    ],
)
def test_a_callers_mistake_is_an_exception_of_feast_and_writes_nothing(
    world, feast, path, body, status, kind, part
):
    found = said(feast(path, body))
    assert found[:2] == (status, kind)
    assert part in found[2]
    assert world.values("a") is None


@pytest.mark.parametrize(
    ("body", "kind", "location"),
    [
        ("{", "json_invalid", ["body"]),
        ("[]", "model_attributes_type", ["body"]),
        ("", "missing", ["body", "push_source_name"]),
        ('{"push_source_name": 1, "df": {}}', "string_type", ["body", "push_source_name"]),
        ('{"push_source_name": "scores"}', "missing", ["body", "df"]),
        ('{"push_source_name": "scores", "df": []}', "dict_type", ["body", "df"]),
        ('{"push_source_name": "scores", "df": {}, "to": null}', "string_type", ["body", "to"]),
    ],
)
def test_a_body_of_the_wrong_shape_is_told_as_fastapi_tells_it(feast, body, kind, location):
    answer = feast("push", body)
    (fault,) = answer.json()["detail"]
    assert (answer.status_code, fault["type"], fault["loc"]) == (422, kind, location)


def test_a_body_that_is_no_json_by_its_type_is_told_so(world, feast):
    answer = client_of("ingest").post(
        "/api/v1/feast/push", "x=1", content_type="text/plain", headers={"Freshline-Project": world.project}
    )
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body"])


def test_a_request_sent_again_under_its_key_is_done_once_and_answered_alike(world, feast):
    first, again = (feast("push", pushed(), **{"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.content, again.content, again["Idempotency-Replayed"]) == (b"", b"", "true")
    assert selectors.latest_run(world.project, "v", "direct").counts.read == 2


def test_a_key_of_one_project_is_none_of_another(world, feast):
    here, there = world.project, world.project + "_z"
    world.project = there
    world.apply(
        entities=[KEY], sources=PUSHED[:1], feature_views=[view_document(direct={"source": "scores"})]
    )
    for project in (here, there):
        world.project = project
        named = {"Freshline-Project": project, "Idempotency-Key": "once"}
        assert "Idempotency-Replayed" not in feast("push", pushed(), **named)
        assert world.values("a") == (1, "one")


def test_a_refusal_sent_again_under_its_key_is_the_same_exception(world, feast):
    answers = [feast("push", pushed(to="offline"), **{"Idempotency-Key": "refused"}) for _ in range(2)]
    assert said(answers[0]) == said(answers[1])


def test_a_store_that_is_feasts_refuses_in_feasts_words(world, feast, settings):
    settings.STORE_URL = "feast+redis://127.0.0.1:9/0"
    for path, body in (("push", pushed()), ("write-to-online-store", written("v"))):
        status, kind, message = said(feast(path, body))
        assert (status, kind) == (422, "FeastError")
        assert "[store_read_only]" in message


def test_a_view_without_a_lane_is_told_of_the_store_that_it_has_none_for(world, feast, settings):
    settings.STORE_URL = "feast+redis://127.0.0.1:9/0"
    unknown = pushed() | {"push_source_name": "of_a_view_without_lanes"}
    for path, body in (("push", unknown), ("write-to-online-store", written("closed"))):
        assert "[store_read_only]" in said(feast(path, body))[2]


def test_without_a_header_the_only_project_that_the_caller_knows_is_meant(world, feast):
    world.apply(feature_views=[])
    bound = client_of("ingest", projects=[world.project])
    body = json.dumps(pushed())
    assert bound.post("/api/v1/feast/push", body, content_type="application/json").status_code == 422
    one = bound.post("/api/v1/feast/push", body, content_type="application/json")
    assert said(one)[1] == "PushSourceNotFoundException"
    world.project = "another"
    world.apply(feature_views=[])
    several = client_of("ingest").post("/api/v1/feast/push", body, content_type="application/json")
    assert (several.status_code, several.json()["code"]) == (422, "missing_field")


NAMES = st.sampled_from(["k", "x", "y", "event_timestamp", "created", "z"])
CELLS = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(NAMES, st.lists(CELLS, min_size=2, max_size=2)))
def test_every_frame_is_either_refused_or_made_rows_of_exactly_the_views_fields(columns):
    frame = read_frame(columns)
    wanted = {"k", "x", "y"}
    try:
        rows = rows_of(
            frame,
            join_keys=[JoinKey("k", Dtype.STRING)],
            features=[Feature("x", Dtype.TIMESTAMP), Feature("y", Dtype.STRING)],
            event_time=None,
        )
    except Refused:
        complete = wanted <= set(columns) and "event_timestamp" in columns
        assert not complete or not all(isinstance(time, str) for time in columns["event_timestamp"])
        return
    assert [set(row) for row in rows] == [wanted | {"event_time"}] * 2
    for index, row in enumerate(rows):
        assert (row["k"], row["y"]) == (columns["k"][index], columns["y"][index])
