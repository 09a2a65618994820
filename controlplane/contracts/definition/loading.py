"""From the text of a definition file to plain lists and mappings, safely."""

from collections.abc import Callable, Iterable, Mapping

from controlplane.contracts.definition.core_yaml import MAX_DEPTH, MAX_NODES, read_yaml, sendable
from controlplane.kernel import strict_json
from controlplane.kernel.errors import FieldError, Refused
from controlplane.kernel.text import is_storable

MAX_BYTES = 1024 * 1024


def load(text: str | bytes, media_type: str) -> object:
    """Return the document in ``text``. Refused: bad_json, too_large, unsupported_media_type, duplicate."""
    reader = _READERS.get(media_type.partition(";")[0].strip().lower())
    if reader is None:
        allowed = ", ".join(sorted(_READERS))
        raise Refused("unsupported_media_type", f"{media_type!r} is no definition file; one of: {allowed}")
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise Refused("too_large", f"The definition file has {len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        return reader(data.decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        raise Refused("bad_json", f"The file is not UTF-8: {wrong.reason} at byte {wrong.start}") from wrong
    except RecursionError as wrong:
        raise Refused("bad_json", "The file is nested too deeply") from wrong


def join(documents: Iterable[object]) -> dict[str, object]:
    """Return one document that says what the files of one project say together.

    Lists are put one after the other; ``version`` and ``project`` must not differ.
    """
    joined: dict[str, object] = {}
    for document in documents:
        if not isinstance(document, Mapping):
            raise Refused("bad_definition", "Each file must be an object with lists of definitions")
        for key, value in document.items():
            before = joined.get(key)
            if isinstance(before, list) and isinstance(value, list):
                joined[key] = before + value
            elif key in joined and before != value:
                raise Refused("bad_definition", f"The files do not agree on {key}: {before!r} and {value!r}")
            else:
                joined[key] = value
    return joined


def check_shape(document: object) -> None:
    """Refuse a document too large or too deep to read on, or with texts that no database can keep."""
    level, count = [("", document)], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_NODES:
            raise Refused("too_large", f"The definition holds more than {MAX_NODES} values")
        for path, text in level:
            if isinstance(text, str) and not is_storable(text):
                why = f"{text[:60]!r} holds a zero character or a lone surrogate"
                raise Refused("bad_value", why, errors=[FieldError(path, "bad_value", why)])
        level = [inner for path, outer in level for inner in _within(path, outer)]
        if not level:
            return
    raise Refused("bad_json", f"The definition is nested deeper than {MAX_DEPTH} levels")


def _within(path: str, outer: object) -> list[tuple[str, object]]:
    """Return what stands in ``outer``, each with its path; a key has the path of what it is a key of."""
    if isinstance(outer, Mapping):
        keys: list[tuple[str, object]] = [(path, key) for key in outer]
        return keys + [(f"{path}.{key}" if path else str(key), value) for key, value in outer.items()]
    return [(f"{path}[{at}]", value) for at, value in enumerate(outer)] if isinstance(outer, list) else []


def _load_json(text: str) -> object:
    try:
        return strict_json.read(text)
    except strict_json.TwinKey as twin:
        why = f"The key {twin.key!r} is given twice in one object"
        raise Refused("duplicate", why, errors=[FieldError(sendable(twin.key), "duplicate", why)]) from twin
    except ValueError as wrong:
        raise Refused("bad_json", f"The file is not valid JSON: {wrong}") from wrong


_READERS: dict[str, Callable[[str], object]] = {
    "application/json": _load_json,
    "application/yaml": read_yaml,
    "application/x-yaml": read_yaml,
    "text/yaml": read_yaml,
    "text/x-yaml": read_yaml,
}
