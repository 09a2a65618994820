"""A plain loop, for installations (and tests) without Celery."""

import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

import structlog
from django.db import DatabaseError, close_old_connections

_log = structlog.get_logger(__name__)
Turn = Callable[[], object]


def run_loop(turns: Sequence[Turn], *, pause_seconds: float, once: bool) -> None:
    """Take turns until SIGTERM or SIGINT; what fails is told in the log and tried again."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    while not stop.is_set():
        for turn in turns:
            _take(turn)
        if once:
            return
        stop.wait(pause_seconds)


def _take(turn: Turn) -> None:
    close_old_connections()
    try:
        turn()
    except DatabaseError as wrong:
        _log.warning("the database failed; the loop goes on", turn=str(turn), error=str(wrong))
    except Exception:  # noqa: BLE001 - the outermost loop: one bad turn must not end all others
        _log.exception("a turn failed; the loop goes on", turn=str(turn))
