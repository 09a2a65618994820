"""What the processes load when they start, and what they leave for tests to find."""

import json
import os
import subprocess
import sys
from pathlib import Path

from django.core.management import call_command

from tools.places import ROOT

_WAKE = """
import json, sys
from controlplane.project.beat import app
from controlplane.project.liveness import TouchingScheduler
from controlplane.project.schedule import SCHEDULE

app.loader.init_worker()
scheduler = TouchingScheduler(app=app, schedule_filename=sys.argv[1])
for entry in scheduler.schedule.values():
    if entry.name in SCHEDULE:
        scheduler.apply_async(entry, advance=False)
scheduler.close()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_beat_wakes_every_task_by_name_without_loading_what_tasks_need(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FRESHLINE_")}
    done = subprocess.run(
        [sys.executable, "-c", _WAKE, str(tmp_path / "schedule")],
        cwd=ROOT,
        env={**kept, "FRESHLINE_HOME": str(tmp_path), "CELERY_SKIP_CHECKS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert sorted(loaded & {"duckdb", "pyarrow", "plotly", "openlineage", "redis", "httpx"}) == []
    sent = [json.loads(path.read_text()) for path in (tmp_path / "broker" / "queue").iterdir()]
    woken = {
        (message["headers"]["task"], message["properties"]["delivery_info"]["routing_key"])
        for message in sent
    }
    assert ("monitors.tasks.judge_due", "judge") in woken
    assert ("controlplane.ingestion.tasks.wake_streams", "stream") in woken
    assert all(one["headers"]["expires"] for one in sent)


def test_djangos_checks_which_no_process_runs_when_it_starts_find_nothing() -> None:
    call_command("check", fail_level="WARNING")
