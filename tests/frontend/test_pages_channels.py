"""Channels and silences on their page: secrets go in and never come out, and each sees what is theirs."""

from datetime import timedelta

import pytest

from controlplane.accounts.domain import Role
from controlplane.accounts.models import AuditEntry
from controlplane.accounts.services import teams
from monitors.models import Channel, Silence, TeamChannel
from monitors.services import channels as service
from monitors.services import silences
from monitors.services.sealing import unsealed_config
from tests.frontend.live import person, text_of, words
from tests.monitors.story import MINUTE, NOON, breach, pagerduty, slack
from tests.receivers import SLACK

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "flights")]
PAGE = "/settings/channels"
BUDGET = 15
SECRET = "https://hooks.example/services/T0/B0/secret"
FORM = {"name": "alerts", "kind": "slack_webhook", "secret": SECRET, "project": "", "then": "save"}


@pytest.fixture
def delays(flights):
    """The team that owns the story's view."""
    teams.ensure_team("delays", actor="test", now=NOON)


@pytest.fixture
def admin(flights):
    """An administrator of the flights project, not of the installation."""
    return person("ada", Role.ADMIN)


def silence(project="flights", *, span=timedelta(hours=1), **label):
    (name, value) = next(iter(label.items()), ("view", "carrier_delays"))
    matchers = [{"label": name, "value": value}]
    if project:
        matchers.insert(0, {"label": "project", "value": project})
    start = NOON + 2 * MINUTE
    return silences.create_silence(
        matchers=matchers, starts_at=start, ends_at=start + span, reason="reload", actor="ada", now=start
    )


def test_without_a_channel_the_page_says_what_that_means(root, operator):
    told = words(operator.get(PAGE))
    assert "No channel yet" in told and "incidents are only seen here" in told
    assert "Nothing is silenced." in told
    assert "Add a channel" not in told


def test_views_that_reach_nobody_are_counted(root, delays):
    breach()
    assert "1 view reach no channel" in words(root.get(PAGE))
    slack()
    assert "reach no channel" not in words(root.get(PAGE))


def test_a_channel_is_added_sealed_and_never_shown_again(root, delays):
    answer = root.post(PAGE, {**FORM, "team": "delays"}, follow=True)
    told = text_of(answer)
    assert "Nobody knows yet whether it works" in told
    assert "****cret" in told and "T0/B0" not in told
    assert "Untested" in told
    row = Channel.objects.get()
    assert unsealed_config(row) == {"url": SECRET}
    assert list(TeamChannel.objects.values_list("team", flat=True)) == ["delays"]
    assert "T0/B0" not in text_of(root.get(f"{PAGE}?edit={row.pk}"))
    assert "T0/B0" not in str(list(AuditEntry.objects.values()))


def test_a_channel_is_tested_as_it_is_saved(root, receiver):
    form = {**FORM, "secret": f"{receiver.url}{SLACK}", "then": "test"}
    told = words(root.post(PAGE, form))
    assert "Test through alerts: delivered in" in told
    assert "What was sent" in told and "This is a test message" in told
    assert len(receiver.messages()) == 1
    assert "Delivered" in words(root.get(PAGE))


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (404, b"no_service", "The webhook was revoked: make a new one and save it here."),
        (403, b"action_prohibited", "The receiver forbids it"),
        (302, b"", "redirects are not followed"),
        (503, b"", "The receiver is in trouble itself"),
        (429, b"", "asks for a pause"),
    ],
)
def test_a_test_that_fails_says_what_came_back_and_what_to_do(root, receiver, status, body, advice):
    receiver.script[SLACK] = [(status, {}, body)]
    row = slack(receiver.url)
    told = words(root.post(f"{PAGE}/{row.pk}/test"))
    assert f"Test through chat: HTTP {status} {body.decode()}".strip() in told
    assert advice in told
    assert "Failing" in words(root.get(PAGE))


def test_an_address_inside_is_refused_and_what_was_typed_stays_except_the_secret(root, settings):
    settings.FRESHLINE_EGRESS_ALLOW = []
    answer = root.post(PAGE, {**FORM, "secret": "http://169.254.169.254/latest/meta"})
    assert answer.status_code == 400
    html = text_of(answer)
    assert 'id="wrong-secret"' in html
    assert 'value="alerts"' in html
    assert "latest/meta" not in html
    assert not Channel.objects.exists()


def test_a_name_that_is_taken_or_missing_is_told_beside_the_field(root):
    slack(name="alerts")
    assert 'id="wrong-name"' in text_of(root.post(PAGE, FORM))
    assert 'id="wrong-name"' in text_of(root.post(PAGE, {**FORM, "name": " "}))
    assert root.post(PAGE, {**FORM, "kind": "pigeon"}).status_code == 422


def test_a_change_keeps_the_secret_unless_a_new_one_is_given(root, delays):
    other = pagerduty(team=None)
    row = slack(team=None)
    root.post(f"{PAGE}/{row.pk}/edit", {"secret": "", "fallback": other.pk, "teams": ["delays", "*"]})
    row.refresh_from_db()
    assert row.fallback == other
    assert unsealed_config(row)["url"].endswith(SLACK)
    assert sorted(TeamChannel.objects.values_list("team", flat=True)) == ["*", "delays"]
    root.post(f"{PAGE}/{row.pk}/edit", {"secret": SECRET + "2", "teams": ["delays"]})
    row.refresh_from_db()
    assert (row.fallback, unsealed_config(row)["url"]) == (None, SECRET + "2")
    assert list(TeamChannel.objects.values_list("team", flat=True)) == ["delays"]


def test_a_wrong_change_is_told_in_the_form(root):
    row = slack(team=None)
    assert 'id="wrong-fallback"' in text_of(root.post(f"{PAGE}/{row.pk}/edit", {"fallback": row.pk}))
    assert 'id="wrong-secret"' in text_of(root.post(f"{PAGE}/{row.pk}/edit", {"secret": "ftp://x"}))


def test_a_disabled_channel_stays_and_hears_of_nothing_new(root, delays):
    row = slack()
    root.post(f"{PAGE}/{row.pk}/disable")
    assert not TeamChannel.objects.exists()
    assert not breach().notifications.exists()
    entry = AuditEntry.objects.get(action="set_teams")
    assert (entry.before, entry.after) == ({"teams": ["delays"]}, {"teams": []})
    assert "No team has a channel" in text_of(root.get(PAGE))


def test_a_deleted_channel_is_gone(root):
    row = slack()
    told = words(root.post(f"{PAGE}/{row.pk}/delete", follow=True))
    assert "The channel chat is deleted." in told
    assert not Channel.objects.exists()


def test_a_channel_of_a_project_is_its_administrators_and_nobody_elses(admin, operator, outsider, root):
    made = admin.post(PAGE, {**FORM, "project": "flights"}, follow=True)
    assert "The channel alerts is saved" in words(made)
    row = Channel.objects.get()
    assert row.project == "flights"
    for action in ("test", "edit", "delete"):
        assert operator.post(f"{PAGE}/{row.pk}/{action}").status_code == 403
        assert outsider.post(f"{PAGE}/{row.pk}/{action}").status_code == 404
    assert "alerts" in words(operator.get(PAGE))
    assert "alerts" not in words(outsider.get(PAGE))
    assert Channel.objects.filter(pk=row.pk).exists()


def test_what_serves_every_project_is_the_installations_administrators(admin, operator):
    row = slack()
    assert admin.post(PAGE, FORM).status_code == 403
    assert admin.post(PAGE, {**FORM, "project": "flights", "team": "delays"}).status_code == 403
    assert admin.post(PAGE, {**FORM, "project": "trains"}).status_code == 404
    assert operator.post(PAGE, {**FORM, "project": "flights"}).status_code == 403
    for action in ("test", "edit", "disable", "delete"):
        assert admin.post(f"{PAGE}/{row.pk}/{action}").status_code == 403
    assert list(Channel.objects.all()) == [row]
    main = text_of(admin.get(PAGE)).split("<main")[1]
    assert "Send test" not in main and "every project</option>" not in main


def test_a_viewer_sees_channels_and_silences_and_no_button(viewer):
    slack()
    silence()
    main = text_of(viewer.get(PAGE)).split("<main")[1]
    assert "****cret" in main and "carrier_delays" in main
    assert 'method="post"' not in main


def test_an_operator_silences_and_ends_it(operator):
    incident = breach()
    form = {
        "project": "flights",
        "label": "view",
        "op": "=~",
        "value": "carrier.*",
        "for": "4h",
        "reason": "reload",
    }
    told = words(operator.post("/settings/silences", form, follow=True))
    assert "Silenced until 2026-11-23 16:02 UTC." in told
    assert "project = flights, view =~ carrier.* reload olga in 4 h 1" in told
    (row,) = Silence.objects.all()
    assert f"INC-{incident.number}" in words(operator.get("/p/flights/incidents?tab=silenced"))
    assert "The silence is over" in words(operator.post(f"/settings/silences/{row.pk}/end", follow=True))
    assert "Nothing is silenced." in words(operator.get(PAGE))


def test_a_silence_without_a_value_holds_back_the_whole_project(operator):
    operator.post("/settings/silences", {"project": "flights", "for": "15m", "reason": "move"})
    (row,) = Silence.objects.all()
    assert [(m["label"], m["value"]) for m in row.matchers] == [("project", "flights")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"for": "9y"}, "for: choose one of"),
        ({"reason": ""}, "reason: write 1 to"),
        ({"op": "=~", "value": "("}, "is no pattern"),
        ({"label": "mood"}, "write one of tier"),
    ],
)
def test_a_wrong_silence_is_refused_with_the_reason(operator, changes, said):
    form = {"project": "flights", "label": "view", "op": "=", "value": "v", "for": "1h", "reason": "x"}
    assert said in words(operator.post("/settings/silences", {**form, **changes}, follow=True))
    assert not Silence.objects.exists()


def test_silences_are_for_operators_of_their_project(viewer, operator, outsider):
    mine, everybodys = silence(), silence("", tier="gold")
    form = {"project": "flights", "value": "", "for": "1h", "reason": "x"}
    assert viewer.post("/settings/silences", form).status_code == 403
    assert outsider.post("/settings/silences", form).status_code == 404
    assert operator.post("/settings/silences", {**form, "project": ""}).status_code == 403
    assert viewer.post(f"/settings/silences/{mine.pk}/end").status_code == 403
    assert outsider.post(f"/settings/silences/{mine.pk}/end").status_code == 404
    assert operator.post(f"/settings/silences/{everybodys.pk}/end").status_code == 403
    assert operator.post(f"/settings/silences/{mine.pk}/extend").status_code == 404
    assert operator.post("/settings/silences/99999/end").status_code == 404
    assert Silence.objects.filter(ends_at__gt=NOON + 3 * MINUTE).count() == 2
    assert "carrier_delays" not in words(outsider.get(PAGE))


def test_the_page_is_read_in_few_queries_however_many_there_are(
    root, operator, django_assert_max_num_queries
):
    for index in range(12):
        slack(name=f"chat-{index}", team=f"team-{index}")
        silence(view=f"v{index}")
        breach(f"v{index}")
    for client in (operator, root):
        client.get(PAGE)
        with django_assert_max_num_queries(BUDGET):
            assert client.get(PAGE).status_code == 200


def test_a_channel_out_of_nothing_is_not_found(root):
    assert root.post(f"{PAGE}/999/test").status_code == 404
    row = slack()
    assert root.post(f"{PAGE}/{row.pk}/sing").status_code == 404
    assert root.get(f"{PAGE}/{row.pk}/test").status_code == 405


def test_to_set_the_same_teams_again_changes_nothing(root, delays):
    row = slack()
    service.set_channel_teams(row.pk, ["delays"], actor="ada", now=NOON)
    assert not AuditEntry.objects.filter(action="set_teams").exists()
