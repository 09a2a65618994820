"""Run by our own Python in a home of its own: apply the definition, run the batch lane, leave the bundle.

The environment (FRESHLINE_HOME, DATABASE_URL, STORE_URL) is made by the caller. The definition, the lane and
the bundle are the product's own; only HTTP and the worker's queue are left out.
"""

# ruff: noqa: PLC0415 - Django is set up first
import json
import sys
from pathlib import Path
from typing import Any


def main(home: Path) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    table = json.loads((home / "table.json").read_text())
    apply(table)
    for view in table["views"]:
        write(table["project"], view)
    keep_bundle(home / "serving")


def apply(table: dict[str, Any]) -> None:
    from controlplane.kernel import clock
    from controlplane.registry.services.applying import Author, apply_definition

    author = Author("benchmark", may_create_projects=True)
    apply_definition(table["project"], definition(table), author=author, now=clock.now())


def definition(table: dict[str, Any]) -> dict[str, Any]:
    """Return the definition file: every feature has a domain to be checked, every view a max age."""
    checks = {
        "float64": {"min": 0, "max": 1_000},
        "int64": {"min": 0, "max": 1_000_000},
        "string": {"max_length": table["longest_text"]},
    }
    return {
        "version": 1,
        "project": table["project"],
        "entities": [{"name": "entity", "join_keys": [{"name": table["key"], "dtype": "int64"}]}],
        "sources": [
            {
                "name": "table",
                "kind": "parquet",
                "uri": f"data/{Path(table['path']).name}",
                "event_time": table["event_time"],
            }
        ],
        "feature_views": [
            {
                "name": name,
                "entities": ["entity"],
                "features": [
                    {"name": feature, "dtype": dtype, "nullable": False, **checks[dtype]}
                    for feature, dtype in features
                ],
                "freshness": {"max_age": "1d"},
                "on_stale": "null",
                "batch": {
                    "source": "table",
                    "query": query(table, [feature for feature, _ in features]),
                },
            }
            for name, features in table["views"].items()
        ],
        "feature_services": [
            {
                "name": name,
                "features": [f"{view}:{feature}" for view in members for feature, _ in table["views"][view]],
            }
            for name, members in table["services"].items()
        ],
    }


def query(table: dict[str, Any], features: list[str]) -> str:
    """Return the lane's statement: the columns of one view, out of the one table."""
    return f'SELECT {", ".join([table["key"], table["event_time"], *features])} FROM "table"'


def write(project: str, view: str) -> None:
    from controlplane.ingestion import selectors
    from controlplane.ingestion.services import runs
    from controlplane.ingestion.services.batch.executing import execute_run
    from controlplane.kernel import clock
    from controlplane.registry import selectors as registry
    from store_adapters import Lane

    run = runs.queue_run(registry.find_view(project, view), Lane.BATCH, now=clock.now())
    execute_run(run.pk, worker="benchmark")
    found = selectors.find_run(run.pk)
    if found.state != "succeeded":
        sys.exit(f"the batch run of {view} {found.state}: {found.error}")


def keep_bundle(home: Path) -> None:
    """Leave the bundle where serving keeps its last good one, from which it answers alone."""
    from controlplane.registry import selectors as registry

    bundle = registry.current_bundle()
    home.mkdir(parents=True)
    (home / "bundle").write_bytes(bundle.digest.encode() + b"\n" + bundle.body)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
