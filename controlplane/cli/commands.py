"""What a command is: a name, a sentence, its words, and what it does."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from controlplane.cli.client import Client
from controlplane.cli.output import Result


@dataclass(frozen=True, slots=True)
class Command:
    """One word after ``freshline``."""

    name: str
    help: str
    add_words: Callable[[ArgumentParser], None]
    run: Callable[[Client, Namespace], Result]
