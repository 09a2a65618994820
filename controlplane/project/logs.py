"""What a line of the log looks like: when, how bad, what, of which request; whoever writes it.

A request's id joins through structlog's context (RequestIdMiddleware): the id in an answer leads to every
line of that request, the traceback of a 500 among them.
"""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

import kombu.exceptions
import structlog
from django.db import InterfaceError, OperationalError
from structlog.typing import Processor

from controlplane.kernel.errors import Unavailable

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_UNREACHABLE = (
    Unavailable,
    ConnectionError,
    InterfaceError,
    OperationalError,
    kombu.exceptions.OperationalError,
)
_FIRST = ("timestamp", "level", "logger", "event")


def _foreign_request_id(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Django tells of a failed request when its id was unbound already; the record holds the request."""
    record = event.get("_record")
    request_id = getattr(getattr(record, "request", None), "request_id", None)
    if request_id:
        event.setdefault("request_id", request_id)
    return event


def _line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """Write ``2026-11-23T12:00:00Z ERROR django.request: ... request_id=3f2a``, a traceback below it."""
    trace = str(event.pop("exception", "") or "")
    at, level, name, what = (str(event.pop(key, "")) for key in _FIRST)
    more = "".join(f" {key}={_plain(value)}" for key, value in event.items())
    head = f"{at} {level.upper()} {name}: {what}{more}"
    return f"{head}\n{trace}" if trace else head


def _plain(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and text and " " not in text else repr(text)


class OneLineForUnreachable(logging.Filter):
    """While the store, the database or the broker is away every task fails: that is one line, no traceback.

    What nobody foresaw keeps its traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record where its error is of a server that does not answer."""
        error = record.exc_info[1] if record.exc_info else None
        if record.name.startswith("celery") and _is_unreachable(error):
            record.msg, record.args = record.getMessage().splitlines()[0], ()
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _is_unreachable(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, _UNREACHABLE):
            return True
        error = error.__cause__ or error.__context__
    return False


def _formatter(log_format: str) -> dict[str, Any]:
    last: Processor = structlog.processors.JSONRenderer() if log_format == "json" else _line
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        # structlog's own default shows the variables of every frame, secrets among them.
        "processors": [
            _foreign_request_id,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ],
        "foreign_pre_chain": list(_SHARED),
    }


def configure(log_format: str) -> Mapping[str, Any]:
    """Send structlog's events through the standard library; return Django's LOGGING for both."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": _formatter(log_format)},
        "filters": {
            "one_line": {"()": OneLineForUnreachable},
            "no_wakings": {"()": "django.utils.log.CallbackFilter", "callback": _is_no_waking},
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["one_line"]}
        },
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            # Celery tells of every waking, several times a second; what a waking did is told by who did it.
            **{f"celery.{name}": {"level": "WARNING"} for name in ("app.trace", "worker.strategy")},
            "celery.beat": {"filters": ["no_wakings"]},
            # Clients that tell of every request they make.
            **{name: {"level": "WARNING"} for name in ("httpx", "openlineage")},
        },
    }


def _is_no_waking(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Scheduler: Sending due task")
