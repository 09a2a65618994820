"""The direct lane: what a request is told, and what is in the store afterwards."""

from datetime import timedelta

import pytest

from controlplane.ingestion import selectors
from controlplane.ingestion.models import RefusedRow, RunTransition, TouchedKey
from controlplane.ingestion.services import heartbeats, minutes
from controlplane.kernel.clock import to_us
from controlplane.kernel.errors import NotFound, Refused
from store_adapters import Lane
from tests.ingestion.world import FEATURES, KEY, view_document


@pytest.fixture
def direct(any_world):
    any_world.apply(entities=[KEY], feature_views=[view_document(direct=True)])
    return any_world


def at(world, **ago):
    return to_us(world.now - timedelta(**ago))


def test_rows_are_written_with_their_lane_run_layout_and_receipt_time(direct):
    answer = direct.post([{"k": "a", "x": 1, "y": "one"}, {"k": "b", "x": 2}])
    assert (answer.written, answer.refused, answer.results) == (2, (), ("written", "written"))
    row = direct.row("a")
    assert row.values == (1, "one")
    assert (row.lane, row.layout_number, row.held, row.tombstone) == (Lane.DIRECT, 1, False, False)
    assert row.event_time_us == row.write_time_us == to_us(direct.now)
    assert row.run_number == direct.latest("direct").run_number
    assert direct.row("b").values == (2, None)


def test_the_layout_is_in_the_store_before_the_first_row(direct):
    direct.post([{"k": "a", "x": 1}])
    assert direct.store.read_layout(direct.project, "v", 1) == direct.view().layout


def test_each_refused_row_names_field_code_and_reason_and_the_others_are_written(direct):
    answer = direct.post(
        [
            {"k": "a", "x": 1},
            {"k": "b", "x": -1},
            {"k": "c", "x": 1.5},
            {"x": 1},
            {"k": 7, "x": 1},
            {"k": "d", "x": 1, "z": 3},
            {"k": "e", "y": "far too long"},
            ["no", "object"],
            {"k": "f", "x": 1, "event_time": "yesterday"},
        ]
    )
    assert answer.written == 1
    assert [(r.index, r.field, r.code) for r in answer.refused] == [
        (1, "x", "out_of_domain"),
        (2, "x", "bad_value"),
        (3, "k", "absent_key"),
        (4, "k", "bad_value"),
        (5, "z", "unknown_field"),
        (6, "y", "out_of_domain"),
        (7, "", "bad_value"),
        (8, "event_time", "bad_value"),
    ]
    assert "minimum 0" in answer.refused[0].message
    assert RefusedRow.objects.filter(project=direct.project).count() == 8
    assert direct.row("b") is None


def test_a_request_whose_rows_are_all_refused_is_refused_as_a_whole(direct):
    with pytest.raises(Refused) as refused:
        direct.post([{"k": "a", "x": -1}], deletes=[{"x": 1}])
    assert refused.value.code == "all_refused"
    assert [error.path for error in refused.value.errors] == ["rows[0].x", "deletes[0].k"]


def test_an_empty_request_is_no_error(direct):
    assert direct.post([]).results == ()


def test_a_later_event_wins_whatever_the_order_of_arrival(direct):
    direct.post([{"k": "a", "x": 2, "event_time": at(direct, minutes=1)}])
    answer = direct.post([{"k": "a", "x": 1, "event_time": at(direct, minutes=2)}])
    assert answer.results == ("older",)
    assert direct.values("a") == (2, None)


def test_the_same_row_again_is_unchanged(direct):
    row = {"k": "a", "x": 2, "event_time": at(direct, minutes=1)}
    direct.post([row])
    direct.tick(minutes=1)
    assert direct.post([row]).results == ("unchanged",)


def test_of_two_rows_of_one_key_in_one_request_the_second_wins(direct):
    assert direct.post([{"k": "a", "x": 1}, {"k": "a", "x": 2}]).results == ("written", "written")
    assert direct.values("a") == (2, None)


def test_positions_stay_unique_when_the_clock_stands_still_or_goes_back(direct):
    direct.post([{"k": "a", "x": 1}, {"k": "b", "x": 1}])
    highest = direct.row("b").position
    direct.tick(seconds=-30)
    direct.post([{"k": "c", "x": 1}])
    assert direct.row("c").position == highest + 1


def test_a_delete_leaves_a_tombstone_that_an_older_row_cannot_undo(direct):
    direct.post([{"k": "a", "x": 1, "event_time": at(direct, minutes=9)}])
    answer = direct.post(deletes=[{"k": "a", "event_time": at(direct, minutes=5)}])
    assert answer.results == ("written",)
    assert direct.post([{"k": "a", "x": 1, "event_time": at(direct, minutes=6)}]).results == ("older",)
    assert direct.values("a") == "gone"
    assert direct.post([{"k": "a", "x": 3, "event_time": at(direct, minutes=1)}]).results == ("written",)
    assert direct.values("a") == (3, None)


def test_an_event_time_from_the_future_is_stored_as_the_receipt_time(direct):
    direct.post([{"k": "a", "x": 1, "event_time": "2099-01-01T00:00:00Z"}])
    row = direct.row("a")
    assert (row.event_time_us, row.clamped) == (to_us(direct.now), True)


def test_an_absent_event_time_is_the_first_receipt_time_of_a_repeated_request(direct):
    first = direct.now
    direct.post([{"k": "a", "x": 1}], received_at=first)
    direct.tick(seconds=20)
    assert direct.post([{"k": "a", "x": 1}], received_at=first).results == ("unchanged",)


class TestHolding:
    def test_a_refused_update_holds_the_row_that_it_would_have_replaced(self, direct):
        direct.post([{"k": "a", "x": 1}])
        event_time_us = direct.row("a").event_time_us
        direct.tick(minutes=1)
        direct.post([{"k": "a", "x": -1}, {"k": "z", "x": 1}])
        row = direct.row("a")
        assert (row.held, row.values, row.event_time_us) == (True, (1, None), event_time_us)

    def test_a_good_update_ends_the_hold(self, direct):
        self.test_a_refused_update_holds_the_row_that_it_would_have_replaced(direct)
        direct.tick(minutes=1)
        direct.post([{"k": "a", "x": 5}])
        assert (direct.row("a").held, direct.values("a")) == (False, (5, None))

    def test_a_refused_row_that_came_late_holds_nothing(self, direct):
        direct.post([{"k": "a", "x": 1}])
        direct.post([{"k": "a", "x": -1, "event_time": at(direct, minutes=5)}, {"k": "z", "x": 1}])
        assert not direct.row("a").held

    def test_a_good_row_after_a_refused_one_of_the_same_request_is_not_held(self, direct):
        direct.post([{"k": "a", "x": -1}, {"k": "a", "x": 4}])
        assert (direct.row("a").held, direct.values("a")) == (False, (4, None))

    def test_a_refused_row_after_a_good_one_of_the_same_request_holds_it(self, direct):
        direct.post([{"k": "a", "x": 4}, {"k": "a", "x": -1}])
        assert (direct.row("a").held, direct.values("a")) == (True, (4, None))

    def test_a_tombstone_is_not_held(self, direct):
        direct.post(deletes=[{"k": "a"}])
        direct.tick(seconds=1)
        direct.post([{"k": "a", "x": -1}, {"k": "z", "x": 1}])
        assert (direct.values("a"), direct.row("a").held) == ("gone", False)


def test_a_view_without_the_lane_and_an_unknown_view_take_no_rows(any_world):
    stream = {"source": "s"}
    any_world.apply(
        entities=[KEY],
        sources=[{"name": "s", "kind": "stream", "uri": "data/s.jsonl"}],
        feature_views=[view_document(stream=stream)],
    )
    with pytest.raises(Refused) as refused:
        any_world.post([{"k": "a", "x": 1}])
    assert refused.value.code == "lane_not_declared"
    with pytest.raises(NotFound):
        any_world.post([{"k": "a", "x": 1}], view="w")


def test_one_run_stands_for_a_minute_and_counts_all_of_it(direct):
    direct.post([{"k": "a", "x": 1}, {"k": "b", "x": -1}])
    direct.tick(seconds=30)
    direct.post([{"k": "a", "x": 2}], deletes=[{"k": "c"}])
    (run,) = selectors.list_runs(direct.project)
    assert (run.state, run.counts.read, run.counts.written, run.counts.refused, run.counts.removed) == (
        "running",
        4,
        3,
        1,
        1,
    )
    direct.tick(seconds=30)
    direct.post([{"k": "a", "x": 3}])
    assert len(selectors.list_runs(direct.project)) == 2
    assert minutes.close_minutes(now=direct.tick(minutes=5)) == 2
    assert {run.state for run in selectors.list_runs(direct.project)} == {"succeeded"}
    told = RunTransition.objects.filter(run_id=run.id).order_by("sequence").values_list("event", flat=True)
    assert list(told) == ["START", "COMPLETE"]


def test_keys_are_touched_only_where_a_batch_lane_may_not_know_of_them(world):
    world.apply(entities=[KEY], feature_views=[view_document(direct=True)])
    world.post([{"k": "a", "x": 1}])
    assert not TouchedKey.objects.exists()
    world.apply(
        entities=[KEY],
        sources=[{"name": "s", "kind": "parquet", "uri": "data/s.parquet"}],
        feature_views=[view_document(direct=True, batch={"source": "s", "query": "SELECT * FROM s"})],
    )
    world.post([{"k": "a", "x": 1}, {"k": "b", "x": -1}, {"k": "a", "x": 2}])
    assert [bytes(row.key) for row in TouchedKey.objects.order_by("key")] == [world.key("a"), world.key("b")]


def test_a_changed_view_writes_under_its_new_layout(direct):
    direct.post([{"k": "a", "x": 1}])
    wider = [*FEATURES, {"name": "z", "dtype": "bool"}]
    direct.apply(entities=[KEY], feature_views=[view_document(direct=True, features=wider)])
    direct.post([{"k": "b", "x": 1, "z": True}])
    assert (direct.values("a"), direct.values("b")) == ((1, None), (1, None, True))
    assert direct.store.read_layout(direct.project, "v", 2) is not None


class TestHeartbeats:
    def beat(self, world, writer, **ago):
        as_of = world.now - timedelta(**ago)
        heartbeats.record_heartbeat(world.project, "v", writer=writer, as_of=as_of, now=world.now)

    def test_the_watermark_is_the_least_of_the_writers(self, direct):
        self.beat(direct, "one", minutes=5)
        assert direct.watermark("direct") == direct.now - timedelta(minutes=5)
        self.beat(direct, "two", minutes=9)
        assert direct.watermark("direct") == direct.now - timedelta(minutes=5)  # never back
        self.beat(direct, "one", minutes=1)
        self.beat(direct, "two", minutes=2)
        assert direct.watermark("direct") == direct.now - timedelta(minutes=2)

    def test_a_writer_cannot_take_back_its_word(self, direct):
        self.beat(direct, "one", minutes=5)
        self.beat(direct, "one", minutes=8)
        self.beat(direct, "two", minutes=4)
        assert direct.watermark("direct") == direct.now - timedelta(minutes=5)

    def test_up_to_five_seconds_ahead_is_taken_and_more_is_refused(self, direct):
        self.beat(direct, "one", seconds=-5)
        with pytest.raises(Refused):
            self.beat(direct, "one", seconds=-5.000001)

    def test_rows_alone_move_no_watermark(self, direct):
        direct.post([{"k": "a", "x": 1}])
        assert direct.watermark("direct") is None


def test_a_rebuilt_control_plane_goes_on_above_the_generation_that_the_store_knows(direct):
    from store_adapters import Watermark

    before = Watermark(7, to_us(direct.now) - 1)
    direct.store.write_watermark(direct.project, "v", Lane.DIRECT, before)
    TestHeartbeats().beat(direct, "one", minutes=30)
    assert direct.store.read_watermarks(direct.project)["v", Lane.DIRECT] == Watermark(
        8, at(direct, minutes=30)
    )
