"""How each call is asked: paths filled in with real things, and bodies that are right.

A call that is not named here has no body, and its path is filled in from ``Side`` and ``Things``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.permissions.house import NOW, NOWHERE, Side, Things, definition, entity, event, observed, row
from tests.permissions.house import service as service_of
from tests.permissions.house import source as source_of
from tests.permissions.house import view as view_of
from tests.registry.importers.registry_bytes import registry

API = "/api/v1"
PROJECT = f"{API}/projects/{{project}}"
VIEW = f"{PROJECT}/feature-views/{{view}}"
LATER = (NOW + timedelta(hours=1)).isoformat()


@dataclass(frozen=True)
class Asked:
    """What a call needs besides its path. Each part is made of the side and its things."""

    body: Callable[[Side, Things], Any] = lambda side, things: None
    query: Callable[[Side], str] = lambda side: ""
    path: Callable[[Side, Things], Mapping[str, object]] = lambda side, things: {}
    headers: Callable[[Side], Mapping[str, str]] = lambda side: {}


def _body(make: Callable[[Side, Things], Any]) -> Asked:
    return Asked(body=make)


def _definition(make: Callable[[Side], Any]) -> Asked:
    return Asked(body=lambda side, things: make(side))


def _named(name: Callable[[Side], str], make: Callable[[Side], Any] | None = None) -> Asked:
    return Asked(
        path=lambda side, things: {"name": name(side)},
        body=lambda side, things: make(side) if make else None,
    )


def _node(side: Side) -> str:
    return f"?node=view:{side.project}/{side.view}"


def _run(number: Callable[[Things], int]) -> Asked:
    return Asked(path=lambda side, things: {"run_id": number(things)})


def _objects(kind: str, name: Callable[[Side], str], make: Callable[[Side], Any]) -> dict[str, Asked]:
    path = f"{PROJECT}/{kind}/{{name}}"
    return {f"GET {path}": _named(name), f"PUT {path}": _named(name, make), f"DELETE {path}": _named(name)}


def _as_feast(body: Callable[[Side], Any], query: str = "") -> Asked:
    """Feast's addresses name no project."""
    return Asked(
        body=lambda side, things: body(side),
        query=lambda side: query,
        headers=lambda side: {"Freshline-Project": side.project},
    )


def _frame(side: Side) -> dict[str, Any]:
    return {name: [value] for name, value in row(side, event_timestamp="2026-11-23T11:59:00").items()}


def _silence(side: Side, things: Things) -> dict[str, Any]:
    matchers = [{"label": "project", "op": "=", "value": side.project}]
    return {"matchers": matchers, "ends_at": LATER, "reason": "works"}


def _channel(side: Side, things: Things) -> dict[str, Any]:
    config = {"routing_key": "r" * 32, "url": f"http://{NOWHERE}/v2/enqueue"}
    return {"name": "pager", "kind": "pagerduty", "config": config, "project": side.project}


ASKED: dict[str, Asked] = {
    f"POST {API}/channels": _body(_channel),
    f"PUT {API}/channels/{{channel_id}}": _body(
        lambda side, things: {"config": {"url": f"http://{NOWHERE}/other"}}
    ),
    f"POST {API}/connections": _body(
        lambda side, things: {"name": "other", "kind": "redis", "url": f"redis://{NOWHERE}/0"}
    ),
    f"PATCH {API}/connections/{{connection_id}}": _body(lambda side, things: {"url": f"redis://{NOWHERE}/1"}),
    f"POST {API}/feast/push": _as_feast(
        lambda side: {"push_source_name": side.push_source, "df": _frame(side)}
    ),
    f"POST {API}/feast/write-to-online-store": _as_feast(
        lambda side: {"feature_view_name": side.view, "df": _frame(side)}
    ),
    f"POST {API}/feast/materialize": _as_feast(
        lambda side: {"start_ts": "2026-11-22", "end_ts": "2026-11-23"}, "?async=true&force=true"
    ),
    f"POST {API}/feast/materialize-incremental": _as_feast(
        lambda side: {"end_ts": "2026-11-23"}, "?async=true&force=true"
    ),
    f"POST {API}/incidents/{{number}}/note": _body(lambda side, things: {"text": "looking"}),
    f"POST {API}/incidents/{{number}}/resolve": _body(lambda side, things: {"reason": "done"}),
    f"POST {API}/lineage": _definition(event),
    f"POST {API}/lineage/batch": _definition(lambda side: [event(side)]),
    f"GET {API}/lineage/graph": Asked(query=_node),
    f"GET {API}/lineage/impact": Asked(query=_node),
    f"GET {API}/lineage/root-cause": Asked(query=_node),
    **{
        f"{method} {API}/memberships": _body(lambda side, things: {"team": side.team, "username": "viewer"})
        for method in ("POST", "DELETE")
    },
    f"POST {PROJECT}/apply": _definition(definition),
    f"POST {PROJECT}/plan": _definition(definition),
    f"POST {PROJECT}/import/feast": _definition(lambda side: registry(of=side.project)),
    **_objects("entities", lambda side: side.entity, entity),
    **_objects("sources", lambda side: side.source, source_of),
    **_objects("feature-views", lambda side: side.view, view_of),
    **_objects("feature-services", lambda side: side.service, service_of),
    f"POST {VIEW}/heartbeat": _body(lambda side, things: {"as_of": NOW.isoformat(), "writer": "w"}),
    f"POST {VIEW}/rows": _body(lambda side, things: {"rows": [row(side)]}),
    f"POST {VIEW}/runs": _body(lambda side, things: {"lane": "batch"}),
    f"GET {VIEW}/versions/{{number}}": Asked(path=lambda side, things: {"number": 1}),
    f"GET {VIEW}/versions/{{number}}/diff/{{other}}": Asked(
        path=lambda side, things: {"number": 1, "other": 1}
    ),
    f"POST {PROJECT}/monitors": _body(
        lambda side, things: {"view": side.view, "kind": "coverage", "service": side.service}
    ),
    f"PATCH {PROJECT}/monitors/{{monitor_id}}": _body(lambda side, things: {"paused": True}),
    f"POST {PROJECT}/refused-rows/redrive": _body(lambda side, things: {"ids": [things.refused_row]}),
    f"POST {API}/runs/{{run_id}}/cancel": _run(lambda things: things.queued_run),
    f"POST {API}/runs/{{run_id}}/release": _run(lambda things: things.held_run),
    f"POST {API}/runs/{{run_id}}/retry": _run(lambda things: things.failed_run),
    f"GET {API}/search": Asked(query=lambda side: f"?q={side.word}"),
    f"POST {API}/serving/acknowledgements": _body(
        lambda side, things: {"instance": "a-1", "digest": "0" * 64, "number": 1, "loaded_at_us": 1}
    ),
    f"POST {API}/serving/observations": _definition(lambda side: observed(side, sequence=2)),
    f"POST {API}/silences": _body(_silence),
    f"PUT {API}/teams/{{team}}/channels": _body(lambda side, things: {"channels": [things.channel]}),
    f"PUT {API}/teams/{{team}}/roles/{{project}}": _body(lambda side, things: {"role": "viewer"}),
    f"POST {API}/tokens": _body(
        lambda side, things: {"name": "made", "scopes": ["admin"], "projects": [side.project]}
    ),
}


def fill(side: Side, things: Things, connection: int) -> dict[str, object]:
    """What stands for each part of a path, unless a call says otherwise."""
    return {
        "project": side.project,
        "view": side.view,
        "team": side.team,
        "number": things.incident,
        "channel_id": things.channel,
        "connection_id": connection,
        "monitor_id": things.monitor,
        "run_id": things.failed_run,
        "silence_id": things.silence,
        "token_id": things.token,
    }


def ask(client: Client, call: str, side: Side, things: Things, connection: int) -> HttpResponse:
    """Send one call of the OpenAPI document about the things of ``side``."""
    method, template = call.split()
    asked = ASKED.get(call, Asked())
    path = template.format(**{**fill(side, things, connection), **asked.path(side, things)})
    body = asked.body(side, things)
    data = body if isinstance(body, bytes) else "" if body is None else json.dumps(body)
    address = f"{path}{asked.query(side)}"
    return client.generic(method, address, data, content_type="application/json", headers=asked.headers(side))
