"""Kill -9 of the notifier between its POST and its commit, again and again: nothing is lost."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from urllib.parse import quote

import pytest
from django.db import connection

from tests.receivers import Receiver, running

pytestmark = pytest.mark.slow
KILLS = 20
# Past the lease of whoever was killed; the clock of the next notifier is that much ahead.
JUMP_SECONDS = 31


@pytest.fixture
def database_url(transactional_db, tmp_path):
    """A database that another process can open: the test's own on PostgreSQL, else a file."""
    found = connection.settings_dict
    if connection.vendor == "postgresql":
        password = f":{quote(found['PASSWORD'])}" if found["PASSWORD"] else ""
        return f"postgresql://{found['USER']}{password}@{found['HOST']}:{found['PORT']}/{found['NAME']}"
    return f"sqlite:///{tmp_path}/killed.sqlite3"


class Process:
    """The forking process; ``ask`` sends a command and returns its answer."""

    def __init__(self, database_url, home):
        environment = os.environ | {
            "DATABASE_URL": database_url,
            "FRESHLINE_HOME": str(home),
            "FRESHLINE_EGRESS_ALLOW": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "controlplane.project.settings",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.monitors.notifier_process"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


@pytest.fixture
def notifier(database_url, tmp_path):
    made = Process(database_url, tmp_path / "home")
    yield made
    made.close()


def states(notifier):
    return [state for *_, state in notifier.ask("states")]


def test_killed_twenty_times_between_post_and_commit_each_incident_has_a_trigger_then_a_resolve(notifier):
    receiver = Receiver(rudeness=0.3, seed=7)
    turns = iter(range(1_000))

    def run_notifier():
        """Let one notifier work; its clock is past the leases of those before it. Was it killed?"""
        victim = notifier.ask(f"notify {next(turns) * JUMP_SECONDS}")
        # The receiver has the message, the notifier no answer yet: now.
        receiver.on_accept = lambda path, body: kill_next and os.kill(victim, kill_next.pop())
        return os.WIFSIGNALED(notifier.ask("wait"))

    kills = 0
    with running(receiver) as url:
        notifier.ask(f"setup {url}")
        for word in ("open", "close"):
            for number in range(KILLS // 2):
                notifier.ask(f"{word} {number}")
                kill_next = [signal.SIGKILL]
                kills += run_notifier()
            kill_next = []
            while run_notifier() or set(states(notifier)) & {"pending", "leased"}:
                assert next(turns) < 200
    outbox = notifier.ask("states")
    assert kills >= KILLS - 2  # one may come to its POST before its number is known here
    assert {state for *_, state in outbox} == {"sent"}
    keys = {key for key, *_ in outbox}
    assert len(keys) == KILLS // 2
    by_key = defaultdict(list)
    for event in receiver.events():
        by_key[event["dedup_key"]].append(event["event_action"])
    assert by_key.keys() == keys
    for actions in by_key.values():
        assert actions[0] == "trigger" and actions[-1] == "resolve"
        assert actions == sorted(actions, reverse=True)
    duplicates = sum(sum(Counter(actions).values()) - 2 for actions in by_key.values())
    assert duplicates <= kills
