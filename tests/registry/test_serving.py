"""The bundle as serving gets it, and what serving says of it."""

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from django.db import connection

from controlplane.accounts.models import Token
from controlplane.kernel import clock
from controlplane.registry import selectors
from controlplane.registry.models import Bundle, Registry
from controlplane.registry.services.acknowledgements import KEPT, sweep_acknowledgements
from controlplane.registry.services.bundles import refresh_bundle
from tests.registry.story import NOW, flights

pytestmark = pytest.mark.django_db
BUNDLE = "/api/v1/serving/bundle"
ACKNOWLEDGEMENTS = "/api/v1/serving/acknowledgements"


def test_the_bundle_comes_byte_for_byte_with_its_digest_as_etag(root):
    root.apply()
    answer = root.get(BUNDLE)
    assert answer.status_code == 200
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer["ETag"] == f'"{digest}"'
    assert answer["Freshline-Bundle-Number"] == "1"
    document = json.loads(answer.content)
    assert (document["number"], document["registry"]) == (1, selectors.registry_id())
    assert document["default_project"] == "flights"
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert answer.content == canonical.encode()


def test_a_fresh_installation_has_a_bundle_with_nothing_in_it(root):
    answer = root.get(BUNDLE)
    assert (answer.status_code, answer["Freshline-Bundle-Number"]) == (200, "1")
    assert json.loads(answer.content)["projects"] == {}


def test_who_knows_the_bundle_is_told_that_it_is_still_the_newest(root):
    known = root.get(BUNDLE)["ETag"]
    for header in (known, f"W/{known}", f'"other", {known}'):
        answer = root.get(BUNDLE, if_none_match=header)
        assert (answer.status_code, answer.content) == (304, b"")
        assert (answer["ETag"], answer["Freshline-Bundle-Number"]) == (known, "1")
    assert root.get(BUNDLE, if_none_match='"other"').status_code == 200


@pytest.mark.parametrize("wait", ["61s", "2m", "soon", "0s", "30"])
def test_a_wait_that_is_none_is_refused(root, wait):
    assert root.get(f"{BUNDLE}?wait={wait}").status_code == 422


@pytest.fixture
def naps(monkeypatch):
    """Replace sleeping by a list of naps; each may do something."""
    from controlplane.registry.api import serving

    taken = []
    duties = {}

    def nap(seconds):
        taken.append(seconds)
        duties.get(len(taken), lambda: None)()

    monkeypatch.setattr(serving.time, "sleep", nap)
    return taken, duties


def test_a_wait_ends_with_304_when_nothing_comes(root, naps):
    known = root.get(BUNDLE)["ETag"]
    assert root.get(f"{BUNDLE}?wait=3s", if_none_match=known).status_code == 304
    assert sum(naps[0]) == pytest.approx(3)


def test_a_wait_ends_at_once_with_a_new_bundle(root, naps):
    known = root.get(BUNDLE)["ETag"]
    naps[1][4] = root.apply
    answer = root.get(f"{BUNDLE}?wait=30s", if_none_match=known)
    assert (answer.status_code, answer["Freshline-Bundle-Number"]) == (200, "2")
    assert len(naps[0]) == 4


def test_a_wait_holds_no_transaction(root, naps, transactional_db):
    known = root.get(BUNDLE)["ETag"]
    held = []
    naps[1][1] = lambda: held.append(connection.in_atomic_block)
    root.get(f"{BUNDLE}?wait=1s", if_none_match=known)
    assert held == [False]


def test_a_new_lookup_token_reaches_a_waiting_process_in_two_seconds(root, naps, make_token):
    known = root.get(BUNDLE)["ETag"]
    naps[1][1] = lambda: make_token("lookup")
    answer = root.get(f"{BUNDLE}?wait=30s", if_none_match=known)
    assert answer.status_code == 200
    assert len(json.loads(answer.content)["tokens"]) == 1
    assert sum(naps[0]) <= 2


def test_tokens_that_come_and_go_make_bundles_and_others_do_not(root, make_token):
    root.apply()
    assert refresh_bundle(now=clock.now()) == 1
    make_token("read")
    assert refresh_bundle(now=clock.now()) == 1
    make_token("lookup", projects=["flights"])
    assert refresh_bundle(now=clock.now()) == 2
    assert refresh_bundle(now=clock.now()) == 2
    (token,) = json.loads(selectors.current_bundle().body)["tokens"]
    assert token["projects"] == ["flights"]
    assert token["sha256"] == Token.objects.get(projects=["flights"]).digest
    Token.objects.filter(projects=["flights"]).update(revoked_at=clock.now())
    assert refresh_bundle(now=clock.now()) == 3
    assert json.loads(selectors.current_bundle().body)["tokens"] == []


def test_a_token_leaves_the_bundle_when_it_expires(root, make_token):
    make_token("lookup")
    Token.objects.filter(scopes=["lookup"]).update(expires_at=NOW + timedelta(hours=1))
    with clock.fixed(NOW):
        assert refresh_bundle(now=NOW) == 1
    assert refresh_bundle(now=NOW + timedelta(hours=1)) == 2


def test_looking_whether_tokens_changed_is_cheap(root, django_assert_max_num_queries):
    root.apply()
    with django_assert_max_num_queries(3):
        refresh_bundle(now=clock.now())


def test_bodies_of_old_bundles_go_and_their_numbers_stay(root):
    for number in range(25):
        root.apply(flights(feature_views=[], feature_services=[], project="flights", sources=[], entities=[]))
        root.put(f"/api/v1/projects/p{number}")
    assert list(Bundle.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 27))
    kept = [row.number for row in Bundle.objects.order_by("number") if bytes(row.body)]
    assert kept == list(range(7, 27))
    assert Registry.objects.get().bundle_number == 26


SAID = {
    "instance": "edge-1f",
    "digest": "a" * 64,
    "number": 3,
    "loaded_at_us": 1_795_000_000_000_000,
    "refused": None,
    "build": "v1",
}


def test_a_process_is_gone_when_three_of_its_reports_are_missing(root):
    with clock.fixed(NOW):
        root.post(ACKNOWLEDGEMENTS, SAID)
    (instance,) = selectors.serving_instances(since=NOW)
    assert timedelta(minutes=3) == selectors.GONE_AFTER
    assert not instance.is_gone(now=NOW + selectors.GONE_AFTER)
    assert instance.is_gone(now=NOW + selectors.GONE_AFTER + timedelta(microseconds=1))


def test_the_last_acknowledgement_of_each_process_is_kept(root):
    assert root.post(ACKNOWLEDGEMENTS, SAID).status_code == 204
    refused = {"digest": "b" * 64, "reason": "an older number"}
    with clock.fixed(NOW):
        assert root.post(ACKNOWLEDGEMENTS, SAID | {"number": 4, "refused": refused}).status_code == 204
    assert selectors.serving_instances(since=NOW + timedelta(seconds=1)) == []
    (instance,) = selectors.serving_instances(since=NOW)
    assert (instance.instance, instance.bundle_number, instance.build) == ("edge-1f", 4, "v1")
    assert (instance.refused_digest, instance.refused_reason) == ("b" * 64, "an older number")
    assert sweep_acknowledgements(now=NOW + KEPT) == 0
    assert sweep_acknowledgements(now=NOW + KEPT + timedelta(seconds=1)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"digest": "x"},
        {"number": -1},
        {"number": 2**31},
        {"instance": ""},
        {"loaded_at_us": None},
        {"refused": {}},
    ],
)
def test_an_acknowledgement_that_makes_no_sense_is_refused(root, wrong):
    answer = root.post(ACKNOWLEDGEMENTS, SAID | wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].split(".")[0] in wrong


@pytest.mark.django_db(transaction=True)
def test_two_first_readers_at_once_get_the_same_bundle(root):
    numbers = []

    def read():
        numbers.append(refresh_bundle(now=NOW))
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert numbers == [1, 1, 1, 1]
    assert Bundle.objects.count() == 1
