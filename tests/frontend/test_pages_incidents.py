"""Incidents on pages, out of real rows of the monitors: what is told, what people may do, in few queries."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from controlplane.accounts.models import AuditEntry
from controlplane.observations.domain.report import parse
from controlplane.observations.services.reports import record_report
from lineage import services as lineage
from monitors.channels.egress import Egress
from monitors.domain.folding import Confidence
from monitors.models import Incident, Notification, Silence, TimelineEntry
from monitors.services import incidents, outbox
from monitors.services.storytelling import link_to
from tests.frontend.people import text_of
from tests.monitors.story import MINUTE, NOON, breach, cause, monitor, pagerduty, recover, slack

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "flights")]
INBOX = "/p/flights/incidents"
BUDGET = 15
PATH = ("job:etl|refine", "dataset:s3://lake|delays", "view:flights/carrier_delays")


def page_of(incident):
    return f"{INBOX}/INC-{incident.number}"


def words(response):
    """What a page says between its title and its end, without markup."""
    main = text_of(response).split("<main")[1]
    return " ".join(re.sub(r"<[^>]+>", " ", main).replace("&#x27;", "'").split())


def numbers_in(html):
    """The numbers of the incidents in a list, in order."""
    return [int(number) for number in re.findall(r'data-key="INC-(\d+)"', html)]


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


@pytest.fixture
def stale(flights):
    """The story's view is stale because of an outside job; its owner has a chat and a pager."""
    slack()
    pagerduty()
    monitor(value=3_000.0)
    return breach(causes=[cause(path=PATH)])


# The inbox.


def test_the_inbox_names_what_is_wrong_why_whom_it_hits_and_who_was_told(stale, viewer):
    told = words(viewer.get(INBOX))
    assert f"INC-{stale.number} carrier_delays is stale" in told
    assert "Cause: refine failed: disk full" in told
    assert "critical" in told
    assert "chat Waiting" in told and "pager Waiting" in told
    row = re.search(r'data-label="consumers">(\d+)<', text_of(viewer.get(INBOX)))
    assert row[1] == "2", "a service and its model"


def test_what_one_cause_explains_is_one_row(stale, viewer):
    breach("gate_delays", causes=[cause()])
    told = words(viewer.get(INBOX))
    assert "2 views stale, carrier_delays first" in told
    assert told.count("INC-") == 1


def test_an_empty_inbox_proves_that_somebody_looks(viewer):
    assert "No view is monitored yet" in words(viewer.get(INBOX))
    of = monitor().watch
    of.probed_at = NOON
    of.save()
    assert "No open incidents 1 view monitored, last probe 2 min ago ." in words(viewer.get(INBOX))


def test_each_tab_holds_its_incidents_and_their_number(stale, operator):
    second, third = breach("gate_delays"), breach("tail_delays")
    operator.post(f"{page_of(second)}/acknowledge")
    recover(third, now=NOON + MINUTE)
    expected = {
        "open": [stale.number],
        "acknowledged": [second.number],
        "silenced": [],
        "resolved": [third.number],
        "all": [third.number, second.number, stale.number],
    }
    for tab, numbers in expected.items():
        html = text_of(operator.get(f"{INBOX}?tab={tab}"))
        assert numbers_in(html) == numbers
        assert re.search(rf'{tab.title()} <span class="count[^"]*">{len(numbers)}<', html)


def test_an_unknown_tab_or_filter_shows_what_is_open(stale, viewer):
    told = words(viewer.get(f"{INBOX}?tab=nonsense&severity=loud&after=-1"))
    assert "carrier_delays is stale" in told


def test_the_inbox_is_narrowed_by_severity_and_owner(stale, viewer):
    breach("bronze_view", tier="bronze", owner="ops")
    assert "carrier_delays" not in words(viewer.get(f"{INBOX}?severity=warning"))
    assert "bronze_view is stale" in words(viewer.get(f"{INBOX}?severity=warning&owner=ops"))
    nothing = words(viewer.get(f"{INBOX}?severity=info"))
    assert "No incident matches" in nothing and "Clear filters" in nothing


def test_what_is_worst_comes_first_where_somebody_may_have_to_act(stale, viewer):
    warning = breach("bronze_view", tier="bronze")
    newest = breach("tail_delays")
    html = text_of(viewer.get(INBOX))
    assert numbers_in(html) == [newest.number, stale.number, warning.number]
    assert numbers_in(text_of(viewer.get(f"{INBOX}?tab=all")))[0] == newest.number


@pytest.mark.parametrize("tab", ["open", "all"])
def test_what_does_not_fit_is_a_page_further_and_none_is_lost(tab, viewer, django_assert_max_num_queries):
    tiers = {number: "gold" if number % 3 else "bronze" for number in range(53)}
    rows = [breach(f"v{number}", tier=tier) for number, tier in tiers.items()]
    seen = []
    address = f"{INBOX}?tab={tab}"
    while address:
        viewer.get(address)
        with django_assert_max_num_queries(BUDGET):
            html = text_of(viewer.get(address))
        seen += numbers_in(html)
        further = re.search(r'rel="next" href="([^"]+)"', html)
        address = INBOX + further[1].replace("&amp;", "&") if further else None
    newest = sorted(rows, key=lambda row: -row.number)
    if tab == "open":
        newest.sort(key=lambda row: row.severity)
    assert seen == [row.number for row in newest]


# One incident.


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
    for address in (page_of(incident), INBOX):
        assert "secret" not in text_of(viewer.get(address))
    assert "in a project that you may not read" in words(viewer.get(page_of(incident)))
    assert "secret table gone" in words(root.get(page_of(incident)))


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
    stale, viewer, children, django_assert_max_num_queries
):
    for index in range(children):
        breach(f"child_{index}", causes=[cause()])
    for address in (page_of(stale), INBOX):
        viewer.get(address)
        with django_assert_max_num_queries(BUDGET):
            assert viewer.get(address).status_code == 200


def test_a_very_long_story_is_cut_and_says_so(stale, viewer):
    for index in range(130):
        incidents.note(stale.number, text=f"note {index}", actor="ada", now=NOON)
    told = words(viewer.get(page_of(stale)))
    assert "note 129" in told and "note 2 " not in told
    assert "Older entries are not shown" in told


# What people do.


def test_an_operator_acknowledges_notes_silences_and_resolves(stale, operator):
    for action, form in (
        ("acknowledge", {}),
        ("note", {"text": "looking at the lake"}),
        ("silence", {"for": "1h", "reason": "known"}),
    ):
        answer = operator.post(f"{page_of(stale)}/{action}", form)
        assert (answer.status_code, answer["Location"]) == (302, page_of(stale))
    told = words(operator.get(page_of(stale)))
    assert "olga is on it" in told
    assert "looking at the lake olga" in told
    assert "Silenced until 13:02 : known" in told
    assert f"INC-{stale.number}" in words(operator.get(f"{INBOX}?tab=silenced"))
    operator.post(f"{page_of(stale)}/resolve", {"reason": "reloaded by hand"})
    stale.refresh_from_db()
    assert (stale.state, stale.resolution) == ("resolved", "reloaded by hand")
    done = AuditEntry.objects.filter(actor="olga").order_by("id").values_list("action", "object_kind")
    assert list(done) == [("acknowledge", "incident"), ("create", "silence"), ("resolve", "incident")]


def test_a_silence_from_the_page_holds_back_this_view_and_no_other(stale, operator):
    operator.post(f"{page_of(stale)}/silence", {"for": "15m", "reason": "known"})
    (silence,) = Silence.objects.all()
    assert silence.project == "flights"
    assert [(m["label"], m["value"]) for m in silence.matchers] == [
        ("project", "flights"),
        ("view", "carrier_delays"),
    ]
    assert silence.ends_at - silence.starts_at == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("action", "form", "said"),
    [
        ("resolve", {"reason": " "}, "say why this is over"),
        ("note", {"text": ""}, "write 1 to 1000 characters"),
        ("silence", {"for": "99y", "reason": "x"}, "for: choose one of"),
        ("silence", {"for": "1h", "reason": ""}, "reason"),
    ],
)
def test_what_is_refused_is_said_on_the_page(stale, operator, action, form, said):
    answer = operator.post(f"{page_of(stale)}/{action}", form, follow=True)
    assert answer.status_code == 200
    assert said in words(answer)
    stale.refresh_from_db()
    assert stale.state == "open"
    assert not Silence.objects.exists()


def test_two_people_who_resolve_at_once_both_hear_how_it_stands(stale, operator):
    recover(stale, now=NOON + MINUTE)
    for action in ("acknowledge", "resolve"):
        answer = operator.post(f"{page_of(stale)}/{action}", {"reason": "x"}, follow=True)
        assert f"INC-{stale.number} is resolved already" in words(answer)


def test_a_form_returns_to_the_page_it_stood_on_and_never_elsewhere(stale, operator):
    address = f"{page_of(stale)}/note"
    here = {
        "http://testserver/p/flights/incidents?tab=all": "/p/flights/incidents?tab=all",
        "https://evil.example/p/flights/": page_of(stale),
        f"http://testserver{page_of(stale)}?do=silence": page_of(stale),
        "": page_of(stale),
    }
    for referer, expected in here.items():
        answer = operator.post(address, {"text": "x"}, headers={"referer": referer})
        assert answer["Location"] == expected


def test_a_viewer_sees_no_button_and_may_do_nothing(stale, viewer):
    for address in (page_of(stale), INBOX):
        main = text_of(viewer.get(address)).split("<main")[1]
        assert 'method="post"' not in main
    for action in ("acknowledge", "note", "silence", "resolve"):
        answer = viewer.post(f"{page_of(stale)}/{action}", {"reason": "x", "text": "x", "for": "1h"})
        assert answer.status_code == 403
        assert "needs the role" in words(answer)
    stale.refresh_from_db()
    assert stale.state == "open"
    assert not Silence.objects.exists()


def test_a_foreign_incident_does_not_exist(stale, outsider, operator):
    for address in (INBOX, page_of(stale), f"/incidents/INC-{stale.number}"):
        answer = outsider.get(address)
        assert answer.status_code == 404
        assert "carrier_delays" not in text_of(answer)
    assert outsider.post(f"{page_of(stale)}/acknowledge").status_code == 404
    other = breach("rails", project="trains")
    assert operator.get(f"{INBOX}/INC-{other.number}").status_code == 404
    assert operator.post(f"{INBOX}/INC-{other.number}/acknowledge").status_code == 404
    other.refresh_from_db()
    assert other.state == "open"


def test_an_incident_or_action_that_does_not_exist_is_not_found(stale, operator):
    assert operator.get(f"{INBOX}/INC-999999").status_code == 404
    assert operator.post(f"{page_of(stale)}/destroy").status_code == 404
    assert operator.get(f"{page_of(stale)}/acknowledge").status_code == 405
    assert operator.post(INBOX).status_code == 405


def test_a_form_from_elsewhere_changes_nothing(stale, operator):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    assert strict.post(f"{page_of(stale)}/acknowledge").status_code == 403
    stale.refresh_from_db()
    assert stale.state == "open"


# The link in messages.


def test_the_link_in_a_message_leads_to_the_page_with_the_action_ready(stale, operator, settings):
    link = link_to(stale.number).removeprefix(settings.FRESHLINE_PUBLIC_URL.rstrip("/"))
    for query, ready in (
        ("", None),
        ("?do=acknowledge", r"autofocus>\s*Acknowledge"),
        ("?do=silence", r"<details [^>]*open><summary class=\"button\">Silence"),
    ):
        answer = operator.get(link + query, follow=True)
        assert answer.redirect_chain == [(page_of(stale) + query, 302)]
        assert f"INC-{stale.number}" in words(answer)
        if ready:
            assert re.search(ready, text_of(answer))


def test_the_link_survives_signing_in(stale, client):
    answer = client.get(f"/incidents/INC-{stale.number}?do=acknowledge")
    assert answer["Location"] == f"/sign-in?next=%2Fincidents%2FINC-{stale.number}%3Fdo%3Dacknowledge"


def test_a_prepared_action_is_not_prepared_again_by_the_refresh(stale, operator):
    html = text_of(operator.get(f"{page_of(stale)}?do=silence"))
    assert f'hx-get="{page_of(stale)}"' in html
