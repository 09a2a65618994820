"""``manage.py demo``: load it, run its replay, stop a source and let it go on, read what was sent."""

import json
import signal
import threading
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.kernel import clock
from controlplane.project.demo import loading, places, running, stopping
from controlplane.project.demo.data import DataSet, DataSetMissing, find_folder
from controlplane.project.demo.messages import Journal, as_text


class Command(BaseCommand):
    """The demo of ``./dev up``."""

    help = "The demo: flights out of New York in 2013, replayed as if they happened now."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("load", help="register it and write its data; prints one JSON object")
        actions.add_parser("run", help="replay, and receive messages, until stopped")
        for action, meaning in (("break", "stop a source"), ("fix", "let it go on")):
            chosen = actions.add_parser(action, help=meaning)
            chosen.add_argument("source", choices=tuple(stopping.SOURCES))
        messages = actions.add_parser("messages", help="what Slack and PagerDuty were sent")
        messages.add_argument("--json", action="store_true", help="one JSON object a line, as received")

    def handle(self, *args: Any, **options: Any) -> None:
        here, action = places.of_this_home(), options["action"]
        if action != "load" and not loading.is_loaded(here):
            raise CommandError("There is no demo in this home: ./dev up (without --empty) loads it.")
        try:
            if action == "load":
                self.stdout.write(json.dumps(asdict(loading.load(here, DataSet(find_folder())))))
            elif action == "run":
                running.run(here, DataSet(find_folder()), _until_told_to_stop())
            elif action == "messages":
                self._tell_messages(Journal(here.journal), as_json=options["json"])
            elif action == "break":
                self.stdout.write(stopping.stop(options["source"], here, now=clock.now()))
            else:
                self.stdout.write(stopping.go_on(options["source"], here))
        except DataSetMissing as missing:
            raise CommandError(str(missing)) from missing

    def _tell_messages(self, journal: Journal, *, as_json: bool) -> None:
        told = "\n".join(journal.lines()) if as_json else as_text(journal.read())
        if told or not as_json:
            self.stdout.write(told or "Nothing was sent yet.")


def _until_told_to_stop() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
