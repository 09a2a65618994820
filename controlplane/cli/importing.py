"""import: definition files made of what other products keep."""

from argparse import ArgumentParser, Namespace

from controlplane.cli import feast_repository
from controlplane.cli.client import Client, Json, part
from controlplane.cli.commands import Command
from controlplane.cli.feast_repository import KEY_VERSION, Repository
from controlplane.cli.output import Result
from controlplane.cli.reading import read_file
from controlplane.cli.yaml_text import to_yaml


def _import(client: Client, words: Namespace) -> Result:
    found = feast_repository.find(words.path)
    project = words.project or found.project or client.around.require_project()
    query = {
        name: value
        for name, value in (
            ("feast_project", words.feast_project or found.project),
            ("store", words.store),
        )
        if value
    }
    answer = client.post_file(
        f"projects/{part(project)}/import/feast",
        read_file(str(found.registry)),
        query=query,
        media_type="application/x-protobuf",
    )
    lines = [to_yaml(answer["definition"])]
    return Result(answer, lines, asides=[*_told(answer), *_warned(found, words.store)])


def _told(answer: Json) -> list[str]:
    told = []
    for what, remarks in (
        ("Not carried over", answer["not_carried_over"]),
        ("Carried over differently", answer["changed"]),
    ):
        told += [f"{what}:"] if remarks else []
        told += [f"  {each['kind']} {each['name']}: {each['reason']}" for each in remarks]
    return told


def _warned(found: Repository, store: str | None) -> list[str]:
    if store is None or found.key_version == KEY_VERSION:
        return []
    return [
        f"Feast writes entity keys of version {found.key_version} here, and only version {KEY_VERSION} can be"
        f" read: nothing will be found in the store {store}."
    ]


def _import_words(parser: ArgumentParser) -> None:
    parser.add_argument("format", choices=("feast",), help="what is imported")
    parser.add_argument("path", metavar="PATH", help="a Feast repository, or its registry file")
    parser.add_argument("--feast-project", metavar="NAME", help="the project in the registry")
    parser.add_argument(
        "--store", metavar="NAME", help="where the project lives; a store of Feast's is read in place"
    )


COMMANDS = (
    Command(
        "import",
        "print the definition file that says what a Feast repository says; what it cannot say, on stderr",
        _import_words,
        _import,
    ),
)
