"""Workers and beat show that they live: each touches HOME/alive/NAME every few seconds."""

from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.beat import PersistentScheduler
from django.conf import settings

_EVERY_SECONDS = 5.0


def file_of(name: str) -> Path:
    """Return the file that the worker called ``name`` (or ``beat``) touches."""
    home: Path = settings.FRESHLINE_HOME
    return home / "alive" / name


def _touch(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.touch()


class _TouchWhileConsuming(bootsteps.StartStopStep):
    # Started after the consumer of tasks, stopped before it: the file says "takes tasks", not only "runs".
    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        path = file_of(parent.hostname.partition("@")[0])
        _touch(path)
        self._timer = parent.timer.call_repeatedly(_EVERY_SECONDS, _touch, (path,))

    def stop(self, parent: Any) -> None:
        self._timer.cancel()
        file_of(parent.hostname.partition("@")[0]).unlink(missing_ok=True)


class TouchingScheduler(PersistentScheduler):
    """Celery's own scheduler, which also touches its file at each tick."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due and return the seconds until the next look."""
        _touch(file_of("beat"))
        return float(super().tick(*args, **kwargs))


def install(app: Celery) -> None:
    """Make every worker of the app show that it lives."""
    app.steps["consumer"].add(_TouchWhileConsuming)
