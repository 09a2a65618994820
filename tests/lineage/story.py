"""One story for lineage tests: a raw table feeds a gold table, which our batch jobs read for three views."""

import uuid
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PRODUCER = "https://example.org/producer"


def minutes(number):
    return NOON + timedelta(minutes=number)


def dataset(name, *, namespace="s3://lake", **facets):
    return {"namespace": namespace, "name": name, "facets": facets}


def facet(**fields):
    return {"_producer": PRODUCER, "_schemaURL": "https://example.org/schema"} | fields


def run_event(job, state, at, *, run_id=None, inputs=(), outputs=(), error=None, namespace="etl", own=None):
    facets = {}
    if error is not None:
        facets["errorMessage"] = facet(message=error, programmingLanguage="python")
    if own is not None:
        facets["freshline"] = facet(**own)
    return {
        "eventType": state,
        "eventTime": at.isoformat(),
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": run_id or str(uuid.uuid4()), "facets": facets},
        "job": {"namespace": namespace, "name": job},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def pipeline(views=("a", "b", "c")):
    """The good past: at noon every job completed once."""
    events = [
        run_event("extract", "COMPLETE", minutes(-3), outputs=[dataset("raw")]),
        run_event("refine", "COMPLETE", minutes(-2), inputs=[dataset("raw")], outputs=[dataset("gold")]),
        run_event("unrelated", "COMPLETE", minutes(-2), outputs=[dataset("elsewhere")]),
    ]
    for view in views:
        events.append(
            run_event(
                f"{view}.batch",
                "COMPLETE",
                NOON,
                namespace="freshline://shop",
                inputs=[dataset("gold")],
                outputs=[dataset(view, namespace="freshline://shop")],
            )
        )
    return events
