"""What the system page says of the servers that the control plane works with."""

from celery import Celery

from frontend.readers import parts
from store_adapters.protocol import Description
from tests.registry.story import NOW

NOWHERE = "redis://:hunter2@127.0.0.1:1/0"


def test_a_store_that_answers_is_good_and_says_what_it_is(settings, tmp_path):
    settings.STORE_URL = f"sqlite://{tmp_path}/store.sqlite3"
    (part,) = parts.store_parts(now=NOW)
    assert (part.name, part.state) == ("Online store", "good")
    assert part.value.startswith("sqlite 3.") and str(tmp_path) in part.note


class Evicting:
    """A store that answers and is set up wrongly."""

    def describe(self):
        return Description("redis", "redis://r/0", "7.2", ("maxmemory-policy is allkeys-lru",), ("no AOF",))


def test_a_store_that_would_drop_rows_is_failing_although_it_answers(monkeypatch):
    monkeypatch.setattr(parts, "online_store", lambda _: Evicting())
    (part,) = parts.store_parts(now=NOW)
    assert (part.state, part.note) == ("failing", "maxmemory-policy is allkeys-lru; no AOF")


def test_a_store_that_does_not_answer_says_so_and_keeps_its_password(settings):
    settings.STORE_URL = NOWHERE
    (part,) = parts.store_parts(now=NOW)
    assert (part.state, part.value) == ("failing", "does not answer")
    assert "127.0.0.1:1/0 could not describe itself" in part.note and "hunter2" not in repr(part)


def test_every_named_store_has_its_own_line(settings, tmp_path):
    settings.STORE_URL = f"sqlite://{tmp_path}/store.sqlite3"
    settings.FRESHLINE_STORES = {"far": NOWHERE}
    own, far = parts.store_parts(now=NOW)
    assert (own.name, own.state) == ("Online store", "good")
    assert (far.name, far.state) == ("Online store far", "failing") and "hunter2" not in repr(far)


def test_a_broker_that_answers_is_good(settings, monkeypatch):
    monkeypatch.setattr(parts, "current_app", Celery(broker="memory://", set_as_current=False))
    settings.CELERY_BROKER_URL = "memory://"
    part = parts.broker_part(now=NOW)
    assert (part.state, part.value) == ("good", "memory")


def test_a_broker_that_does_not_answer_says_so_and_what_that_means(monkeypatch):
    monkeypatch.setattr(parts, "current_app", Celery(broker=NOWHERE, set_as_current=False))
    part = parts.broker_part(now=NOW)
    assert (part.state, part.value) == ("failing", "does not answer")
    assert "nothing is lost" in part.note and "hunter2" not in repr(part)
