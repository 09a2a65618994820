"""``manage.py run_monitors``: follow the registry, probe and judge in a plain loop."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from monitors import tasks
from monitors.management.loop import run_loop

PAUSE_SECONDS = 0.5


class Command(BaseCommand):
    """Does by itself what beat and workers do for the queues probe and judge."""

    help = "Probe views and evaluate monitors until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="go round once and end")

    def handle(self, *args: object, **options: bool) -> None:
        turns = (tasks.keep_in_step, tasks.probe_due, tasks.judge_due)
        run_loop(turns, pause_seconds=PAUSE_SECONDS, once=options["once"])
