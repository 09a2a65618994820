"""Bodies in, instants out: what every API module does alike."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request

from controlplane.kernel.errors import FieldError, Refused
from controlplane.kernel.text import visible
from controlplane.rest.addresses import LARGEST_ID

# Nothing of ours is older, and whoever looks back from here stays within what a datetime can tell.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def instant(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC, ending in Z."""
    return value.isoformat().replace("+00:00", "Z") if value else None


def read_number(request: Request, name: str, *, least: int = 0, most: int = LARGEST_ID) -> int | None:
    """Return ``?name=``, a whole number from ``least`` to ``most``; None when it is absent."""
    text = request.query_params.get(name)
    if text is None:
        return None
    # By length first: Python refuses to read thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    allowed = f"from {least} to {most}" if most < LARGEST_ID else "that a list gave"
    raise Refused("bad_value", f"{name} is {text[:40]!r}: write a number {allowed}")


def read_instant(request: Request, name: str) -> datetime | None:
    """Return ``?name=``, an instant since 1970, in UTC when it names no zone; None when it is absent."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as wrong:
        raise Refused("bad_value", f"{name} is {text[:40]!r}: write an RFC 3339 time") from wrong
    if found < _EARLIEST:
        raise Refused("bad_value", f"{name} is {text[:40]!r}: write a time since 1970")
    return found


class IdField(serializers.IntegerField):
    """The number of a thing, in a body."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class WordsField(serializers.CharField):
    """What a person wrote. Characters that nobody can see do not count as words."""

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, str):
            data = visible(data)
        return super().run_validation(data)


class Body(serializers.Serializer[Any]):
    """Base of every request body: refuses a member that it does not declare, since somebody mistyped it."""

    def to_internal_value(self, data: Any) -> Any:
        faults = {}
        if isinstance(data, Mapping):
            known = f"known are {', '.join(self.fields)}"
            faults = {
                name: [serializers.ErrorDetail(f"There is no such field; {known}.", "unknown")]
                for name in data
                if name not in self.fields
            }
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as wrong:
            raise serializers.ValidationError(faults | wrong.detail) from wrong  # type: ignore[operator]
        if faults:
            raise serializers.ValidationError(faults)
        return found


def validated(serializer: type[Body], request: Request) -> dict[str, Any]:
    """Return the checked body; every fault of it is one entry of the refusal's errors."""
    checked = serializer(data=request.data)
    if checked.is_valid():
        return dict(checked.validated_data)
    faults = list(_faults(checked.errors))
    raise Refused("bad_value", "; ".join(f"{f.path}: {f.message}" for f in faults), errors=faults)


# What the framework calls it -> what our problems call it; anything else is a bad value.
_CODES = {"required": "missing_field", "unknown": "unknown_field"}


def _faults(errors: Mapping[Any, Any], path: str = "") -> Iterator[FieldError]:
    for field, below in errors.items():
        name = f"[{field}]" if isinstance(field, int) else f".{field}"
        where = f"{path}{name}".removeprefix(".")
        if isinstance(below, Mapping):
            yield from _faults(below, where)
        else:
            yield FieldError(where, _CODES.get(getattr(below[0], "code", ""), "bad_value"), str(below[0]))
