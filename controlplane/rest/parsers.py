"""Request bodies: JSON, strictly, with clear refusals; gzip where a client sends it."""

import zlib
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from controlplane.kernel import strict_json, text
from controlplane.kernel.errors import FieldError, Refused


def read_body(stream: IO[bytes], *, encoding: str = "") -> bytes:
    """Return the whole body, inflated when ``encoding`` is gzip; ``Refused`` past the limit."""
    limit = int(settings.FRESHLINE_BODY_LIMIT_MB) * 1024 * 1024
    data = stream.read(limit + 1)
    if encoding.lower() == "gzip":
        inflate = zlib.decompressobj(wbits=31)
        try:
            data = inflate.decompress(data, limit + 1)
        except zlib.error as wrong:
            raise Refused("bad_json", f"The body is not valid gzip: {wrong}") from wrong
        if not inflate.eof and len(data) <= limit:
            raise Refused("bad_json", "The gzip body ends too early.")
    if len(data) > limit:
        raise Refused("too_large", f"The body is over {settings.FRESHLINE_BODY_LIMIT_MB} MB.")
    return data


def parse_json(data: bytes) -> Any:
    """Return the JSON document. Refused: invalid UTF-8, NaN literals, a key given twice, too deep nesting."""
    try:
        return strict_json.read(data.decode())
    except UnicodeDecodeError as wrong:
        raise Refused("bad_json", f"The body is not UTF-8: {wrong.reason} at byte {wrong.start}") from wrong
    except RecursionError as wrong:
        raise Refused("bad_json", "The body is nested too deeply.") from wrong
    except ValueError as wrong:
        raise Refused("bad_json", f"The body is not valid JSON: {wrong}") from wrong


def _refuse_unstorable(document: object) -> None:
    path = next(text.unstorable_paths(document), None)
    if path is not None:
        message = "holds a zero character or half of a surrogate pair, which no database keeps"
        found = (FieldError(path, "bad_value", message),)
        raise Refused("bad_value", f"{path or 'the body'} {message}", errors=found)


class JsonParser(BaseParser):
    """application/json, also gzip-encoded. An empty body is an empty object."""

    media_type = "application/json"
    keeps_all_text = False

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        encoding = parser_context["request"].headers.get("Content-Encoding", "") if parser_context else ""
        data = read_body(stream, encoding=encoding)
        document = parse_json(data) if data.strip() else {}
        # Such characters come as escapes only: UTF-8 has none, and JSON forbids a zero as it is.
        if not self.keeps_all_text and b"\\u" in data:
            _refuse_unstorable(document)
        return document


class AnyTextJsonParser(JsonParser):
    """For who answers for each part of the body: one text that cannot be kept does not refuse the others."""

    keeps_all_text = True


class TextParser(BaseParser):
    """Hands the bytes on as they came (definition files in YAML); the service reads them."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        encoding = parser_context["request"].headers.get("Content-Encoding", "") if parser_context else ""
        return read_body(stream, encoding=encoding)
