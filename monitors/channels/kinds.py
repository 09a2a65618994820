"""The kinds of channels: how each renders, where it sends, how it reads answers, what it must know."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from controlplane.kernel.errors import FieldError, Refused
from monitors.channels import pagerduty, slack
from monitors.channels.egress import Egress, EgressFailed, EgressRefused, Reply, check_url
from monitors.domain.messages import Story
from monitors.domain.notifications import Action, Answer, Outcome
from monitors.domain.routing import ChannelKind

Config = Mapping[str, str]
Body = dict[str, Any]
_JSON = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Freshline"}
MAX_SECRET = 2_000


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One row of the table of channels.

    ``fields``: config names, true where required; ``hinted``: the one whose end is shown. ``spacing``: the
    least time between two messages.
    """

    fields: Mapping[str, bool]
    hinted: str
    render: Callable[[Story, bool], Body]
    request: Callable[[Config, Body], tuple[str, Body]]
    classify: Callable[[Reply], Answer]
    speaks: Callable[[Action], bool]
    spacing: timedelta


CHANNELS: Mapping[ChannelKind, ChannelSpec] = {
    ChannelKind.SLACK_WEBHOOK: ChannelSpec(
        fields={"url": True},
        hinted="url",
        render=lambda story, plain: slack.render(story, plain=plain),
        request=lambda config, body: (config["url"], body),
        classify=slack.classify,
        speaks=lambda action: True,
        spacing=timedelta(seconds=1),
    ),
    ChannelKind.PAGERDUTY: ChannelSpec(
        fields={"routing_key": True, "url": False},
        hinted="routing_key",
        render=lambda story, plain: pagerduty.render(story),
        request=lambda config, body: (
            config.get("url", pagerduty.URL),
            pagerduty.with_key(body, config["routing_key"]),
        ),
        classify=pagerduty.classify,
        speaks=pagerduty.speaks,
        spacing=timedelta(0),
    ),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What an attempt came to, and how long it took."""

    answer: Answer
    elapsed: timedelta


def check_config(
    kind: ChannelKind, config: Mapping[str, object], *, allowed_hosts: Collection[str]
) -> Config:
    """Return a checked config; raises ``Refused`` naming every fault (never the secret)."""
    fields = CHANNELS[kind].fields
    faults = [
        FieldError(f"config.{name}", "bad_value", f"a {kind} channel has no {name!r}")
        for name in sorted(set(config) - set(fields))
    ]
    kept: dict[str, str] = {}
    for name, required in fields.items():
        value = config.get(name)
        if value is None and not required:
            continue
        if not isinstance(value, str) or not 0 < len(value) <= MAX_SECRET:
            faults.append(FieldError(f"config.{name}", "bad_value", f"write a text of at most {MAX_SECRET}"))
            continue
        kept[name] = value
        fault = _url_fault(value, allowed_hosts) if name == "url" else None
        if fault is not None:
            faults.append(FieldError("config.url", "bad_value", fault))
    if faults:
        raise Refused("bad_value", "; ".join(f"{f.path}: {f.message}" for f in faults), errors=faults)
    return kept


def send(kind: ChannelKind, config: Config, body: Body, *, egress: Egress) -> Sent:
    """POST ``body``; every way to fail is an answer."""
    spec = CHANNELS[kind]
    url, document = spec.request(config, body)
    try:
        reply = egress.post(url, json.dumps(document).encode(), headers=_JSON)
    except EgressRefused as refused:
        return Sent(Answer(Outcome.PERMANENT, str(refused)), timedelta(0))
    except EgressFailed as failed:
        return Sent(Answer(Outcome.RETRY, str(failed)), timedelta(seconds=failed.elapsed_seconds))
    return Sent(spec.classify(reply), timedelta(seconds=reply.elapsed_seconds))


def _url_fault(url: str, allowed_hosts: Collection[str]) -> str | None:
    try:
        check_url(url, allowed_hosts=frozenset(host.lower() for host in allowed_hosts))
    except EgressRefused as refused:
        return str(refused)
    return None
