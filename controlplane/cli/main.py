"""``freshline``: the words of the command line, and what they exit with."""

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence

import httpx

from controlplane.cli import defining, importing, looking, moving, surroundings, watching
from controlplane.cli.client import Client
from controlplane.cli.reading import check_words
from controlplane.cli.surroundings import CannotGoOn, WronglyAsked

COMMANDS = (*defining.COMMANDS, *importing.COMMANDS, *watching.COMMANDS, *moving.COMMANDS, *looking.COMMANDS)
OK, FAILED, WRONGLY_ASKED, INTERRUPTED = 0, 1, 2, 130


def parser() -> ArgumentParser:
    """Return the parser of the command line."""
    variables = "\n".join(f"  {name:<24}{text}" for name, text in surroundings.VARIABLES.items())
    main_parser = ArgumentParser(
        prog="freshline",
        description="Registers features, moves rows, and says what is stale, for whom and why.",
        epilog=f"environment:\n{variables}\n\nexits: 0 fine; 1 a check failed, or refused; 2 wrongly asked",
        formatter_class=RawDescriptionHelpFormatter,
    )
    below = main_parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        words = below.add_parser(command.name, help=command.help, description=_sentence(command.help))
        command.add_words(words)
        words.add_argument("--project", help="the project; else FRESHLINE_PROJECT")
        words.add_argument("-o", "--output", choices=("table", "json"), default="table")
        words.add_argument(
            "--json", dest="output", action="store_const", const="json", help="the same as -o json"
        )
        words.set_defaults(run=command.run)
    return main_parser


def main(
    arguments: Sequence[str] | None = None,
    *,
    variables: Mapping[str, str] = os.environ,
    transport: httpx.BaseTransport | None = None,
) -> int:
    """Run one command; returns what the process exits with. ``transport`` carries the requests."""
    words = parser().parse_args(arguments)
    try:
        check_words(sys.argv[1:] if arguments is None else arguments)
        check_words(variables.get(name, "") for name in surroundings.VARIABLES if "TOKEN" not in name)
        return _run(words, variables, transport)
    except WronglyAsked as wrong:
        print(f"freshline: {wrong}", file=sys.stderr)
        return WRONGLY_ASKED
    except CannotGoOn as wrong:
        print(f"freshline: {wrong}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(words: Namespace, variables: Mapping[str, str], transport: httpx.BaseTransport | None) -> int:
    client = Client(surroundings.read(variables, project=words.project), transport=transport)
    result = words.run(client, words)
    as_json = words.output == "json"
    _print(result.text(as_json=as_json))
    for line in () if as_json else result.asides:
        print(line, file=sys.stderr)
    return OK if result.ok else FAILED


def _print(text: str) -> None:
    """Print now, so that what goes wrong is known here."""
    try:
        print(text, flush=True)
    except OSError as wrong:
        # Python writes what is left once more when it ends: nobody is to hear of it twice.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(wrong, BrokenPipeError):  # whoever reads may leave when they have seen enough
            raise CannotGoOn(f"cannot write what was found: {wrong.strerror}") from wrong


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    sys.exit(main())
