"""What a ``read`` token may not see: feature values, secrets, and whatever belongs to another project.

The house is full of canaries: every name of project trains says zebra, every value says value-canary, every
secret says canary too. All that answers GET is read, by every caller who knows project flights alone.
"""

import json

import pytest

from controlplane.accounts.domain import Role
from controlplane.accounts.models import Token
from monitors.models import Channel
from tests.permissions.asking import ask
from tests.permissions.house import CONNECTION_PASSWORD, FLIGHTS, TRAINS

pytestmark = pytest.mark.django_db
QUERIES = (
    "?children=true",
    "?limit=200",
    f"?project={TRAINS.project}",
    f"?q={TRAINS.word}",
    f"?view={TRAINS.view}",
)


def answers_to(the_house, client, side=FLIGHTS, *, queries=()):
    """Every GET of the document about ``side`` with its text, asked plainly; and lists with each query."""
    for call in the_house.operations():
        if call.startswith("GET"):
            with the_house.undone():
                answer = ask(client, call, side, the_house.things[side], the_house.connection)
                text = _text(answer)
                yield call, text
                for query in queries if '"items"' in text else ():
                    yield call + query, _text(client.get(answer.request["PATH_INFO"] + query))


def _text(answer):
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode() + json.dumps(dict(answer.headers))


def secrets():
    """Everything that nobody is ever shown again."""
    digests = list(Token.objects.values_list("digest", flat=True))
    sealed = list(Channel.objects.values_list("sealed_config", flat=True))
    return [CONNECTION_PASSWORD, FLIGHTS.secret, TRAINS.secret, *digests, *sealed]


def found(texts, words):
    """Which words are found where, so that a failure names them."""
    return [(call, word) for call, text in texts for word in words if word in text]


def who_know_flights_alone(the_house):
    """One of each role, and a token that is bound: what their tokens see is what they see."""
    return [
        (name, caller)
        for name, caller in the_house.callers.items()
        if set(caller.roles or ()) == {FLIGHTS.project} and not name.startswith("a token of")
    ]


def test_a_read_token_sees_no_value_and_no_secret(the_house):
    reader = the_house.callers["a token with the scope read"].client
    texts = [each for side in (FLIGHTS, TRAINS) for each in answers_to(the_house, reader, side)]
    assert len([text for _, text in texts if FLIGHTS.word in text]) > 20, "the crawl has seen something"
    assert not found(texts, [FLIGHTS.value, TRAINS.value, *secrets()])


def test_refused_payloads_are_for_the_scope_lookup(the_house):
    admin = the_house.callers["a viewer of the project"].client
    (item,) = admin.get(f"/api/v1/projects/{FLIGHTS.project}/refused-rows").json()["items"]
    assert FLIGHTS.value in item["payload"]


def test_nobody_is_shown_a_secret(the_house):
    """The bundle alone names digests of lookup tokens, to serving: that is how serving knows them."""
    for name, caller in the_house.callers.items():
        if caller.highest is not None and not name.startswith("a token of"):
            texts = [
                (call, text) for call, text in answers_to(the_house, caller.client) if "bundle" not in call
            ]
            assert not found(texts, secrets()), name


def test_the_bundle_is_for_serving_and_the_administrator(the_house):
    bundles = {
        name: caller.client.get("/api/v1/serving/bundle") for name, caller in the_house.callers.items()
    }
    readers = {name for name, answer in bundles.items() if answer.status_code == 200}
    assert readers == {"a token with the scope serving", "the administrator"}
    for name in readers:
        unsaid = [CONNECTION_PASSWORD, FLIGHTS.secret, TRAINS.secret, FLIGHTS.value, TRAINS.value]
        assert not found([(name, bundles[name].content.decode())], unsaid)


def test_who_knows_one_project_sees_nothing_of_another(the_house):
    callers = who_know_flights_alone(the_house)
    assert {caller.highest for _, caller in callers} == set(Role)
    for name, caller in callers:
        texts = answers_to(the_house, caller.client, queries=QUERIES)
        assert not found(texts, [TRAINS.word, TRAINS.project]), name


def test_asked_about_another_project_nothing_but_its_absence_is_told(the_house):
    """What was asked for may be repeated to who asked; nothing else of the project is in the answer."""
    for name, caller in who_know_flights_alone(the_house):
        for call, text in answers_to(the_house, caller.client, TRAINS):
            said = text.replace(TRAINS.project, "").replace(TRAINS.view, "").replace(TRAINS.entity, "")
            said = said.replace(TRAINS.source, "").replace(TRAINS.service, "").replace(TRAINS.team, "")
            assert TRAINS.word not in said, (name, call, said)


def test_what_is_foreign_and_what_does_not_exist_are_told_in_the_same_words(the_house):
    """A number that a stranger guesses right is answered like one that was never given out."""
    guesser = the_house.callers["a token bound to this project"].client
    foreign = the_house.things[TRAINS]
    numbers = {
        "/api/v1/runs/{}": foreign.failed_run,
        "/api/v1/incidents/{}": foreign.incident,
        "/api/v1/channels/{}": foreign.channel,
        "/api/v1/silences/{}": foreign.silence,
        f"/api/v1/projects/{FLIGHTS.project}/monitors/{{}}": foreign.monitor,
    }
    for path, number in numbers.items():
        there, nowhere = guesser.get(path.format(number)), guesser.get(path.format(10**9))
        assert (there.status_code, nowhere.status_code) == (404, 404), path
        said = there.json()["detail"].replace(str(number), "N")
        assert said == nowhere.json()["detail"].replace(str(10**9), "N"), path
    node = "/api/v1/lineage/{}?node=view:trains/{}"
    for kind in ("graph", "impact", "root-cause"):
        there = guesser.get(node.format(kind, TRAINS.view))
        nowhere = guesser.get(node.format(kind, "zebra_nothing"))
        assert (there.status_code, nowhere.status_code) == (404, 404)
        said = there.json()["detail"].replace(TRAINS.view, "N")
        assert said == nowhere.json()["detail"].replace("zebra_nothing", "N"), kind
