"""The log of a real process: each line has a time and a level, and a request's id leads to its traceback."""

import json
import logging
import os
import re
import subprocess
import sys

import pytest
from django.db import OperationalError

from controlplane.kernel.errors import Unavailable
from controlplane.project.logs import OneLineForUnreachable

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (INFO|WARNING|ERROR) \S+: ")
SCRIPT = """
import logging
import django
import structlog
django.setup()
from django.test import Client
from django.urls import path
from controlplane.project import urls

def broken(request):
    hidden = "a-secret-" + "in-a-variable"
    logging.getLogger("theirs").info("told by the standard library")
    structlog.get_logger("ours").warning("run_taken_over", run=7)
    raise RuntimeError("boom")

urls.urlpatterns.insert(0, path("break", broken))
logging.getLogger("theirs").info("outside of any request")
client = Client(raise_request_exception=False)
answer = client.get("/break", headers={"X-Request-Id": "find-me-7"})
assert answer.status_code == 500, answer.status_code
answer = client.get("/api/v1/nowhere", headers={"X-Request-Id": "find-me-8"})
assert answer.status_code == 404, answer.status_code
"""


@pytest.fixture
def logged(tmp_path):
    """Run the script as a process of its own; returns what it logged."""

    def run(log_format):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "controlplane.project.settings",
            "FRESHLINE_HOME": str(tmp_path),
            "FRESHLINE_LOG_FORMAT": log_format,
            "FRESHLINE_ALLOWED_HOSTS": "testserver",
        }
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    return run


def test_the_id_of_a_500_leads_to_its_traceback(logged):
    said = logged("console")
    (failed,) = (line for line in said.splitlines() if "ERROR" in line)
    assert LINE.match(failed) and "request_id=find-me-7" in failed
    assert "RuntimeError: boom" in said.split(failed)[1]
    assert "a-secret-in-a-variable" not in said


def test_every_line_has_a_time_and_a_level_and_within_a_request_its_id(logged):
    lines = [line for line in logged("console").splitlines() if re.match(r"\d{4}|.*(theirs|ours)", line)]
    assert all(LINE.match(line) for line in lines), lines
    names = ("outside", "standard library", "run=7", "Not Found")
    told = {name: line for line in lines for name in names if name in line}
    assert "request_id" not in told["outside"]
    assert "request_id=find-me-7" in told["standard library"] and "request_id=find-me-7" in told["run=7"]
    # Django tells of an answer below 500 after the middleware, when the id is bound no longer.
    assert "request_id=find-me-8" in told["Not Found"]


def test_a_machine_reads_one_object_a_line(logged):
    events = [json.loads(line) for line in logged("json").splitlines()]
    assert {"timestamp", "level", "logger", "event"} <= set.intersection(*map(set, events))
    (failed,) = (one for one in events if one["level"] == "error")
    assert failed["request_id"] == "find-me-7"
    assert "RuntimeError: boom" in failed["exception"]


def _failed(error, name="celery.app.trace"):
    try:
        try:
            raise error
        except type(error) as wrong:
            raise LookupError("a task was not put out") from wrong
    except LookupError as wrong:
        info = (LookupError, wrong, wrong.__traceback__)
    return logging.LogRecord(
        name, logging.ERROR, "", 1, "Task %s raised\n%s", ("probe_due", "at length"), info
    )


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("store_unavailable", "the store does not answer"),
        OperationalError("gone"),
        ConnectionError(),
    ],
)
def test_a_task_that_fails_because_a_server_is_away_is_one_line(error):
    record = _failed(error)
    assert OneLineForUnreachable().filter(record)
    assert (record.getMessage(), record.levelname, record.exc_info) == (
        "Task probe_due raised",
        "WARNING",
        None,
    )


@pytest.mark.parametrize("record", [_failed(KeyError("x")), _failed(ConnectionError(), "django.request")])
def test_what_nobody_foresaw_and_a_failed_request_keep_their_traceback(record):
    assert OneLineForUnreachable().filter(record)
    assert record.levelname == "ERROR" and record.exc_info is not None
