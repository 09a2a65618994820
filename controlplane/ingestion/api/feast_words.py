"""Bodies and errors in the forms that Feast's feature server has, so that Feast's clients understand them."""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from controlplane.accounts.auth import ApiRequest
from controlplane.kernel.errors import Conflict, FreshlineError, NotFound, Refused
from controlplane.rest.problems import status_of

# The exceptions of feast.errors that Feast's client raises again. FeastError is the root of its family.
_CLASSES = {
    "not_found": "FeatureViewNotFoundException",
    "unknown_reference": "PushSourceNotFoundException",
}
_UNREADABLE = frozenset({"bad_json", "unsupported_media_type"})
Fault = dict[str, Any]
Handler = Callable[..., Response]


class BadBody(Exception):
    """A body of the wrong shape, told as FastAPI tells it."""

    def __init__(self, kind: str, message: str, *location: str) -> None:
        super().__init__(message)
        self.fault: Fault = {"type": kind, "loc": ["body", *location], "msg": message, "input": {}}


def in_feasts_words(handler: Handler) -> Handler:
    """Wrap a ``post`` so that what the caller got wrong is answered as Feast would.

    A JSON string that holds JSON is what Feast's client raises again, as the exception that it names. What is
    no mistake of the caller stays a problem document: the client shows it as it stands, or tries again.
    """

    @functools.wraps(handler)
    def wrapper(view: Any, request: ApiRequest) -> Response:
        try:
            return handler(view, request)
        except BadBody as wrong:
            return Response({"detail": [wrong.fault]}, status=422)
        except exceptions.UnsupportedMediaType:
            return Response({"detail": [BadBody("dict_type", _NO_OBJECT).fault]}, status=422)
        except (Refused, NotFound, Conflict) as wrong:
            if wrong.code in _UNREADABLE:
                return Response({"detail": [BadBody("json_invalid", wrong.detail).fault]}, status=422)
            return Response(_words(wrong), status=status_of(wrong))

    return wrapper


def _words(error: FreshlineError) -> str:
    named = {
        "module": "feast.errors",
        "class": _CLASSES.get(error.code, "FeastError"),
        "message": f"{error.detail} [{error.code}]",
    }
    return json.dumps(named)


_NO_OBJECT = "Input should be a valid dictionary or object to extract fields from"


class BodyReader:
    """Reads the members of a body; members that Feast does not know are passed over, as there."""

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, Mapping):
            raise BadBody("model_attributes_type", _NO_OBJECT)
        self._raw = raw

    def text(self, name: str, *, default: str | None = None) -> str:
        """Return a text; without ``default`` it must be there."""
        found = self._raw.get(name, default)
        if found is None and name not in self._raw:
            raise BadBody("missing", "Field required", name)
        if not isinstance(found, str):
            raise BadBody("string_type", "Input should be a valid string", name)
        return found

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None when it is absent or null."""
        return None if self._raw.get(name) is None else self.text(name)

    def truth(self, name: str) -> bool:
        """Return a truth; absent is false."""
        found = self._raw.get(name, False)
        if not isinstance(found, bool):
            raise BadBody("bool_type", "Input should be a valid boolean", name)
        return found

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, or None when it is absent or null."""
        found = self._raw.get(name)
        if found is None:
            return None
        if not isinstance(found, list):
            raise BadBody("list_type", "Input should be a valid list", name)
        for index, item in enumerate(found):
            if not isinstance(item, str):
                raise BadBody("string_type", "Input should be a valid string", name, str(index))
        return found

    def mapping(self, name: str) -> Mapping[str, object]:
        """Return an object, which must be there."""
        if name not in self._raw:
            raise BadBody("missing", "Field required", name)
        found = self._raw[name]
        if not isinstance(found, Mapping):
            raise BadBody("dict_type", "Input should be a valid dictionary", name)
        return found
