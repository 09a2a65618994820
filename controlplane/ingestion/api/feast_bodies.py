"""Feast's request bodies as the OpenAPI document shows them. Members that are not listed are passed over."""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_FRAME: Schema = {
    "type": "object",
    "description": "Columns of equal length, by name.",
    "additionalProperties": {"type": "array", "items": {}},
}
_VIEWS: Schema = {"type": ["array", "null"], "items": _TEXT}


def _body(properties: Schema, *required: str) -> Schema:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"application/json": schema if required else {"type": "object", "properties": properties}}


PUSH = _body(
    {
        "push_source_name": _TEXT,
        "df": _FRAME,
        "to": {"type": "string", "enum": ["online"], "default": "online"},
    },
    "push_source_name",
    "df",
)
WRITE = _body({"feature_view_name": _TEXT, "df": _FRAME}, "feature_view_name", "df")
MATERIALIZE = _body(
    {
        "start_ts": _TEXT,
        "end_ts": _TEXT,
        "feature_views": _VIEWS,
        "disable_event_timestamp": {"type": "boolean", "default": False},
    }
)
MATERIALIZE_INCREMENTAL = _body({"end_ts": _TEXT, "feature_views": _VIEWS}, "end_ts")
NULL: Schema = {"type": "null"}
