"""Every example of the OpenAPI document is sent, and every answer has the shape that its example shows."""

import json

import pytest
from django.test import Client

from controlplane.kernel import clock
from tests.monitors.story import breach, cause
from tests.permissions.callers import Callers
from tests.permissions.house import NOW

pytestmark = pytest.mark.django_db
PATH = {"project": "flights", "view": "carrier_delays"}
# Applying makes what the others are about.
IN_ORDER = ("projects_apply", "projects_plan", "rows", "heartbeat", "lineage", "acknowledge")


@pytest.fixture
def root(tmp_path, settings):
    settings.STORE_URL = f"sqlite://{tmp_path}/store.sqlite3"
    callers = Callers()
    with clock.fixed(NOW):
        callers.meet_all()
        yield callers.by_name["the administrator"].client


def examples():
    """(call, request example or None, response examples by status), for every operation that has some."""
    document = Client().get("/api/v1/schema?format=json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            sent = [example["value"] for example in body.get("examples", {}).values()]
            answered = {
                int(status): example["value"]
                for status, answer in operation["responses"].items()
                for example in answer.get("content", {})
                .get("application/json", {})
                .get("examples", {})
                .values()
            }
            if sent or answered:
                yield operation["operationId"], method, path, sent or [None], answered


def shape(value):
    """Return what of a document stays the same from answer to answer; null stands for anything."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def agree(found, shown):
    """Whether an answer has the shape of an example; lists may be empty, and values null, on either side."""
    if found == "NoneType" or shown == "NoneType" or [] in (found, shown):
        return True
    if isinstance(found, dict) and isinstance(shown, dict):
        return found.keys() == shown.keys() and all(agree(found[name], shown[name]) for name in found)
    if isinstance(found, list) and isinstance(shown, list):
        return agree(found[0], shown[0])
    return found == shown


def order(operation):
    return next(index for index, word in enumerate(IN_ORDER) if word in operation[0])


def test_every_example_is_right(root):
    documented = sorted(examples(), key=order)
    assert len(documented) == len(IN_ORDER)
    for name, method, path, sent, answered in documented:
        if "{number}" in path:
            number = breach(project="flights", causes=[cause()]).number
        for body in sent:
            address = path.format(**PATH, number=number if "{number}" in path else 0)
            data = "" if body is None else json.dumps(body)
            answer = root.generic(method.upper(), address, data, content_type="application/json")
            assert answer.status_code in (answered or {204}), (name, answer.content)
            if answered:
                shown = answered[answer.status_code]
                assert agree(shape(answer.json()), shape(shown)), (name, answer.json(), shown)


def test_the_example_of_rows_tells_the_very_counts_and_the_refused_row(root):
    by_name = {name: (path, sent, answered) for name, _, path, sent, answered in examples()}
    (apply, rows) = (next(v for k, v in by_name.items() if word in k) for word in ("projects_apply", "rows"))
    root.generic("POST", apply[0].format(**PATH), json.dumps(apply[1][0]), content_type="application/json")
    answer = root.generic(
        "POST", rows[0].format(**PATH), json.dumps(rows[1][0]), content_type="application/json"
    )
    assert answer.json() == rows[2][200]
