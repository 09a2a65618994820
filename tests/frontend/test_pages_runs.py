"""The pages of runs and the actions of a view, over runs that really ran."""

import json
import re
from datetime import timedelta

import pytest

from controlplane.accounts.domain import Role
from controlplane.accounts.models import AuditEntry
from controlplane.ingestion import selectors as ingestion
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services import runs
from controlplane.kernel import clock
from controlplane.registry import selectors as registry
from store_adapters import Lane
from tests.frontend.live import person, text_of
from tests.ingestion import test_stream
from tests.ingestion.conftest import build_world
from tests.ingestion.test_batch import BATCH, SOURCE, rows_of
from tests.ingestion.world import KEY, view_document

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built")]


@pytest.fixture
def world(tmp_path, settings, db):
    made = build_world(tmp_path, settings, f"sqlite://{tmp_path}/store.sqlite3")
    made.apply(
        entities=[KEY],
        sources=[SOURCE],
        feature_views=[view_document(batch=BATCH), view_document(name="d", direct=True)],
    )
    with clock.fixed(lambda: made.now):
        yield made


@pytest.fixture
def operator(world):
    return person("olga", Role.OPERATOR, project=world.project)


@pytest.fixture
def viewer(world):
    return person("victor", Role.VIEWER, project=world.project)


@pytest.fixture
def ended(world):
    """Two good runs, the second with one refused row, and one that failed: its file is gone."""
    world.write_parquet("s.parquet", rows_of(range(50)))
    first = world.run_batch()
    world.tick(minutes=15)
    world.write_parquet("s.parquet", rows_of(range(50), ago=1, value=lambda n: n + 1 if n else -1))
    second = world.run_batch()
    world.tick(minutes=15)
    (world.data / "s.parquet").unlink()
    failed = world.run_batch()
    assert [run.state for run in (first, second, failed)] == ["succeeded", "succeeded", "failed"]
    return first, second, failed


def address(world, run=None, action=None):
    parts = [f"/p/{world.project}/runs", *(str(each) for each in (run, action) if each is not None)]
    return "/".join(parts)


def words(response):
    return " ".join(re.sub(r"<script.*?</script>|<[^>]+>", " ", text_of(response), flags=re.S).split())


def queue(world, **options):
    return runs.queue_run(registry.find_view(world.project, "v"), Lane.BATCH, now=world.now, **options)


def test_the_list_shows_what_runs_above_what_ran(world, operator, ended):
    waiting = queue(world, requested_by="ada")
    told = words(operator.get(address(world)))
    assert told.index("In progress 1") < told.index(f"#{waiting.pk} v") < told.index("History")
    assert f"Failed #{ended[2].id} v" in told
    assert "50 read, 50 changed, 50 written" in told
    assert "1 refused" in told
    assert "not started" in told


def test_the_list_is_filtered_by_the_address_and_by_nothing_else_there(world, operator, ended):
    failed = text_of(operator.get(f"{address(world)}?state=failed&lane=batch&view=v"))
    assert f"runs/{ended[2].id}" in failed
    assert f"runs/{ended[0].id}" not in failed
    assert "No finished run matches" in text_of(operator.get(f"{address(world)}?view=nothing"))
    assert f"runs/{ended[0].id}" in text_of(operator.get(f"{address(world)}?state=odd&lane=odd&after=x"))


def test_a_long_list_is_read_page_by_page(world, operator):
    for _ in range(60):
        runs.cancel_run(queue(world), now=world.now)
    first = operator.get(address(world))
    older = re.search(r'rel="next" href="\?([^"]+)"', text_of(first)).group(1).replace("&amp;", "&")
    shown = [
        set(map(int, re.findall(r'data-key="run-(\d+)"', text_of(page))))
        for page in (first, operator.get(f"{address(world)}?{older}"))
    ]
    assert [len(each) for each in shown] == [50, 10]
    assert not shown[0] & shown[1]


def test_the_page_of_a_good_run_tells_phases_figures_and_refusals(world, operator, ended):
    _, second, _ = ended
    response = operator.get(address(world, second.id))
    told = words(response)
    assert text_of(response).count('data-phase="done"') == 6
    assert "Last good run #" in told
    assert "refused 1 0" in told
    assert re.search(r"key [0-9a-f]{12} x The value lies outside", told)
    assert '"k0"' not in text_of(response).replace("&quot;", '"'), "keys are values too"
    assert '"eventType": "COMPLETE"' in told.replace("&quot;", '"')
    assert f"focus=job%3Afreshline%3A%2F%2F{world.project}%7Cv.batch" in text_of(response)


def test_the_page_of_a_failed_run_names_the_error_the_phase_and_how_often(world, operator, ended):
    world.tick(minutes=1)
    again = world.run_batch()
    response = operator.get(address(world, again.id))
    told = words(response)
    assert "Failed at “read”" in told
    assert "source_missing" in told
    assert "the same error 2 times in 24 h" in told
    assert 'data-phase="failed"' in text_of(response)
    world.tick(days=2)
    assert "the same error" not in words(operator.get(address(world, again.id)))


def test_a_slow_run_is_compared_with_what_is_usual(world, operator, ended):
    failed = ended[2]
    started = world.now
    IngestionRun.objects.filter(state="succeeded").update(
        started_at=started, ended_at=started + timedelta(seconds=10)
    )
    IngestionRun.objects.filter(pk=failed.id).update(
        started_at=started, ended_at=started + timedelta(seconds=24)
    )
    assert ingestion.usual_times(world.project, ["v"]) == {"v": timedelta(seconds=10)}
    assert "24 s 2.4x usual" in words(operator.get(address(world)))


def test_a_run_under_way_polls_and_shows_how_many_rows_it_has_written(world, operator):
    run = queue(world)
    claim = runs.claim_run(run.pk, worker="w7", now=world.now, lease=timedelta(minutes=1))
    claim.update(phase="write", read=4_000_000, changed=31_000, progress_done=12_000, progress_total=31_000)
    world.tick(seconds=48)
    response = operator.get(address(world, run.pk))
    assert 'data-every="2"' in text_of(response)
    assert 'max="31000" value="12000"' in text_of(response)
    assert "12,000 of 31,000 rows written" in words(response)
    assert "worker w7" in words(response)
    home = words(operator.get(f"/p/{world.project}/"))
    assert "12,000 of 31,000 rows written" in home
    again = operator.get(address(world, run.pk), headers={"if-none-match": response["ETag"]})
    assert again.status_code == 200, "the first answer brought the cookie of the forms"
    same = operator.get(address(world, run.pk), headers={"if-none-match": again["ETag"]})
    assert same.status_code == 304


def test_a_held_run_says_why_and_is_released(world, operator):
    run = queue(world)
    IngestionRun.objects.filter(pk=run.pk).update(state="held", hold_reason="41 % would change")
    assert "Held: 41 % would change. Release it" in words(operator.get(address(world, run.pk)))
    answer = operator.post(address(world, run.pk, "release"), follow=True)
    assert f"Run #{run.pk} may go on" in words(answer)
    assert ingestion.find_run(run.pk).state == "queued"


def test_a_waiting_run_is_cancelled_and_then_tried_again(world, operator):
    run = queue(world, full=True)
    assert "Cancel run" in words(operator.get(address(world, run.pk)))
    answer = operator.post(address(world, run.pk, "cancel"), follow=True)
    assert "was asked to stop" in words(answer)
    assert "Retry" in words(answer)
    answer = operator.post(address(world, run.pk, "retry"))
    after = ingestion.list_runs(world.project, limit=1)[0]
    assert answer["Location"] == address(world, after.id)
    assert (after.id != run.pk, after.state, after.is_full) == (True, "queued", True)
    entries = AuditEntry.objects.filter(object_kind="run").order_by("id").values_list("actor", "action")
    assert list(entries) == [("olga", "cancel"), ("olga", "run")]


def test_what_the_state_does_not_allow_is_told_and_not_done(world, operator, ended):
    first, _, _ = ended
    for action, told in (("cancel", "has ended"), ("release", "is not held"), ("retry", "cannot be tried")):
        answer = operator.post(address(world, first.id, action), follow=True)
        assert told in words(answer), action
        assert 'data-tone="breach">run' in text_of(answer)
    assert not AuditEntry.objects.filter(object_kind="run").exists()
    assert operator.post(address(world, first.id, "explode")).status_code == 404


def test_a_minute_of_direct_rows_has_no_phases_and_nothing_to_cancel(world, operator):
    world.post([{"k": "a", "x": 1}], view="d")
    run = world.latest("direct", "d")
    told = words(operator.get(address(world, run.id)))
    assert "rows as they come, without phases" in told
    assert "Cancel run" not in told
    assert "rows posted" in told


def test_a_stream_at_a_gap_goes_on_only_over_it(world, operator):
    test_stream.define(world)
    world.append("s.jsonl", *(test_stream.event("a", number) for number in range(5)))
    world.drain()
    (world.data / "s.jsonl").write_text("")
    world.tick(minutes=1)
    run = world.drain()
    told = words(operator.get(address(world, run.id)))
    assert f"The stream stands at a gap {run.error['message']}" in told
    assert "goes on by itself" in words(operator.post(address(world, run.id, "retry"), follow=True))
    answer = operator.post(address(world, run.id, "retry"), {"skip_gap": "yes"}, follow=True)
    assert "is queued" in words(answer)
    assert IngestionRun.objects.get(state="queued").skips_gap


def test_a_viewer_sees_runs_and_may_do_nothing_with_them(world, viewer, ended):
    waiting = queue(world)
    for run in (*(each.id for each in ended), waiting.pk):
        response = viewer.get(address(world, run))
        assert response.status_code == 200
        assert 'method="post"' not in text_of(response).split("<main")[1]
        for action in ("cancel", "release", "retry"):
            assert viewer.post(address(world, run, action)).status_code == 403
    assert ingestion.find_run(waiting.pk).state == "queued"


def test_a_run_of_another_project_does_not_exist(world, ended):
    stranger = person("otto", Role.ADMIN, project="trains")
    assert stranger.get(address(world)).status_code == 404
    with_trains = person("tess", Role.ADMIN, project="trains2")
    for client in (stranger, with_trains):
        assert client.get(address(world, ended[0].id)).status_code == 404
        assert client.post(address(world, ended[2].id, "retry")).status_code == 404
    mine = person("mia", Role.ADMIN, project=world.project)
    foreign = IngestionRun.objects.get(pk=ended[0].id)
    IngestionRun.objects.filter(pk=foreign.pk).update(project="trains")
    assert mine.get(address(world, foreign.pk)).status_code == 404, "its number in one's own project"
    assert mine.post(address(world, foreign.pk, "cancel")).status_code == 404


def test_a_view_is_run_now_and_its_runs_have_a_tab(world, operator, ended):
    page = f"/p/{world.project}/features/v"
    assert "Run now" in words(operator.get(page))
    answer = operator.post(f"{page}/run")
    queued = ingestion.list_runs(world.project, limit=1)[0]
    assert answer["Location"] == address(world, queued.id)
    assert queued.requested_by == "olga"
    tab = text_of(operator.get(f"{page}?tab=runs"))
    assert all(f"runs/{run.id}" in tab for run in (*ended, queued))
    assert "no batch lane" in words(operator.post(f"/p/{world.project}/features/d/run", follow=True))
    assert operator.post(f"/p/{world.project}/features/nothing/run").status_code == 404


def test_watching_a_view_is_paused_and_resumed(world, operator):
    page = f"/p/{world.project}/features/v"
    assert "nobody is told of it" in words(operator.post(f"{page}/pause", follow=True))
    assert registry.find_view(world.project, "v").paused
    assert 'data-state="paused"' in text_of(operator.get(page))
    assert "is resumed" in words(operator.post(f"{page}/resume", follow=True))
    assert not registry.find_view(world.project, "v").paused
    entries = AuditEntry.objects.filter(actor="olga").order_by("id").values_list("action", "address")
    assert list(entries) == [("pause", "127.0.0.1"), ("resume", "127.0.0.1")]


def test_a_viewer_may_neither_run_nor_pause_a_view(world, viewer):
    page = f"/p/{world.project}/features/v"
    assert 'method="post"' not in text_of(viewer.get(page)).split("<main")[1]
    for action in ("run", "pause", "resume"):
        assert viewer.post(f"{page}/{action}").status_code == 403
        assert viewer.get(f"{page}/{action}").status_code == 405
    assert not registry.find_view(world.project, "v").paused


def test_the_last_run_stands_in_catalogue_and_on_the_view(world, operator, ended):
    world.post([{"k": "a", "x": 1}], view="d")
    catalogue = words(operator.get(f"/p/{world.project}/features"))
    assert "Failed" in catalogue
    assert "Running" in catalogue
    cell = text_of(operator.get(f"/p/{world.project}/features/v")).split('health-strip-run"')[1]
    assert f"#{ended[2].id}" in cell
    assert json.dumps("failed") in cell[:400]
