"""What a person sees when something under the control plane is away: real processes over dead addresses."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from tools.places import ROOT

NOWHERE = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "BROKER_URL": "redis://127.0.0.1:1/0"}
ASK = textwrap.dedent(
    """
    import json, sys
    import django
    django.setup()
    from django.test import Client
    client = Client(raise_request_exception=False)
    found = {}
    for path in sys.argv[1:]:
        answer = client.get(path, headers={"authorization": "Bearer x"})
        found[path] = (answer.status_code, answer.content.decode())
    print(json.dumps(found))
    """
)


def run(home, *command, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FRESHLINE_")}
    settings = {"FRESHLINE_HOME": str(home), "FRESHLINE_ALLOWED_HOSTS": "testserver"}
    settings["DJANGO_SETTINGS_MODULE"] = "controlplane.project.settings"
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), **settings, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    asked = ("/healthz", "/readyz", "/api/v1/projects", "/metrics", "/p/shop/")
    done = run(tmp_path_factory.mktemp("home"), "-c", ASK, *asked, **NOWHERE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_process_whose_database_is_away_is_alive_and_not_ready(seen):
    status, said = seen["/healthz"]
    assert (status, json.loads(said)) == (200, {"status": "alive", "monitoring": None})
    status, said = seen["/readyz"]
    assert (status, set(json.loads(said)["checks"])) == (503, {"database", "broker"})
    assert all(word.startswith("unavailable") for word in json.loads(said)["checks"].values())


def test_the_api_says_that_the_database_does_not_answer(seen):
    status, said = seen["/api/v1/projects"]
    assert (status, json.loads(said)["code"]) == (503, "database_unavailable")
    assert "try again" in json.loads(said)["detail"]


def test_a_page_says_that_the_database_does_not_answer(seen):
    status, said = seen["/metrics"]
    assert status == 503
    assert "<h1>The database does not answer</h1>" in said and "Nothing that was acknowledged is lost" in said


def test_a_home_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    done = run(tmp_path / "file" / "home", "manage.py", "check")
    assert done.returncode == 1
    assert "FRESHLINE_HOME" in done.stderr and "cannot be written: Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_dev_names_a_home_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    done = run(tmp_path, "dev", "up", "--empty", "--home", str(tmp_path / "file" / "home"))
    assert done.returncode == 1
    assert "cannot be written: Not a directory. Choose another with --home." in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
