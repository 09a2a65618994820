"""What PagerDuty accepts: the schema that it publishes, and the limits of its documentation."""

import json
from pathlib import Path

import jsonschema

_DOCUMENT = json.loads(
    (Path(__file__).parent / "golden" / "schemas" / "pagerduty-events-v2.openapi.json").read_text()
)
_SCHEMA = _DOCUMENT["paths"]["/enqueue"]["post"]["requestBody"]["content"]["application/json"]["schema"]
_VALIDATOR = jsonschema.Draft202012Validator({**_SCHEMA, "components": _DOCUMENT["components"]})
MAX_SUMMARY = 1_024
MAX_DEDUP_KEY = 255
MAX_BYTES = 512 * 1_024


def faults(event):
    """Return everything that PagerDuty would refuse."""
    found = [error.message for error in _VALIDATOR.iter_errors(event)]
    if event.get("event_action") == "trigger":
        summary = event.get("payload", {}).get("summary", "")
        if not 1 <= len(summary) <= MAX_SUMMARY:
            found.append(f"summary of {len(summary)} characters")
    elif not event.get("dedup_key"):
        found.append("no dedup_key")
    if len(event.get("dedup_key", "")) > MAX_DEDUP_KEY:
        found.append("dedup_key too long")
    if len(json.dumps(event).encode()) > MAX_BYTES:
        found.append("event too large")
    return found
