"""The Celery app. Tasks only wake work that the database holds: a lost message costs time, never data."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from celery.signals import setup_logging

from controlplane.project import file_broker, liveness
from controlplane.project.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.project.settings")
_TASKS_OF = [
    "controlplane.ingestion",
    "lineage",
    "monitors",
    "controlplane.observations",
    "controlplane.registry",
]


def _transport(url: str) -> dict[str, Any]:
    if url.startswith("filesystem://"):
        file_broker.install()
        folder = Path(urlsplit(url).path)
        return {
            "broker_url": f"{file_broker.SCHEME}://localhost//",
            "broker_transport_options": {
                # Both folders are one: what a producer puts out is what a consumer takes in.
                "data_folder_in": str(folder / "queue"),
                "data_folder_out": str(folder / "queue"),
                "processed_folder": str(folder / "processed"),
                "control_folder": str(folder / "control"),
                "store_processed": False,
                "polling_interval": 0.05,
            },
        }
    if url.startswith("redis"):
        return {
            "broker_url": url,
            # kombu's defaults redeliver after 100 s at best; these were measured at 15 s.
            "broker_transport_options": {
                "visibility_timeout": 60,
                "unacked_restore_interval": 1,
                "unacked_restore_throttle": 1,
                "socket_timeout": 10,
            },
        }
    return {"broker_url": url}


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Celery sets up no logging where somebody listens here: Django's settings did it already."""


def make(*, loads_tasks: bool = True) -> Celery:
    """Build the app from Django's settings, with the tasks of all apps unless it shall only send."""
    from django.conf import settings  # noqa: PLC0415 - settings need the environment variable set above

    celery = Celery("freshline")
    celery.conf.update(
        _transport(settings.CELERY_BROKER_URL),
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue="judge",
        task_routes={"controlplane.ingestion.tasks.*": {"queue": "ingest"}},
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        task_publish_retry=False,
        timezone="UTC",
        beat_schedule=SCHEDULE,
        beat_schedule_filename=str(settings.FRESHLINE_HOME / "beat-schedule"),
    )
    liveness.install(celery)
    if loads_tasks:
        celery.autodiscover_tasks(_TASKS_OF)
    return celery


app = make()
