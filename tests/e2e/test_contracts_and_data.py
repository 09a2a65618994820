"""From a definition to lookups under its contract, by HTTP alone, with names made up at run time."""

import secrets
import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.house import House, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROWS = 1_000


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("e2e") / "home")
    made.up()
    yield made
    made.down()


class Story:
    """One project with one direct view and three services with different demands."""

    def __init__(self, house):
        self.house = house
        mark = secrets.token_hex(4)
        self.project, self.view = f"shop_{mark}", f"basket_{mark}"

    def definition(self, *, max_age="1h", **terms):
        feature = {"name": "amount", "dtype": "float64", "nullable": False, "min": 0, "default": -1.0 + 1.0}
        view = {
            "name": self.view,
            "entities": ["user"],
            "owner": "baskets",
            "features": [feature, {"name": "label", "dtype": "string", "nullable": True, "default": "none"}],
            "freshness": {"max_age": max_age},
            "direct": True,
        } | terms
        services = [
            {"name": name, "features": [f"{self.view}:amount", f"{self.view}:label"]} | demands
            for name, demands in {
                "strict": {"max_age": "5m", "on_stale": "reject"},
                "middling": {"max_age": "30m", "on_stale": "default"},
                "patient": {"max_age": "24h", "on_stale": "serve"},
                "nulling": {"max_age": "5m", "on_stale": "null"},
                "serving": {"max_age": "5m", "on_stale": "serve"},
            }.items()
        ]
        return {
            "version": 1,
            "project": self.project,
            "entities": [
                {"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}], "owner": "baskets"}
            ],
            "feature_views": [view],
            "feature_services": services,
        }

    def apply(self, **changes):
        return self.house.api("POST", f"projects/{self.project}/apply", self.definition(**changes))

    def post(self, rows):
        return self.house.api(
            "POST", f"projects/{self.project}/feature-views/{self.view}/rows", {"rows": rows}
        )

    def ask(self, users, **what):
        what = what or {"features": [f"{self.view}:amount", f"{self.view}:label"]}
        body = {"project": self.project, "entities": {"user_id": users}} | what
        return self.house.lookup("v1/lookup", body, Freshline_Project=self.project)

    def columns(self, users, **what):
        status, answer = self.ask(users, **what)
        return (
            status,
            {column["name"].split("__")[-1]: column for column in answer.get("columns", [])},
            answer,
        )


@pytest.fixture(scope="module")
def story(house):
    made = Story(house)
    status, answer = made.apply()
    assert status == 200, answer
    return made


def served(story, users, **what):
    def found():
        status, columns, _ = story.columns(users, **what)
        return columns if status == 200 else None

    return eventually(found, within=10)


def test_a_thousand_rows_are_served_equal_and_fresh(story):
    status, answer = story.post([{"user_id": n, "amount": n / 8, "label": f"u{n}"} for n in range(ROWS)])
    assert (status, answer.get("written"), answer.get("refused")) == (200, ROWS, [])
    columns = served(story, list(range(ROWS)))
    assert columns["amount"]["values"] == [n / 8 for n in range(ROWS)]
    assert columns["label"]["values"] == [f"u{n}" for n in range(ROWS)]
    assert set(columns["amount"]["verdicts"]) == {"fresh"}


def test_services_with_different_demands_get_different_answers_for_one_key(story):
    then = (datetime.now(UTC) - timedelta(minutes=50)).isoformat()
    assert story.post([{"user_id": 5_000, "amount": 7.5, "label": "old", "event_time": then}])[0] == 200
    served(story, [5_000], feature_service="patient")
    answers = {}
    for service in ("strict", "middling", "patient", "nulling", "serving"):
        _, columns, answer = story.columns([5_000], feature_service=service)
        answers[service] = (
            columns["amount"]["values"][0],
            columns["amount"]["verdicts"][0],
            len(answer["rejected"]),
        )
    assert answers == {
        "strict": (None, "stale", 1),
        "middling": (0.0, "stale", 0),
        "patient": (7.5, "fresh", 0),
        "nulling": (None, "stale", 0),
        "serving": (7.5, "stale", 0),
    }


def test_feast_s_shape_says_outside_max_age(story):
    body = {"feature_service": "serving", "entities": {"user_id": [5_000, 999_999]}}
    status, answer = story.house.lookup("get-online-features", body, Freshline_Project=story.project)
    assert status == 200
    by_name = dict(zip(answer["metadata"]["feature_names"], answer["results"], strict=True))
    assert by_name["amount"]["statuses"] == ["OUTSIDE_MAX_AGE", "NOT_FOUND"]


def test_a_changed_contract_is_in_force_within_two_seconds(story):
    then = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    story.post([{"user_id": 6_000, "amount": 1.0, "event_time": then}])
    eventually(lambda: story.columns([6_000])[1]["amount"]["verdicts"] == ["fresh"], within=5)
    assert story.apply(max_age="9m")[0] == 200
    eventually(lambda: story.columns([6_000])[1]["amount"]["verdicts"] == ["stale"], within=2)


def test_a_refused_row_says_which_field_and_why(story):
    status, answer = story.post([{"user_id": 1, "amount": -1.0}, {"user_id": 2, "amount": 3.0}])
    assert (status, answer["written"]) == (200, 1)
    (refused,) = answer["refused"]
    assert (refused["index"], refused["field"]) == (0, "amount")
    assert "0" in refused["message"]


def test_of_two_applies_at_once_one_wins_and_bundle_numbers_have_no_gap(story):
    before = story.apply(max_age="9m")[1]["bundle"]["number"]
    answers = []
    barrier = threading.Barrier(2)

    def go(max_age):
        plan = story.house.api("POST", f"projects/{story.project}/plan", story.definition(max_age=max_age))[1]
        barrier.wait()
        path = f"projects/{story.project}/apply?plan={plan['digest']}"
        answers.append(story.house.api("POST", path, story.definition(max_age=max_age)))

    threads = [threading.Thread(target=go, args=(age,)) for age in ("8m", "7m")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200, 409]
    winner = next(answer for status, answer in answers if status == 200)
    assert winner["bundle"]["number"] == before + 1
