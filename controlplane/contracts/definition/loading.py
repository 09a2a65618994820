"""From the text of a definition file to plain lists and mappings, safely.

YAML is read by the rules of YAML 1.2's core schema, which is JSON's idea of scalars: ``no``, ``12:30`` and
``2026-11-01`` stay texts. Tags, merge keys, aliases that multiply and keys given twice are refused.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping

import yaml

from controlplane.kernel.errors import Refused

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 100_000
_UNSTORABLE = re.compile("[\\0\ud800-\udfff]")


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
    level, count = [document], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_NODES:
            raise Refused("too_large", f"The definition holds more than {MAX_NODES} values")
        for text in level:
            if isinstance(text, str) and _UNSTORABLE.search(text):
                raise Refused("bad_value", f"{text[:60]!r} holds a zero character or a lone surrogate")
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return
    raise Refused("bad_json", f"The definition is nested deeper than {MAX_DEPTH} levels")


def _within(outer: object) -> list[object]:
    if isinstance(outer, Mapping):
        return [*outer, *outer.values()]
    return outer if isinstance(outer, list) else []


def _load_json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_twins)
    except ValueError as wrong:  # also what the hooks raise, and an integer of thousands of digits
        raise Refused("bad_json", f"The file is not valid JSON: {wrong}") from wrong


def _refuse_constant(text: str) -> None:
    raise ValueError(f'{text} is no JSON; write it as a string, "{text}"')


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document: dict[str, object] = {}
    for key, value in pairs:
        if key in document:
            raise Refused("duplicate", f"The key {key!r} is given twice in one object")
        document[key] = value
    return document


def _load_yaml(text: str) -> object:
    try:
        document: object = yaml.load(text, Loader=_CoreLoader)  # noqa: S506 - a SafeLoader, narrowed
        return document
    except (yaml.YAMLError, ValueError) as wrong:
        raise Refused("bad_json", f"The file is not valid YAML: {' '.join(str(wrong).split())}") from wrong


class _CoreLoader(yaml.SafeLoader):
    """Scalars by the core schema; counts what aliases would expand to."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    yaml_constructors = {
        tag: build
        for tag, build in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "bool", "str", "seq", "map")
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0
        self._nodes = 0
        self._sizes: dict[int, int] = {}  # id of an anchored node -> nodes in it, itself included

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        before = self._nodes
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Refused("bad_json", f"The file is nested deeper than {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self._sizes:
                raise Refused("bad_json", f"The alias *{event.anchor} refers to what it is a part of")
            self._nodes += self._sizes[id(node)]
        else:
            self._nodes += 1
            self._sizes[id(node)] = self._nodes - before
        if self._nodes > MAX_NODES:
            raise Refused("too_large", f"The file holds more than {MAX_NODES} values, aliases expanded")
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise Refused("bad_json", f"A key in line {key.start_mark.line + 1} is no text")
            if key.value in seen:
                raise Refused(
                    "duplicate", f"The key {key.value!r} is given twice (line {key.start_mark.line + 1})"
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def read_int(self, node: yaml.ScalarNode) -> int:
        return int(node.value, 0 if node.value[:2] in ("0x", "0o") else 10)

    def read_float(self, node: yaml.ScalarNode) -> float:
        return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))


_CoreLoader.add_constructor("tag:yaml.org,2002:int", _CoreLoader.read_int)
_CoreLoader.add_constructor("tag:yaml.org,2002:float", _CoreLoader.read_float)
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)

_READERS: dict[str, Callable[[str], object]] = {
    "application/json": _load_json,
    "application/yaml": _load_yaml,
    "application/x-yaml": _load_yaml,
    "text/yaml": _load_yaml,
    "text/x-yaml": _load_yaml,
}
