"""plan, apply, export: definition files."""

from argparse import ArgumentParser, Namespace

from controlplane.cli.client import Client, Json, part
from controlplane.cli.commands import Command
from controlplane.cli.output import Result, table
from controlplane.cli.reading import project_in, read_file
from controlplane.cli.surroundings import WronglyAsked
from controlplane.cli.yaml_text import to_yaml


def _plan(client: Client, words: Namespace) -> Result:
    content = read_file(words.file)
    query = {"retire_absent": "true"} if words.retire_absent else {}
    answer = client.post_file(f"projects/{_project(client, words, content)}/plan", content, query=query)
    lines = [*_changes(answer), "", f"digest {answer['digest']}"]
    return Result(answer, lines, ok=all(change["level"] != "breaking" for change in answer["changes"]))


def _apply(client: Client, words: Namespace) -> Result:
    if words.force and not words.reason:
        raise WronglyAsked("--force needs --reason: why breaking a consumer is right this time.")
    content = read_file(words.file)
    query = {
        name: value
        for name, value in (
            ("retire_absent", "true" if words.retire_absent else ""),
            ("force", "true" if words.force else ""),
            ("reason", words.reason),
            ("plan", words.plan),
        )
        if value
    }
    answer = client.post_file(f"projects/{_project(client, words, content)}/apply", content, query=query)
    bundle = answer["bundle"]
    return Result(answer, [*_changes(answer), "", f"bundle {bundle['number']}, digest {bundle['digest']}"])


def _export(client: Client, words: Namespace) -> Result:
    document = client.get(f"projects/{part(client.around.require_project())}/export")
    return Result(document, [to_yaml(document)])


def _project(client: Client, words: Namespace, content: bytes) -> str:
    """Return the project that was named, else the file's own; the control plane checks that they agree."""
    named = words.project or project_in(content, words.file)
    return part(named or client.around.require_project())


def _changes(answer: Json) -> list[str]:
    changed = [change for change in answer["changes"] if change["action"] != "none"]
    if not changed:
        return ["Nothing changes."]
    rows = [
        (c["action"], c["level"], f"{c['kind']} {c['name']}", "; ".join(c["reasons"]), c["consumers"])
        for c in changed
    ]
    return table(("action", "level", "what", "why", "consumers"), rows)


def _file_words(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="definition file, YAML or JSON; - reads a pipe")
    parser.add_argument(
        "--retire-absent", action="store_true", help="retire what the file leaves out; else it stays as it is"
    )


def _apply_words(parser: ArgumentParser) -> None:
    _file_words(parser)
    parser.add_argument("--plan", metavar="DIGEST", help="apply only what this plan showed")
    parser.add_argument("--force", action="store_true", help="let breaking changes pass; needs --reason")
    parser.add_argument("--reason", metavar="TEXT", help="why, for the audit log")


COMMANDS = (
    Command(
        "plan",
        "say what a definition file would change, and for whom; exits 1 if it breaks somebody",
        _file_words,
        _plan,
    ),
    Command("apply", "apply a definition file: all of it or nothing", _apply_words, _apply),
    Command("export", "print the definition file that gives the project", lambda parser: None, _export),
)
