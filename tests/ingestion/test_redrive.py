"""Refused rows after a fix of the definition, and what runs saved, by HTTP."""

import pytest

from controlplane.ingestion.models import IngestionRun, RefusedRow
from controlplane.kernel import clock
from tests.ingestion import test_batch, test_stream
from tests.ingestion.test_api import client_of, post
from tests.ingestion.world import FEATURES, KEY, view_document

LOOSER = [{**FEATURES[0], "min": -100}, FEATURES[1]]


def redrive(world, body, status=200):
    answer = post(client_of("operate"), f"projects/{world.project}/refused-rows/redrive", body)
    assert answer.status_code == status, answer.content
    return {name: count for name, count in answer.json().items() if count}


class TestDirect:
    @pytest.fixture
    def refused(self, world):
        world.now = clock.now()
        world.apply(entities=[KEY], feature_views=[view_document(direct=True)])
        world.post([{"k": "a", "x": 1}, {"k": "b", "x": -5}])
        return world

    def test_a_row_is_written_after_the_fix_in_its_own_place(self, refused):
        assert redrive(refused, {"view": "v"}) == {"refused": 1}
        refused.apply(entities=[KEY], feature_views=[view_document(direct=True, features=LOOSER)])
        assert redrive(refused, {"view": "v"}) == {"written": 1}
        assert refused.values("b") == (-5, None)
        assert RefusedRow.objects.get().redrive_result == "written"
        assert redrive(refused, {"view": "v"}) == {}

    def test_a_value_that_came_meanwhile_stays(self, refused):
        refused.tick(seconds=1)
        refused.post([{"k": "b", "x": 7}])
        refused.apply(entities=[KEY], feature_views=[view_document(direct=True, features=LOOSER)])
        assert redrive(refused, {"ids": [RefusedRow.objects.get().pk]}) == {"older": 1}
        assert refused.values("b") == (7, None)

    def test_what_is_not_there_and_what_says_nothing_is_refused(self, refused):
        redrive(refused, {"ids": [999_999]}, status=404)
        redrive(refused, {}, status=422)
        redrive(refused, {"ids": [1], "view": "v"}, status=422)

    def test_a_payload_that_was_cut_is_not_written(self, refused):
        RefusedRow.objects.update(is_cut=True)
        refused.apply(entities=[KEY], feature_views=[view_document(direct=True, features=LOOSER)])
        assert redrive(refused, {"view": "v"}) == {"refused": 1}


def test_a_refused_event_is_written_in_its_own_place_after_the_fix(world):
    test_stream.define(world)
    events = [test_stream.event("a", -1, ago=20), test_stream.event("b", -2, ago=20)]
    world.append("s.jsonl", *events, test_stream.event("b", 3, ago=10))
    world.drain()
    test_stream.define(world, features=LOOSER)
    assert redrive(world, {"view": "v"}) == {"written": 1, "older": 1}
    assert (world.values("a"), world.values("b")) == ((-1, "text"), (3, "text"))
    assert world.row("a").position == 0


def test_refused_batch_rows_are_looked_at_again_by_the_next_run(world):
    world.now = clock.now()
    test_batch.define(world)
    world.write_parquet("s.parquet", [("a", -1, None, test_batch.minutes_ago(1))])
    world.run_batch()
    test_batch.define(world, features=LOOSER)
    assert redrive(world, {"view": "v"}) == {"queued": 1}
    world.tick(seconds=5)
    world.execute(IngestionRun.objects.get(state="queued").pk)
    assert world.values("a") == (-1, None)


def test_savings_add_up_by_view(world):
    world.now = clock.now()
    test_batch.define(world)
    world.write_parquet("s.parquet", test_batch.rows_of(range(100)))
    world.run_batch()
    world.write_parquet(
        "s.parquet", [*test_batch.rows_of(range(98)), *test_batch.rows_of([98, 99], value=lambda _: 1)]
    )
    world.run_batch()
    (item,) = client_of("read").get(f"/api/v1/projects/{world.project}/savings").json()["items"]
    assert (item["view"], item["runs"], item["rows_read"]) == ("v", 2, 200)
    assert (item["writes"], item["writes_avoided"]) == (102, 98)
    assert item["bytes_avoided"] > 0
    assert set(item["seconds"]) >= {"read", "compare", "check", "write"}


def test_a_run_can_be_followed_until_it_ends(world):
    world.now = clock.now()
    test_batch.define(world)
    world.write_parquet("s.parquet", test_batch.rows_of([1]))
    run = world.run_batch()
    answer = client_of("read").get(f"/api/v1/runs/{run.id}/events", headers={"accept": "text/event-stream"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("event: run\ndata: {")
    assert '"state": "succeeded"' in text
    assert client_of("ingest").get(f"/api/v1/runs/{run.id}/events").status_code == 403


def test_a_gap_is_skipped_by_saying_so(world):
    world.now = clock.now()
    test_stream.define(world)
    world.append("s.jsonl", test_stream.event("a", 1), test_stream.event("b", 1))
    world.drain()
    (world.data / "s.jsonl").write_text("")
    world.append("s.jsonl", test_stream.event("c", 1))
    world.tick(minutes=1)
    run = world.drain()
    assert run.state == "failed"
    operator = client_of("operate")
    assert post(operator, f"runs/{run.id}/retry", {}).status_code == 409
    assert post(operator, f"runs/{run.id}/retry", {"skip_gap": True}).status_code == 202
    world.tick(seconds=10)
    world.drain()
    assert world.values("c") == (1, "text")
