"""The house: two projects, everybody who may come, and the OpenAPI document that the server answers."""

import functools
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

from controlplane.ingestion.services import store as stores
from controlplane.kernel import clock
from tests.permissions import house
from tests.permissions.callers import Caller, Callers
from tests.permissions.house import FLIGHTS, NOW, TRAINS, Side, Things


@functools.cache  # writing it takes longer than building the house, and it is the same for all
def _document() -> dict:
    return Client().get("/api/v1/schema?format=json").json()


@dataclass(frozen=True)
class House:
    callers: dict[str, Caller]
    things: dict[Side, Things]
    connection: int
    document: dict

    def operations(self) -> dict[str, dict]:
        """The operations of the OpenAPI document, by "GET /api/v1/..."."""
        return {
            f"{method.upper()} {path}": operation
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            if method in ("get", "post", "put", "patch", "delete")
        }

    @contextmanager
    def undone(self):
        """Whatever happens to the database inside is undone."""
        with transaction.atomic():
            yield
            transaction.set_rollback(True)


@pytest.fixture
def the_house(tmp_path: Path, settings, db):
    (tmp_path / "manifest.json").write_text(
        '{"static_src/main.ts": {"file": "m.js"}, "static_src/lineage.ts": {"file": "l.js"}, '
        '"static_src/main.css": {"file": "m.css"}}'
    )
    settings.STORE_URL = f"sqlite://{tmp_path}/store.sqlite3"
    settings.STATE_URL = f"file://{tmp_path}/state"
    settings.FRESHLINE_SOURCE_ROOTS = [tmp_path / "data"]
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]
    settings.FRESHLINE_RATE_LIMIT = 1_000_000
    settings.FRESHLINE_SERVING_URL = f"http://{house.NOWHERE}"
    settings.FRONTEND_DIST = tmp_path
    stores.forget_layouts()
    with clock.fixed(NOW):
        callers = Callers()
        callers.meet_all()
        things = {
            FLIGHTS: house.build_side(FLIGHTS, token_of="admin"),
            TRAINS: house.build_side(TRAINS, token_of="other"),
        }
        yield House(callers.by_name, things, house.build_connection(), _document())
