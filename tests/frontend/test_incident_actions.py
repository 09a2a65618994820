"""What people do to incidents on pages, who may, and where the links in messages lead."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client

from controlplane.accounts.models import AuditEntry
from monitors.models import Silence
from monitors.services.storytelling import link_to
from tests.frontend.live import text_of, words
from tests.monitors.story import MINUTE, NOON, breach, recover

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "flights")]
INBOX = "/p/flights/incidents"


def page_of(incident):
    return f"{INBOX}/INC-{incident.number}"


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


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(stale, client):
    page = page_of(stale)
    own = client.post(f"{page}/acknowledge", headers={"referer": f"http://testserver{page}?do=acknowledge"})
    assert own["Location"] == f"/sign-in?next={quote(page, safe='')}"
    foreign = client.post(f"{page}/acknowledge", headers={"referer": "https://elsewhere.example/a"})
    assert foreign["Location"] == "/sign-in?next=%2F"


def test_the_address_of_a_form_opened_as_a_page_says_so(stale, operator):
    answer = operator.get(f"{page_of(stale)}/acknowledge")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Only by its form" in text_of(answer)


def test_a_prepared_action_is_not_prepared_again_by_the_refresh(stale, operator):
    html = text_of(operator.get(f"{page_of(stale)}?do=silence"))
    assert f'hx-get="{page_of(stale)}"' in html


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("resolve", {"reason": "\x00\x07"}),
        ("note", {"text": "\x00 \x1b"}),
        ("silence", {"for": "15m", "reason": "\x00"}),
    ],
)
def test_a_reason_of_nothing_that_can_be_seen_is_refused(stale, operator, action, form):
    told = words(operator.post(f"{page_of(stale)}/{action}", form, follow=True))
    assert "write 1 to" in told or "say why" in told
    stale.refresh_from_db()
    assert stale.state == "open" and not Silence.objects.exists()
