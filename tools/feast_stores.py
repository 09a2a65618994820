"""One stock repository that real Feast writes to every store of the tests, before the suites that read it."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from tools import feast_environment
from tools.console import run, step
from tools.places import ROOT

# Says where a JSON file is that tells readers where the stores are and what they must find in them.
VARIABLE = "FRESHLINE_TEST_FEAST_STORES"
_PROGRAM = ROOT / "tests" / "feast_stores" / "program.py"


def write(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Have Feast fill the stores that ``environment`` names; return the variables that tell of them."""
    folder.mkdir()
    redis = environment["FRESHLINE_TEST_REDIS_URL"]
    cluster = environment["FRESHLINE_TEST_REDIS_CLUSTER_URL"]
    dynamodb = {name: environment[f"FRESHLINE_TEST_{name.upper()}_URL"] for name in ("dynalite", "moto")}
    stores: dict[str, dict[str, str]] = {
        "sqlite": {"type": "sqlite", "path": f"{folder}/online_store.db"},
        "redis": {"type": "redis", "connection_string": redis.removeprefix("redis://").removesuffix("/0")},
        "redis-cluster": {
            "type": "redis",
            "redis_type": "redis_cluster",
            "connection_string": cluster.removeprefix("redis+cluster://"),
        },
        **{
            name: {"type": "dynamodb", "region": "eu-west-1", "endpoint_url": endpoint}
            for name, endpoint in dynamodb.items()
        },
    }
    # A project of this run alone: the servers may have seen others.
    told = {"project": f"stock{uuid4().hex[:8]}", "stores": stores}
    (folder / "stores.json").write_text(json.dumps(told))
    with step("having Feast write its stores"):
        run(
            [feast_environment.PYTHON, _PROGRAM, folder],
            cwd=folder,
            env={**environment, "HOME": str(folder), "FEAST_USAGE": "False"},
        )
    urls = {
        "sqlite": f"feast+sqlite://{folder}/online_store.db",
        "redis": f"feast+{redis}",
        "redis-cluster": f"feast+{cluster}",
        **{name: f"feast+dynamodb://eu-west-1?endpoint={end}" for name, end in dynamodb.items()},
    }
    written = folder / "written.json"
    written.write_text(json.dumps({**json.loads(written.read_text()), "stores": urls}, indent=1))
    return {VARIABLE: str(written)}
