"""The playground where serving asks for a token: a real HTTP server stands in for serving."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from controlplane.accounts.domain import Role
from controlplane.kernel import clock
from tests.frontend.live import person, text_of
from tests.frontend.test_pages_live import ANSWER, apply
from tests.registry.story import FLIGHTS, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "registered")]
FORM = {"target": "carrier_delays", "feature": "avg_dep_delay", "keys": "AA\nZZ"}
SECRET = "fl_the_right_token"
STATUSES = {"": 401, "Bearer fl_unknown": 401, "Bearer fl_foreign": 403, f"Bearer {SECRET}": 200}


@pytest.fixture
def registered(db):
    with clock.fixed(NOW):
        apply(FLIGHTS)
        yield


@pytest.fixture
def serving(settings):
    """Serving that looks up for one token only, as FRESHLINE_LOOKUP_AUTH=required makes it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers.get("Authorization", ""))
            status = STATUSES[asked[-1]]
            body = json.dumps(ANSWER if status == 200 else {"detail": "no"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.FRESHLINE_SERVING_URL = f"http://127.0.0.1:{server.server_port}"
    yield asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def operator():
    return person("olga", Role.OPERATOR)


def look_up(client, token=""):
    return client.post("/p/flights/playground", {**FORM, "token": token})


def test_with_the_token_of_the_person_the_lookup_is_made(operator, serving):
    response = look_up(operator, f"  {SECRET} ")
    assert text_of(response).count('data-testid="value"') == 2
    assert serving == [f"Bearer {SECRET}"]


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("", "Serving looks up for tokens only"),
        ("fl_unknown", "Serving does not know this token"),
        ("fl_foreign", "This token may not look up in project flights"),
    ],
)
def test_without_the_right_token_the_page_says_which_is_needed(operator, serving, token, told):
    html = text_of(look_up(operator, token))
    assert told in html
    field = html.split('id="token-hint"')[0].rsplit("<details", 1)[1]
    assert "open" in field.split(">")[0], "what is wrong is not folded away"
    assert "carrier=" not in html.split("<textarea")[1].split(">")[0]
    assert "AA" in html.split("<textarea")[1], "what was typed is still there"


def test_a_token_is_never_put_back_into_the_page_or_kept(operator, serving):
    for token in (SECRET, "fl_unknown"):
        response = look_up(operator, token)
        assert token not in text_of(response)
        assert response["Cache-Control"] == "no-store"
    assert SECRET not in str(dict(operator.session))
    assert SECRET not in text_of(operator.get("/p/flights/playground"))


def test_the_examples_name_the_variable_and_not_the_token(operator, serving):
    assert "$FRESHLINE_TOKEN" in text_of(look_up(operator, SECRET))
