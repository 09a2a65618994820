"""Where the receiver listens, and the channels that lead there."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from controlplane.kernel import clock
from controlplane.project.demo.definition import TEAMS
from controlplane.project.demo.messages import Journal
from controlplane.project.demo.places import Places
from controlplane.project.demo.receiver import PAGERDUTY_PATH, SLACK_PATH, Receiver
from controlplane.project.demo.receiver_rules import ROUTING_KEY_LENGTH
from monitors.selectors.channels import channels_for
from monitors.services import channels

ACTOR = "demo"
SLACK, PAGER = "demo Slack", "demo PagerDuty"
_log = structlog.get_logger(__name__)


def make_channels(places: Places, *, now: datetime) -> None:
    """Make the demo's channels, unless they are there, and lead its teams to them."""
    port = _known_port(places.receiver_port)
    if port is None:
        with Receiver(0, Journal(places.journal)) as chosen:
            port = chosen.server_port
        places.receiver_port.write_text(f"{port}\n")
    known = {row.name: row.pk for row in channels_for(None)}
    missing = {name: made for name, made in _configs(port).items() if name not in known}
    for name, (kind, config) in missing.items():
        row = channels.create_channel(name=name, kind=kind, config=config, actor=ACTOR, now=now)
        known[name] = row.pk
    if missing:
        for team in TEAMS:
            channels.set_team_channels(team, [known[SLACK], known[PAGER]], actor=ACTOR, now=now)


@contextmanager
def receiving(places: Places) -> Iterator[Receiver]:
    """Receive on the port that the channels lead to; when it was taken meanwhile, lead them to another."""
    journal = Journal(places.journal)
    try:
        receiver = Receiver(_known_port(places.receiver_port) or 0, journal)
    except OSError:
        receiver = Receiver(0, journal)
        _log.warning("receiver_moved", url=receiver.url)
        _move_channels(receiver.server_port)
        places.receiver_port.write_text(f"{receiver.server_port}\n")
    listening = threading.Thread(target=receiver.serve_forever, name="receiver", daemon=True)
    listening.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        listening.join()
        receiver.server_close()


def _move_channels(port: int) -> None:
    configs = _configs(port)
    for row in channels_for(None).filter(name__in=configs):
        _, config = configs[row.name]
        channels.edit_channel(row.pk, config=config, fallback=None, actor=ACTOR, now=clock.now())


def _configs(port: int) -> dict[str, tuple[str, dict[str, object]]]:
    receiver = f"http://127.0.0.1:{port}"
    routing_key = secrets.token_hex(ROUTING_KEY_LENGTH // 2)
    return {
        SLACK: ("slack_webhook", {"url": receiver + SLACK_PATH}),
        PAGER: ("pagerduty", {"url": receiver + PAGERDUTY_PATH, "routing_key": routing_key}),
    }


def _known_port(path: Path) -> int | None:
    return int(path.read_text()) if path.exists() else None
