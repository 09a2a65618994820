"""YAML by the core schema of YAML 1.2, which is JSON's idea of scalars: ``no``, ``12:30`` and ``2026-11-01``
stay texts.

Tags, merge keys, aliases that multiply and keys given twice are refused.
"""

import re

import yaml

from controlplane.kernel.errors import FieldError, Refused

MAX_DEPTH = 32
MAX_NODES = 100_000
_MOST_DIGITS = 4_000  # Python reads no more, and says so in words for programmers
_RARE_BREAKS = frozenset("\x85\u2028\u2029")


def read_yaml(text: str) -> object:
    """Return the one document in ``text``; ``Refused`` when there is none, or one that is not safe."""
    try:
        document: object = yaml.load(text, Loader=_CoreLoader)  # noqa: S506 - a SafeLoader, narrowed
        return document
    except (yaml.YAMLError, ValueError) as wrong:
        raise Refused("bad_json", f"The file is not valid YAML: {' '.join(str(wrong).split())}") from wrong


def write_yaml(document: object) -> str:
    """Return YAML that ``read_yaml`` reads as the same, and that readers of YAML 1.1 do not misread."""
    return yaml.dump(document, Dumper=_CoreDumper, allow_unicode=True, sort_keys=False, width=100)


def sendable(key: str) -> str:
    """Return the key as a path that an answer can carry: a lone surrogate is a question mark in it."""
    return key.encode("utf-8", "replace").decode()


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
                why = f"The key {key.value!r} is given twice (line {key.start_mark.line + 1})"
                raise Refused("duplicate", why, errors=[FieldError(sendable(key.value), "duplicate", why)])
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def read_int(self, node: yaml.ScalarNode) -> int:
        if len(node.value) > _MOST_DIGITS:
            raise Refused("bad_json", f"A number in line {node.start_mark.line + 1} has too many digits")
        return int(node.value, 0 if node.value[:2] in ("0x", "0o") else 10)

    def read_float(self, node: yaml.ScalarNode) -> float:
        return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))


class _CoreDumper(yaml.SafeDumper):
    """Quotes every text that either version of YAML takes for something else; never writes an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        # Only a double-quoted scalar escapes those line breaks; in every other style they become spaces.
        style = '"' if _RARE_BREAKS & set(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_CoreDumper.add_representer(str, _CoreDumper.represent_text)
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
    for _class in (_CoreLoader, _CoreDumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)
