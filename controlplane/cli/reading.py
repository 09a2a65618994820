"""What a command is given: files, pipes and words. Whatever is wrong with them is ``WronglyAsked``."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterable
from pathlib import Path

import yaml

from controlplane.cli.surroundings import WronglyAsked
from controlplane.kernel import strict_json


def read_file(path: str) -> bytes:
    """Return a file's bytes; ``-`` is what is piped in."""
    if path == "-" and sys.stdin is None:
        raise WronglyAsked("-: nothing is piped in")
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as wrong:
        raise WronglyAsked(f"{path}: {wrong.strerror}") from wrong


def rows_in(content: bytes, name: str) -> list[object]:
    """Return the rows of a JSON array, or of JSON lines."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise WronglyAsked(f"{name} is not UTF-8: byte {wrong.start}") from wrong
    try:
        if text.lstrip().startswith("["):
            rows = strict_json.read(text)
            return rows if isinstance(rows, list) else [rows]
        return [strict_json.read(line) for line in text.split("\n") if line.strip()]
    except ValueError as wrong:
        raise WronglyAsked(f"{name} is neither a JSON array nor JSON lines: {wrong}") from wrong
    except RecursionError as wrong:
        raise WronglyAsked(f"{name} is nested too deeply") from wrong


def project_in(content: bytes, name: str) -> str:
    """Return the project that a definition file names, "" if it names none.

    Nothing else in it is judged here: the control plane does that.
    """
    try:
        document = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts, lists and maps only
    except yaml.YAMLError as wrong:
        raise WronglyAsked(f"{name} is neither YAML nor JSON: {wrong}") from wrong
    except RecursionError as wrong:
        raise WronglyAsked(f"{name} is nested too deeply") from wrong
    named = document.get("project") if isinstance(document, dict) else None
    return str(named or "")


def count(text: str) -> int:
    """Return what ``--limit`` names."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise ArgumentTypeError(f"{text[:20]!r}: write a whole number from 1")
    return int(text)


def scalar(text: str) -> int | float | str:
    """Return a number where JSON has one; everything else is text."""
    try:
        found = strict_json.read(text)
        json.dumps(found, allow_nan=False)  # 1e999 is read as an infinity, which JSON cannot say
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, int | float) and not isinstance(found, bool) else text


def to_json(body: object) -> bytes:
    """Return a request's body."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as wrong:
        raise _unsendable(wrong) from wrong
    except ValueError as wrong:
        raise WronglyAsked("A number is larger than a number can be.") from wrong


def check_words(words: Iterable[str]) -> None:
    """Refuse words that no request can carry: what was typed is not UTF-8."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError as wrong:
            raise _unsendable(wrong) from wrong


def _unsendable(wrong: UnicodeEncodeError) -> WronglyAsked:
    around = wrong.object[max(0, wrong.start - 20) : wrong.end + 20]
    return WronglyAsked(f"{around!r} cannot be sent: it holds a lone surrogate, or is not UTF-8.")
