"""The command line of ./dev."""

import argparse
import errno
import sys
from collections.abc import Callable
from pathlib import Path

from tools import attending, checking, fuzzing, locking, mutating, resting, running, stressing, testing
from tools.console import RED, Failure, coloured, say
from tools.places import DEFAULT_HOME

_SUPERVISE = "supervise"
_NOT_YOURS = "This folder must be yours to write; --home DIR keeps all state elsewhere."
# What a person can do about a disk that refuses; any other error of the system is a defect of ours.
_UNWRITABLE = {
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.EROFS: _NOT_YOURS,
    errno.ENOSPC: "Make room, or keep all state on another disk with --home DIR.",
}


def main(words: list[str]) -> int:
    """Run one command and return its exit code."""
    arguments = (_internal() if words[:1] == [_SUPERVISE] else parser()).parse_args(words)
    chosen: Callable[[argparse.Namespace], int | None] = arguments.run
    try:
        return chosen(arguments) or 0
    except Failure as failure:
        say()
        say(coloured(str(failure), RED))
        return 1
    except OSError as refusal:
        if refusal.errno not in _UNWRITABLE:
            raise
        say()
        say(coloured(f"{refusal.filename}: {refusal.strerror}. {_UNWRITABLE[refusal.errno]}", RED))
        return 1
    except KeyboardInterrupt:
        say()
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    whole = argparse.ArgumentParser(prog="./dev", description="Run, test and check the project.")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    _add_running(commands)
    _add_working(commands)
    return whole


def _internal() -> argparse.ArgumentParser:
    """Return the parser of what `up --detach` starts, which is not for people."""
    internal = argparse.ArgumentParser(prog="./dev")
    internal.add_argument("command", choices=[_SUPERVISE])
    internal.add_argument("home", type=Path)
    internal.add_argument("lock", type=int)
    internal.set_defaults(run=lambda arguments: running.supervise_detached(arguments.home, arguments.lock))
    return internal


def _add_running(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = commands.add_parser("up", help="install, build and start everything; Ctrl-C stops it")
    _add_home(up)
    up.add_argument("--empty", action="store_true", help="without the demo")
    up.add_argument("--port", type=_port, metavar="N", help=f"of the web UI and API ({running.DEFAULT_PORT})")
    up.add_argument(
        "--serving-port", type=_port, metavar="N", help=f"of lookups ({running.DEFAULT_SERVING_PORT})"
    )
    up.add_argument("--detach", action="store_true", help="return when ready and leave it running")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="stop it; nothing is left running")
    _add_home(down)
    down.set_defaults(run=lambda arguments: attending.down(arguments.home))

    status = commands.add_parser("status", help="what runs where; exit code 0 ready, 1 not all, 3 nothing")
    _add_home(status)
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=lambda arguments: attending.status(arguments.home, as_json=arguments.json))

    stop = commands.add_parser("stop", help="end single processes and keep them down: ./dev stop web beat")
    _add_home(stop)
    stop.add_argument("--kill", action="store_true", help="at once, as a crash would")
    stop.add_argument("names", nargs="+", metavar="NAME", help="as ./dev status lists them")
    stop.set_defaults(
        run=lambda arguments: resting.stop(arguments.home, arguments.names, kill=arguments.kill)
    )

    start = commands.add_parser("start", help="let processes that were stopped run again")
    _add_home(start)
    start.add_argument("names", nargs="+", metavar="NAME", help="as ./dev status lists them")
    start.set_defaults(run=lambda arguments: resting.start(arguments.home, arguments.names))

    demo = commands.add_parser("demo", help="play with the demo: ./dev demo break weather")
    _add_home(demo)
    demo.add_argument("words", nargs=argparse.REMAINDER, help="passed on")
    demo.set_defaults(run=lambda arguments: attending.demo(arguments.home, arguments.words))


def _add_working(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    test = commands.add_parser("test", help="all tests, on their own servers; one summary")
    test.add_argument("--fast", action="store_true", help=f"only {', '.join(testing.FAST)}")
    test.add_argument("--only", action="append", choices=testing.NAMES, default=[], help="may be repeated")
    test.add_argument("paths", nargs="*", help="only these files or folders, of whatever language")
    test.set_defaults(
        run=lambda arguments: testing.run_tests(
            fast=arguments.fast, only=arguments.only, paths=arguments.paths
        )
    )

    check = commands.add_parser("check", help="test, and linters, types and import rules before it")
    names = (*checking.NAMES, *testing.NAMES)
    check.add_argument("--only", action="append", choices=names, default=[], help="may be repeated")
    check.set_defaults(run=lambda arguments: checking.check(only=arguments.only))

    mutate = commands.add_parser("mutate", help="break rules on purpose; each must turn a test red")
    mutate.add_argument(
        "rules",
        nargs="*",
        help="of tests/mutations.txt by name, as a range (first..last), or by the code they break"
        " (monitors, serving/internal/bundle); all when none is given",
    )
    mutate.add_argument(
        "--resume", action="store_true", help="without those that turned red before and are unchanged"
    )
    mutate.set_defaults(run=lambda arguments: mutating.mutate(arguments.rules, resume=arguments.resume))

    fuzz = commands.add_parser("fuzz", help="feed every decoder of serving with made-up bytes")
    fuzz.add_argument("--minutes", type=float, default=1.0, metavar="N", help="for each target (1)")
    fuzz.add_argument(
        "--target", action="append", default=[], help="only this one, by name or package; may be repeated"
    )
    fuzz.add_argument("--list", action="store_true", help="say which targets there are, and end")
    fuzz.set_defaults(
        run=lambda arguments: fuzzing.fuzz(
            minutes=arguments.minutes, targets=arguments.target, listing=arguments.list
        )
    )

    stress = commands.add_parser("stress", help="load serving while everything around it breaks")
    stress.add_argument("--minutes", type=float, default=5.0, metavar="N", help="at least so long (5)")
    stress.set_defaults(run=lambda arguments: stressing.stress(minutes=arguments.minutes))

    lock = commands.add_parser("lock", help="lock requirements/*.in, with hashes")
    lock.add_argument("--upgrade", action="store_true", help="to the newest allowed versions")
    lock.set_defaults(run=lambda arguments: locking.lock(upgrade=arguments.upgrade))


def _up(arguments: argparse.Namespace) -> None:
    running.up(
        running.Wish(
            home=arguments.home,
            port=arguments.port,
            serving_port=arguments.serving_port,
            empty=arguments.empty,
            detach=arguments.detach,
        )
    )


def _add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home",
        type=Path,
        default=DEFAULT_HOME,
        metavar="DIR",
        help=f"folder of all state ({DEFAULT_HOME.name})",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
