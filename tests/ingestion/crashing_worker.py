"""A worker in a process of its own that kills itself (SIGKILL) at a named point, or works to the end.

``python -m tests.ingestion.crashing_worker RUN_ID POINT``; a point is ``module:function:call:before|after``,
or ``-`` for none.
"""

import importlib
import os
import signal
import sys
from pathlib import Path

import django


def arm(point):
    module_name, path, call, moment = point.split(":")
    holder = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        holder = getattr(holder, parent)
    real, calls = getattr(holder, name), [0]

    def wrapped(*args, **kwargs):
        calls[0] += 1
        if calls[0] == int(call) and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(*args, **kwargs)
        if calls[0] == int(call):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(holder, name, wrapped)


def main():
    from django.conf import settings

    run_id, point = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.project.settings")
    django.setup()
    settings.FRESHLINE_SOURCE_ROOTS = [Path(os.environ["TEST_SOURCE_ROOT"])]
    from controlplane.ingestion.services.batch import checking, executing

    checking.SHARD_ROWS = 40
    if point != "-":
        arm(point)
    executing.execute_run(int(run_id), worker=f"crashing:{os.getpid()}")


if __name__ == "__main__":
    main()
