"""lookup, explain, doctor: what serving answers, and whether the installation is well."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from controlplane.cli.client import JSON, Client, part
from controlplane.cli.commands import Command
from controlplane.cli.output import Result, table
from controlplane.cli.reading import scalar, to_json
from controlplane.cli.surroundings import CannotGoOn, WronglyAsked


def _lookup(client: Client, words: Namespace) -> Result:
    if bool(words.features) == bool(words.service):
        raise WronglyAsked("Name features (VIEW:FEATURE ...), or a feature service with --service.")
    entities: dict[str, list[object]] = {}
    for key in words.key:
        name, equals, value = key.partition("=")
        if not equals:
            raise WronglyAsked(f"--key {key}: write NAME=VALUE; again for another row or join key.")
        entities.setdefault(name, []).append(scalar(value))
    asked = {"feature_service": words.service} if words.service else {"features": words.features}
    body = {"project": client.around.require_project(), **asked, "entities": entities}
    answer = client.ask_serving("POST", "v1/lookup", content=to_json(body), headers=JSON)
    rows = [
        (
            row,
            column["name"],
            column["values"][row],
            column["verdicts"][row],
            _seconds(column["ages_us"][row]),
        )
        for row in range(answer["rows"])
        for column in answer["columns"]
    ]
    rejected = [f"row {one['row']} is rejected" for one in answer["rejected"]]
    lines = [*table(("row", "feature", "value", "verdict", "age"), rows), *rejected]
    return Result(answer, lines, ok=not answer["rejected"])


def _explain(client: Client, words: Namespace) -> Result:
    view, dot, feature = words.feature.partition(".")
    if not dot:
        raise WronglyAsked(f"{words.feature!r}: write VIEW.FEATURE.")
    query = {
        "project": client.around.require_project(),
        "view": view,
        "feature": feature,
        "key": words.key,
        **({"feature_service": words.service} if words.service else {}),
    }
    answer = client.ask_serving("GET", "v1/explain", params=query)
    return Result(answer, table(("what", "said"), [(k, _plain(v)) for k, v in answer.items()]))


def _doctor(client: Client, words: Namespace) -> Result:
    checks: tuple[tuple[str, Callable[[Client], str]], ...] = (
        ("control plane", _ready(client.around.url, "readyz")),
        ("token", _token),
        ("serving", _ready(client.around.serving_url, "ready")),
    )
    found = []
    for name, check in checks:
        try:
            found.append({"check": name, "ok": True, "detail": check(client)})
        except CannotGoOn as wrong:
            found.append({"check": name, "ok": False, "detail": str(wrong)})
    rows = [(one["check"], "ok" if one["ok"] else "FAILED", one["detail"]) for one in found]
    return Result(found, table(("check", "", "detail"), rows), ok=all(one["ok"] for one in found))


def _ready(url: str, path: str) -> Callable[[Client], str]:
    def check(client: Client) -> str:
        status, text = client.status(f"{url}/{path}")
        if status != 200:
            raise CannotGoOn(f"{url} is not ready: {text[:300]}")
        return f"{url} is ready"

    return check


def _token(client: Client) -> str:
    if not client.around.token:
        raise CannotGoOn("There is none: set FRESHLINE_TOKEN or FRESHLINE_TOKEN_FILE.")
    if client.around.project:
        client.get(f"projects/{part(client.around.project)}")
        return f"it reads project {client.around.project}"
    count = len(list(client.items("projects", most=1_000)))
    return f"it knows {count} projects"


def _plain(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _seconds(age_us: int | None) -> str | None:
    return None if age_us is None else f"{age_us / 1e6:.1f} s"


def _lookup_words(parser: ArgumentParser) -> None:
    parser.add_argument("features", metavar="VIEW:FEATURE", nargs="*")
    parser.add_argument("--service", help="what this feature service names, under its terms")
    parser.add_argument(
        "--key", metavar="NAME=VALUE", action="append", required=True, help="again for more rows"
    )


def _explain_words(parser: ArgumentParser) -> None:
    parser.add_argument("feature", metavar="VIEW.FEATURE")
    parser.add_argument("--key", required=True, help="the value of the join key, or a JSON object of several")
    parser.add_argument("--service", help="under the terms of this feature service")


COMMANDS = (
    Command("lookup", "ask serving for values; exits 1 if a row is rejected", _lookup_words, _lookup),
    Command("explain", "all that led to one value", _explain_words, _explain),
    Command(
        "doctor", "check addresses, token and serving, and say what to fix", lambda parser: None, _doctor
    ),
)
