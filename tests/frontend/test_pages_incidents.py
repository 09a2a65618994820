"""An incident's page out of real rows: its cause, whom it hits, who was told, what happened."""

from datetime import timedelta

import pytest

from controlplane.observations.domain.report import parse
from controlplane.observations.services.reports import record_report
from controlplane.registry.services.applying import Author, apply_definition
from lineage import services as lineage
from monitors.channels.egress import Egress
from monitors.domain.folding import Confidence
from monitors.models import Incident, Notification, TimelineEntry
from monitors.services import incidents, outbox
from tests.frontend.live import PATH, text_of, words
from tests.monitors.story import MINUTE, NOON, breach, cause, pagerduty, recover, slack
from tests.registry.story import FLIGHTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "flights")]
INBOX = "/p/flights/incidents"
HOME, VIEW = "/p/flights/", "/p/flights/features/carrier_delays"
BUDGET = 15


def page_of(incident):
    return f"{INBOX}/INC-{incident.number}"


def served(service, values):
    """Serving reports a minute of lookups of the story's view."""
    minute = {
        "minute": int(NOON.timestamp()) // 60,
        "project": "flights",
        "view": "carrier_delays",
        "service": service,
        "contract": 1,
        "requests": 50,
        "rows": 50,
        "rejected_rows": 0,
        "failed_requests": 0,
        "values": {"fresh": 0, "null": 0, "missing": 0, "stale": 0, "invalid": 0, "unavailable": 0, **values},
        "also_invalid": 0,
        "actions": {"serve": 100, "null": 0, "default": 0, "reject": 0},
        "features": {},
        "age_buckets": {},
    }
    document = {
        "format": 1,
        "instance": "edge-1f",
        "sequence": 1,
        "sent_at_us": int(NOON.timestamp()) * 1_000_000,
        "dropped": 0,
        "minutes": [minute],
        "sampled": [],
    }
    record_report(parse(document, now=NOON), now=NOON, retention=timedelta(days=14))


def test_the_page_leads_from_the_failed_run_to_the_consumers(stale, viewer):
    served("delay_ranker", {"fresh": 40, "stale": 60})
    told = words(viewer.get(page_of(stale)))
    chain = told[told.index("Probable cause") : told.index("Timeline")]
    assert "confidence high" in chain
    for earlier, later in (
        ("refine", "Failed"),
        ("Failed", "disk full (run run-7)"),
        ("disk full", "delays"),
        ("dataset delays", "view carrier_delays"),
        ("view carrier_delays", "50 min, at most 45 min (1.1x)"),
        ("at most 45 min", "service delay_ranker"),
        ("delay_ranker", "10 lookups/min"),
    ):
        assert chain.index(earlier) < chain.rindex(later), (earlier, later)
    hit = told[told.index("Who is hit") : told.index("Who was told")]
    assert "delay_ranker feature service 10 lookups/min, 60.0 % affected, ranking" in hit
    assert "delay-ranker@2026-11 model" in hit


def test_a_job_between_cause_and_view_tells_its_last_run(site_job, viewer):
    told = words(viewer.get(page_of(site_job)))
    assert "job load Failed failed 11:59: no space left" in told


@pytest.fixture
def site_job(flights):
    """A second job between the failed one and the view failed as well, lineage knows."""
    event = {
        "eventType": "FAIL",
        "eventTime": (NOON - MINUTE).isoformat(),
        "producer": "https://example.org/producer",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {
            "runId": "0197a9f2-3c1e-7c43-9d37-7a64b7d0a001",
            "facets": {
                "errorMessage": {
                    "_producer": "https://example.org/producer",
                    "_schemaURL": "https://example.org/producer",
                    "message": "no space left",
                    "programmingLanguage": "python",
                }
            },
        },
        "job": {"namespace": "etl", "name": "load"},
        "inputs": [],
        "outputs": [],
    }
    lineage.receive_event(event, now=NOON)
    lineage.project_pending(now=NOON)
    return breach(causes=[cause(path=("job:etl|refine", "job:etl|load", "view:flights/carrier_delays"))])


def test_a_long_way_is_told_in_few_steps(flights, viewer):
    path = ("job:etl|refine", *(f"dataset:lake|t{i}" for i in range(9)), "view:flights/carrier_delays")
    told = words(viewer.get(page_of(breach(causes=[cause(path=path)]))))
    assert (
        "dataset t0 lake more 6 more on the way dataset t7 lake dataset t8 lake view carrier_delays" in told
    )


def test_a_cause_that_one_timestamp_speaks_for_is_told_as_unsure(flights, viewer):
    unsure = cause(confidence=Confidence.LOW, path=PATH)
    told = words(viewer.get(page_of(breach(causes=[unsure, cause("job:etl|other", hops=1)]))))
    assert "1 other candidate refine disk full, not sure" in told
    alone = breach("gate_delays", causes=[cause("job:etl|third", confidence=Confidence.LOW)])
    assert "confidence low: one timestamp speaks for it" in words(viewer.get(page_of(alone)))


def test_without_a_cause_the_page_says_so(flights, viewer):
    told = words(viewer.get(page_of(breach())))
    assert "Cause unknown" in told
    assert "Nothing upstream failed" in told


def test_a_cause_in_a_foreign_project_is_not_named(flights, viewer, root):
    foreign = cause("job:freshline://trains|secret_view.batch", reason="secret table gone")
    incident = breach(causes=[foreign])
    TimelineEntry.objects.create(incident=incident, at=NOON, kind="cause", text="secret_view: secret table")
    api = f"/api/v1/incidents/{incident.number}"
    places = (HOME, VIEW, page_of(incident), INBOX, api, "/api/v1/projects/flights/incidents")
    for address in places:
        assert "secret" not in text_of(viewer.get(address)), address
        assert "secret table gone" in text_of(root.get(address)), address
    assert "in a project that you may not read" in words(viewer.get(page_of(incident)))


def test_an_incident_from_before_paths_were_kept_still_names_its_cause(stale, viewer):
    kept = {name: value for name, value in stale.cause.items() if name != "path"}
    Incident.objects.filter(pk=stale.pk).update(cause=kept)
    assert "disk full (run run-7)" in words(viewer.get(page_of(stale)))


def test_everybody_who_was_told_is_listed_with_how_it_ended(stale, receiver, viewer):
    receiver.script["/services/T0/B0/secret"] = [(404, {}, b"no_service")]
    for channel in {row.channel for row in Notification.objects.select_related("channel")}:
        channel.delete()
    slack(receiver.url)
    pagerduty(receiver.url)
    told = breach("gate_delays")
    outbox.deliver_due(now=NOON + MINUTE, egress=Egress(allowed_hosts=["127.0.0.1"]), jitter=lambda: 0.5)
    page = words(viewer.get(page_of(told)))
    messages = page[page.index("Who was told") : page.index("Views")]
    assert "chat opened Not delivered 2 min ago , HTTP 404 no_service" in messages
    assert "pager opened Sent" in messages
    assert "Not delivered: trigger to chat: HTTP 404 no_service" in page
    assert "chat: " not in words(viewer.get(INBOX))
    assert "Not delivered" in words(viewer.get(INBOX))


def test_a_child_leads_to_its_root_and_back(stale, viewer):
    child = breach("gate_delays", causes=[cause()])
    assert f'href="{page_of(stale)}">INC-{stale.number}</a>' in text_of(viewer.get(page_of(child)))
    assert f'href="{page_of(child)}">INC-{child.number}</a>' in text_of(viewer.get(page_of(stale)))
    assert f"Told with INC-{stale.number}." in words(viewer.get(page_of(child)))


def test_a_view_that_is_well_again_leaves_the_list_of_an_open_incident(stale, viewer):
    child = breach("gate_delays", causes=[cause()])
    assert "2 views stale" in words(viewer.get(page_of(stale)))
    recover(child, now=NOON + MINUTE)
    assert "carrier_delays is stale" in words(viewer.get(page_of(stale)))


def test_what_is_over_says_how_it_ended_and_offers_nothing(stale, operator):
    recover(stale, now=NOON + MINUTE)
    html = text_of(operator.get(page_of(stale)))
    told = words(operator.get(page_of(stale)))
    assert "Resolved critical" in told.replace("Fresh ", "").replace("No data ", "")
    assert "every monitor is ok again" in told
    assert "disk full (run run-7)" in told, "the cause stays named"
    assert "incident-actions" not in html and "/acknowledge" not in html


def test_a_channel_that_broke_has_a_page_without_a_view(receiver, viewer):
    slack(receiver.url)
    receiver.script["/services/T0/B0/secret"] = [(404, {}, b"no_service")]
    breach()
    outbox.deliver_due(now=NOON + MINUTE, egress=Egress(allowed_hosts=["127.0.0.1"]), jitter=lambda: 0.5)
    meta = Incident.objects.get(family="meta")
    told = words(viewer.get(page_of(meta)))
    assert "channel chat refuses messages for good: HTTP 404 no_service" in told
    assert "this is about the watching itself" in told
    assert "channel chat refuses messages" in words(viewer.get(INBOX))


def test_a_runbook_is_a_link_only_when_it_is_one(stale, viewer):
    assert '<a href="https://wiki.example/runbook">' in text_of(viewer.get(page_of(stale)))
    of = stale.evidence.get().monitor.watch
    of.runbook = "javascript:alert(1)"
    of.save()
    html = text_of(viewer.get(page_of(stale)))
    assert 'href="javascript' not in html
    assert "javascript:alert(1)" in html


def test_a_page_that_did_not_change_is_not_sent_again(stale, viewer):
    viewer.get(page_of(stale))
    for address in (page_of(stale), INBOX):
        first = viewer.get(address)
        again = viewer.get(address, headers={"if-none-match": first["ETag"]})
        assert again.status_code == 304
        breach(f"more_{len(address)}", causes=[cause()])
        assert viewer.get(address, headers={"if-none-match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("children", [0, 30])
def test_an_incident_is_read_in_few_queries_however_much_it_explains(
    stale, viewer, root, children, django_assert_max_num_queries
):
    for index in range(children):
        breach(f"child_{index}", causes=[cause()])
    for client in (viewer, root):
        for address in (page_of(stale), INBOX):
            client.get(address)
            with django_assert_max_num_queries(BUDGET):
                assert client.get(address).status_code == 200


def test_a_very_long_story_is_cut_and_says_so(stale, viewer):
    for index in range(130):
        incidents.note(stale.number, text=f"note {index}", actor="ada", now=NOON)
    told = words(viewer.get(page_of(stale)))
    assert "note 129" in told and "note 2 " not in told
    assert "Older entries are not shown" in told


def test_what_breaks_the_terms_of_one_service_is_told_as_that_on_every_page(flights, viewer):
    opened = breach(service="delay_ranker", reason="age 50 min, max 45 min, 1.1x")
    title = "delay_ranker: carrier_delays is older than it accepts"
    told = viewer.get(page_of(opened))
    assert f"<h1>{title}</h1>" in text_of(told)
    assert "is stale" not in words(told)
    for address in (INBOX, HOME, VIEW):
        assert title in words(viewer.get(address)), address
    assert "delay_ranker feature service" in words(told)


def test_only_the_service_whose_terms_broke_counts_as_a_consumer(flights, viewer):
    other = {"name": "eta", "owner": "ranking", "features": ["carrier_delays:avg_dep_delay"]}
    services = [*FLIGHTS["feature_services"], other]
    definition = {**FLIGHTS, "feature_services": services}
    apply_definition("flights", definition, author=Author("edith", may_create_projects=True), now=NOON)
    opened = breach(service="eta")
    hit = words(viewer.get(page_of(opened))).split("Who is hit")[1].split("Who was told")[0]
    assert "eta feature service" in hit and "delay_ranker" not in hit and "1 consumer" in hit
    assert '<td class="num" data-label="consumers">1</td>' in text_of(viewer.get(INBOX))
    assert "1 consumer affected" in words(viewer.get(VIEW))
