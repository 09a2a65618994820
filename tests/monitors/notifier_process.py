"""A process that forks notifiers to be killed: ``python -m tests.monitors.notifier_process``.

Commands come on stdin, one a line, each answered by one line: ``notify SECONDS`` forks a notifier whose clock
is ahead by so much and answers with its process id; ``wait`` answers when it is gone; ``open N`` and
``close N`` make view N stale and well again; ``states`` answers with the outbox as JSON.
"""

import json
import os
import sys
import time
from datetime import timedelta

import django

django.setup()

from django.db import connections  # noqa: E402 - needs the setup above

from controlplane.kernel import clock  # noqa: E402
from monitors.channels.egress import Egress  # noqa: E402
from monitors.models import Incident, Notification  # noqa: E402
from monitors.services import outbox  # noqa: E402
from tests.monitors import story  # noqa: E402

WAY_OUT = Egress(allowed_hosts=["127.0.0.1"])
PATIENCE_SECONDS = 30
children = []


def notify(seconds):
    """Fork a notifier that goes on until everything is sent, it is killed, or its patience ends."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        began = clock.now()
        while (clock.now() - began).total_seconds() < PATIENCE_SECONDS:
            now = clock.now() + timedelta(seconds=float(seconds))
            outbox.deliver_due(now=now, egress=WAY_OUT, jitter=lambda: 0.02)
            time.sleep(0.02)
            if not Notification.objects.filter(state__in=outbox.WAITING).exists():
                break
        os._exit(0)
    children.append(child)
    return child


def wait():
    return os.waitpid(children.pop(), 0)[1]


def setup(url):
    story.slack(url)
    story.pagerduty(url)


def open_one(number):
    return story.breach(f"view_{number}", now=clock.now()).number


def close_one(number):
    incident = Incident.objects.get(view=f"view_{number}")
    return [one.number for one in story.recover(incident, now=clock.now())]


def states():
    rows = Notification.objects.order_by("pk").select_related("incident", "channel")
    return [[row.incident.dedup_key, row.channel.name, row.action, row.state] for row in rows]


COMMANDS = {
    "notify": notify,
    "wait": wait,
    "setup": setup,
    "open": open_one,
    "close": close_one,
    "states": states,
}

if __name__ == "__main__":
    for line in sys.stdin:
        name, *arguments = line.split()
        print(json.dumps(COMMANDS[name](*arguments)), flush=True)
