"""Feast's own SDK reads through serving what Feast wrote, and writes into a store of ours.

Three stock repositories (`feast init`), that Feast 0.67 materialised into Redis, DynamoDB and SQLite,
and one whose rows live here. In its clients only the online store changes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import real_feast
from tests.e2e.house import House, eventually
from tests.store_adapters.servers import RedisServer
from tools.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.feast, pytest.mark.dynamodb, pytest.mark.timeout(600)]
PROGRAM = Path(__file__).with_name("feast_sdk_program.py")
OWN = "driver_own"
FOREIGN = {
    "driver_redis": "kept_in_redis",
    "driver_dynamo": "kept_in_dynamo",
    "driver_sqlite": "kept_in_sqlite",
}
REGION = "us-east-1"
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
BATCH_VIEW, PUSHED_VIEW = "driver_hourly_stats", "driver_hourly_stats_fresh"


class Stand:
    """Feast's repositories and stores in one folder, and an installation that was told of them."""

    def __init__(self, folder: Path, redis_port: int, dynamodb: str) -> None:
        self.folder = folder
        self._online_stores = {
            "driver_redis": {"type": "redis", "connection_string": f"127.0.0.1:{redis_port}"},
            "driver_dynamo": {"type": "dynamodb", "region": REGION, "endpoint_url": dynamodb},
            "driver_sqlite": {},  # as `feast init` writes it
            OWN: {},
        }
        sqlite = folder / "driver_sqlite" / "feature_repo" / "data" / "online_store.db"
        urls = {
            "driver_redis": f"feast+redis://127.0.0.1:{redis_port}/0",
            "driver_dynamo": f"feast+dynamodb://{REGION}?endpoint={dynamodb}",
            "driver_sqlite": f"feast+sqlite://{sqlite}",
        }
        self.house = House(
            folder / "home",
            FRESHLINE_STORES=json.dumps({FOREIGN[project]: url for project, url in urls.items()}),
            FRESHLINE_SOURCE_ROOTS=str(folder / OWN / "feature_repo"),
            FRESHLINE_LOOKUP_TIMEOUT="5s",
            **AWS,
        )

    def build(self) -> None:
        self.feast("fill", self._online_stores)
        self.house.up()
        for project, store in FOREIGN.items():
            self.adopt(project, "--store", store)
        self.adopt(OWN)
        self.remotes = {project: self._remote(project) for project in (*FOREIGN, OWN)}
        body = {"features": [f"{BATCH_VIEW}:conv_rate"], "entities": {"driver_id": [1001]}}
        for project in (*FOREIGN, OWN):
            asked = ("get-online-features", body)
            eventually(
                lambda asked=asked, project=project: (
                    self.house.lookup(*asked, Freshline_Project=project)[0] == 200
                ),
                within=30,
            )

    def adopt(self, project: str, *words: str) -> None:
        """Import a repository, and apply what comes out as it is."""
        definition = self.freshline("import", "feast", str(self.folder / project / "feature_repo"), *words)
        file = self.folder / f"{project}.yaml"
        file.write_text(definition)
        self.freshline("plan", str(file))
        self.freshline("apply", str(file))

    def freshline(self, *words: str) -> str:
        """Run the command as a person does; returns what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "controlplane.cli", *words],
            cwd=ROOT,
            env={**os.environ, "FRESHLINE_URL": self.house.web, "FRESHLINE_TOKEN": self.house.token},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def feast(self, *words: object) -> object:
        """Run the program with Feast's own Python; returns the JSON that it printed last."""
        spelled = [word if isinstance(word, str) else json.dumps(word) for word in words]
        said = real_feast.run(PROGRAM, *spelled, folder=self.folder, **AWS)
        return json.loads(said.rstrip().rpartition("\n")[2])

    def _remote(self, project: str) -> dict[str, str]:
        """Return serving's address, with a token that is for one project: Feast's client names none."""
        scopes = {"name": project, "scopes": ["lookup", "ingest"], "projects": [project]}
        return {"path": self.house.serving, "token": self.house.ok("POST", "tokens", scopes)["token"]}


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    dynamodb = os.environ.get("FRESHLINE_TEST_DYNALITE_URL")
    assert dynamodb, "FRESHLINE_TEST_DYNALITE_URL names no server: ./dev test starts one"
    folder = tmp_path_factory.mktemp("feast_sdk")
    redis = RedisServer(folder)
    made = Stand(folder, redis.port, dynamodb)
    try:
        made.build()
        yield made
    finally:
        made.house.down()
        redis.kill()


def test_the_sdk_reads_through_serving_what_it_reads_from_the_store_that_feast_filled(stand):
    answers = stand.feast("compare", {project: stand.remotes[project] for project in FOREIGN})
    for project, (direct, through) in answers.items():
        assert through == direct, project
        known = direct[0]["conv_rate"]
        # Five drivers are asked for, one of them is unknown, and the data are no constants.
        assert known[2] is None and len({*known}) == 4, project
    # Three ways to say it (features, a service of one, a service of all), by short and by full names.
    names = [sorted(answer) for answer in answers["driver_redis"][1]]
    assert names[0] == ["acc_rate", "avg_daily_trips", "conv_rate", "driver_id"] == names[4]
    assert names[2] == ["conv_rate", "driver_id"]
    assert names[1] == [*(f"{BATCH_VIEW}__{name}" for name in names[0][:3]), "driver_id"] == names[5]


def test_what_feast_filled_is_told_with_the_honest_status(stand):
    body = {"features": [f"{BATCH_VIEW}:conv_rate"], "entities": {"driver_id": [1001, 9999]}}
    for project in FOREIGN:
        status, answer = stand.house.lookup("get-online-features", body, Freshline_Project=project)
        (column,) = answer["results"][1:]
        # Feast on Redis says PRESENT of a driver that was never written.
        assert (status, column["statuses"]) == (200, ["PRESENT", "NOT_FOUND"]), project


def test_a_push_into_a_store_of_feasts_is_refused_and_says_why(stand):
    remotes = {project: stand.remotes[project] for project in FOREIGN}
    for project, (kind, said) in stand.feast("refused", remotes).items():
        assert kind == "FeastError" and "[store_read_only]" in said and "we only read" in said, project
        body = {"push_source_name": "driver_stats_push_source", "df": {"driver_id": [1]}}
        status, answer = stand.house.lookup("push", body, Freshline_Project=project)
        assert status == 422 and "we only read" in str(answer), project


def test_the_sdk_writes_into_a_store_of_ours_and_reads_what_it_wrote(stand):
    found = stand.feast("write", OWN, stand.remotes[OWN])
    assert found == {
        "driver_id": [2001, 2002, 2003],
        "conv_rate": [0.25, 0.75, None],
        "acc_rate": [0.125, 0.125, None],
        "avg_daily_trips": [11, 13, None],
    }


def test_the_batch_lane_gives_what_feast_itself_materialises(stand):
    stand.freshline("run", BATCH_VIEW, "--wait", "--project", OWN)
    direct, through = stand.feast("compare", {OWN: stand.remotes[OWN]})[OWN]
    assert through == direct
