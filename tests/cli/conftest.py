"""The command, speaking to the control plane's real HTTP interface in this process."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml
from django.contrib.auth import get_user_model
from django.test import Client

from controlplane.accounts import selectors
from controlplane.accounts.services import tokens
from controlplane.cli.main import main
from controlplane.ingestion.services import store as stores
from controlplane.kernel import clock
from tests.permissions.callers import Callers
from tests.permissions.house import FLIGHTS, NOW, Things, build_side

FEAST_REGISTRY = Path(__file__).parents[1] / "golden" / "feast_registry_stock.db"
FEAST_SETTINGS = {
    "project": "driver_repo",
    "registry": "data/registry.db",
    "provider": "local",
    "entity_key_serialization_version": 3,
}


class Web(httpx.BaseTransport):
    """Carries requests into Django without a socket, inside the test's transaction."""

    def handle_request(self, request):
        answer = Client().generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            content_type=request.headers.get("Content-Type", ""),
            headers={
                name: request.headers[name] for name in ("authorization", "host") if name in request.headers
            },
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Site(httpx.BaseTransport):
    """The control plane answers under its own name, serving by ``answers`` (path -> status, body)."""

    def __init__(self):
        self.web = Web()
        self.answers: dict[str, tuple[int, object]] = {"/ready": (200, {"ready": True})}
        self.bodies: dict[str, bytes] = {}  # what serving answers in place of JSON
        self.asked: list[httpx.Request] = []

    def handle_request(self, request):
        self.asked.append(request)
        if request.url.path in self.bodies:
            return httpx.Response(200, content=self.bodies[request.url.path], request=request)
        if request.url.host == "serving.example":
            status, body = self.answers[request.url.path]
            return httpx.Response(status, json=body, request=request)
        if request.url.host != "freshline.example":
            raise httpx.ConnectError("connection refused", request=request)
        return self.web.handle_request(request)


@dataclass
class Cli:
    """``run`` returns what the process would exit with, and keeps what it printed."""

    capsys: pytest.CaptureFixture
    site: Site
    variables: dict[str, str]
    things: Things
    view: str = FLIGHTS.view
    out: str = ""
    err: str = ""
    documents: list = field(default_factory=list)

    def run(self, *words, **variables):
        self.capsys.readouterr()
        try:
            code = main(words, variables=self.variables | variables, transport=self.site)
        except SystemExit as wrong:  # argparse says what is wrong and leaves
            code = wrong.code
        self.out, self.err = self.capsys.readouterr()
        return code

    def json(self, *words):
        assert self.run(*words, "--json") == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def cli(tmp_path, settings, db, capsys):
    settings.STORE_URL = f"sqlite://{tmp_path}/store.sqlite3"
    settings.STATE_URL = f"file://{tmp_path}/state"
    settings.FRESHLINE_SOURCE_ROOTS = [tmp_path / "data"]
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = ["freshline.example", "127.0.0.1"]
    stores.forget_layouts()
    with clock.fixed(NOW):
        callers = Callers()
        callers.meet_all()
        things = build_side(FLIGHTS, token_of="admin")
        bearer = callers.by_name["a token of a admin of the project"].client.defaults["HTTP_AUTHORIZATION"]
        variables = {
            "FRESHLINE_URL": "http://freshline.example/",
            "FRESHLINE_SERVING_URL": "http://serving.example",
            "FRESHLINE_TOKEN": bearer.removeprefix("Bearer "),
            "FRESHLINE_PROJECT": FLIGHTS.project,
        }
        yield Cli(capsys, Site(), variables, things)


@pytest.fixture
def repository(tmp_path):
    """A Feast repository as `feast apply` leaves it."""

    def make(settings=FEAST_SETTINGS):
        folder = tmp_path / "feature_repo"
        (folder / "data").mkdir(parents=True)
        shutil.copy(FEAST_REGISTRY, folder / "data" / "registry.db")
        (folder / "feature_store.yaml").write_text(
            settings if isinstance(settings, str) else yaml.safe_dump(settings)
        )
        return folder

    return make


@pytest.fixture
def administrator(cli):
    """The command with the token of somebody who may make projects."""
    user = get_user_model().objects.filter(is_superuser=True).first()
    made = tokens.create_token(
        selectors.principal_of_user(user),
        name="t",
        scopes=("read", "register", "admin"),
        projects=(),
        now=clock.now(),
        never_expires=True,
    )
    cli.variables["FRESHLINE_TOKEN"] = made.secret
    return cli
