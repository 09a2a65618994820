"""Bodies in, instants out: what every API module does alike."""

from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from controlplane.kernel.errors import FieldError, Refused


def instant(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC, ending in Z."""
    return value.isoformat().replace("+00:00", "Z") if value else None


def validated(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the checked body; every fault of it is one entry of the refusal's errors."""
    checked = serializer(data=request.data)
    if checked.is_valid():
        return dict(checked.validated_data)
    faults = [FieldError(field, "bad_value", str(found[0])) for field, found in _flat(checked.errors)]
    raise Refused("bad_value", "; ".join(f"{f.path}: {f.message}" for f in faults), errors=faults)


def _flat(errors: Any, path: str = "") -> list[tuple[str, Any]]:
    found = []
    for field, below in errors.items():
        where = f"{path}.{field}" if path else str(field)
        found.extend(_flat(below, where) if isinstance(below, dict) else [(where, below)])
    return found
