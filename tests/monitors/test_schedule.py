"""What beat wakes."""

import pytest

from controlplane.project.celery import app
from controlplane.project.schedule import SCHEDULE
from tools.processes import WORKERS

QUEUES = {queue for queues in WORKERS.values() for queue in queues}


@pytest.mark.parametrize("name", sorted(SCHEDULE))
def test_every_wake_up_names_a_task_and_a_queue_that_a_worker_takes_and_expires(name):
    app.loader.import_default_modules()
    entry = SCHEDULE[name]
    assert entry["task"] in app.tasks
    assert entry["options"]["queue"] in QUEUES
    assert 0 < entry["options"]["expires"] <= max(entry["schedule"], 1)
