"""Reading a definition file: ``load`` text into a document, ``parse`` the document into a Definition.

Problems are collected, not thrown one by one: a person who fixes a file wants to see them all.
"""

from controlplane.contracts.definition.core_yaml import write_yaml
from controlplane.contracts.definition.loading import join, load
from controlplane.contracts.definition.parsing import merge, parse

__all__ = ["join", "load", "merge", "parse", "write_yaml"]
