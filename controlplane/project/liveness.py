"""Workers and beat show that they live: each touches HOME/alive/NAME every few seconds.

And a worker that cannot work any more ends, so that whoever supervises it starts another.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from celery import Celery, bootsteps
from celery.beat import PersistentScheduler
from django.conf import settings

_EVERY_SECONDS = 5.0
_CHILDREN_EVERY_SECONDS = 1.0
_EX_SOFTWARE = 70
_log = structlog.get_logger(__name__)


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


class EndWithoutChild(bootsteps.StartStopStep):
    """End the worker when a process of its pool was killed.

    celery replaces the process, but a task that was on its way to the dead one never comes back: it keeps its
    place among the few that a worker takes at a time, and with one place the worker takes none ever after.
    Whatever else ran here is taken over like that of any dead worker, when its lease ends.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, *, end: Callable[[int], object] = os._exit, **options: Any) -> None:
        super().__init__(parent, **options)
        self._end = end

    def start(self, parent: Any) -> None:
        """Look again and again whether the processes are still those of the beginning."""
        self._children = _children(parent)
        self._timer = parent.timer.call_repeatedly(_CHILDREN_EVERY_SECONDS, self.look, (parent,))

    def look(self, parent: Any) -> None:
        """End if they are not."""
        if gone := self._children - _children(parent):
            _log.error("worker_child_died", worker=parent.hostname, pids=sorted(gone))
            self._end(_EX_SOFTWARE)

    def stop(self, parent: Any) -> None:
        """Look no more."""
        self._timer.cancel()


def _children(parent: Any) -> frozenset[int]:
    """Return the processes of the worker's pool; a pool of threads has none."""
    return frozenset(parent.pool.info.get("processes", ()))


class TouchingScheduler(PersistentScheduler):
    """Celery's own scheduler, which also touches its file at each tick."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due and return the seconds until the next look."""
        _touch(file_of("beat"))
        return float(super().tick(*args, **kwargs))


def install(app: Celery) -> None:
    """Make every worker of the app show that it lives, and end when it is crippled."""
    app.steps["consumer"].update({_TouchWhileConsuming, EndWithoutChild})
