"""Documents as YAML that reads back as what it was."""

import re
from typing import Any

import yaml

# Breaks of a line to YAML: outside double quotes PyYAML writes them as they are, and they read as spaces.
_BREAKS = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _BREAKS.search(text) else None)


_Dumper.add_representer(str, _text)


def to_yaml(document: Any) -> str:
    """Return the document as YAML, in the order that it has, without the last line's end."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True).rstrip("\n")
