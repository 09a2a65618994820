"""status, incidents, why, ack, silence, impact: what is wrong, for whom, since when."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from controlplane.cli.client import Client, Json, part
from controlplane.cli.commands import Command
from controlplane.cli.output import Result, table
from controlplane.cli.reading import count
from controlplane.cli.surroundings import WronglyAsked
from controlplane.kernel import clock, durations
from controlplane.kernel.errors import Refused

_MOST_DIGITS = 18  # of what the control plane's database counts to
BAD = ("stale", "missing", "violating")


def _status(client: Client, words: Namespace) -> Result:
    project = part(client.around.require_project())
    health = client.get(f"projects/{project}/health")
    behind = health["monitoring"]
    rows = [(v["view"], v["state"], v["since"], v["reason"], v["incidents"]) for v in health["items"]]
    numbers = sorted({number for view in health["items"] for number in view["incidents"]})
    incidents = [client.get(f"incidents/{number}") for number in numbers]
    lines = table(("view", "state", "since", "why", "incidents"), rows)
    lines += [line for incident in incidents for line in ("", *_whole(incident))]
    lines += ["", behind["sentence"]] if behind["behind"] else []
    is_good = not behind["behind"] and all(view["state"] not in BAD for view in health["items"])
    return Result({**health, "open_incidents": incidents}, lines, ok=is_good)


def _incidents(client: Client, words: Namespace) -> Result:
    project = part(client.around.require_project())
    found = list(client.items(f"projects/{project}/incidents", {"state": words.state}, most=words.limit))
    rows = [
        (i["name"], i["state"], i["severity"], i["kind"], i["service"], i["view"], i["summary"])
        for i in found
    ]
    return Result(found, table(("incident", "state", "severity", "kind", "service", "view", "what"), rows))


def _why(client: Client, words: Namespace) -> Result:
    incident = client.get(f"incidents/{_number(words.incident)}")
    return Result(incident, _whole(incident))


def _ack(client: Client, words: Namespace) -> Result:
    incident = client.post(f"incidents/{_number(words.incident)}/acknowledge")
    return Result(incident, [f"{incident['name']} is acknowledged by {incident['acknowledged_by']}."])


def _silence(client: Client, words: Namespace) -> Result:
    try:
        lasts = durations.parse(words.span)
    except Refused as wrong:
        raise WronglyAsked(f"--for {words.span}: {wrong.detail}") from wrong
    if words.view:
        client.require_view(words.view)  # a silence of what is not there would keep nobody quiet
    named = {"project": client.around.require_project(), "view": words.view, "owner": words.owner}
    matchers = [
        {"label": label, "op": "=", "value": value} for label, value in named.items() if value is not None
    ]
    ends_at = (clock.now() + lasts).isoformat()
    made = client.post("silences", {"matchers": matchers, "ends_at": ends_at, "reason": words.reason})
    return Result(made, [f"silence {made['id']} lasts until {_instant(made['ends_at'])}"])


def _impact(client: Client, words: Namespace) -> Result:
    node = words.node if ":" in words.node else f"view:{client.around.require_project()}/{words.node}"
    answer = client.get("lineage/impact", {"node": node})
    lines = table(("kind", "below"), [(one["kind"], one["id"]) for one in answer["affected"]])
    hidden = [f"and {answer['hidden']} in other projects"] if answer["hidden"] else []
    return Result(answer, [*lines, *hidden])


def _whole(incident: Json) -> list[str]:
    cause, affected = incident["cause"], incident["affected"]
    whom = f"{incident['service']}: {incident['view']}, " if incident["service"] else ""
    lines = [f"{incident['name']}  {incident['state']}  {whom}{incident['summary']}"]
    if cause:
        lines.append(f"  cause     {cause['node']}: {cause['reason']} (confidence {cause['confidence']})")
    lines += [f"  or        {other['node']}: {other['reason']}" for other in incident["other_causes"] or ()]
    for word, names in (("services", affected["services"]), ("models", affected["models"])):
        lines += [f"  {word:<9} {', '.join(names)}"] if names else []
    return [*lines, f"  since     {_instant(incident['opened_at'])}"]


def _number(text: str) -> int:
    digits = text.upper().removeprefix("INC-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
        raise WronglyAsked(f"{text[:40]!r} is no incident: write its number, 12 or INC-12.")
    return int(digits)


def _instant(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _incidents_words(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--state", default="open,acknowledged", help="open, acknowledged, resolved, or all (%(default)s)"
    )
    parser.add_argument("--limit", type=count, default=50, help="at most so many (%(default)s)")


def _one_incident(parser: ArgumentParser) -> None:
    parser.add_argument("incident", metavar="INCIDENT", help="12 or INC-12")


def _silence_words(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--for", dest="span", metavar="SPAN", required=True, help="how long: 30m, 4h, at most 30d"
    )
    parser.add_argument("--reason", metavar="TEXT", required=True)
    parser.add_argument("--view", help="only this view; else the whole project")
    parser.add_argument("--owner", help="only what this team owns")


def _impact_words(parser: ArgumentParser) -> None:
    parser.add_argument(
        "node", metavar="NODE", help="a view's name, or dataset:<ns>|<name>, job:..., view:..."
    )


COMMANDS = (
    Command(
        "status",
        "what is stale now, for whom and why; exits 1 unless all is well",
        lambda parser: None,
        _status,
    ),
    Command("incidents", "list incidents, the newest first", _incidents_words, _incidents),
    Command("why", "the cause of an incident, and whom it reaches", _one_incident, _why),
    Command("ack", "acknowledge an incident", _one_incident, _ack),
    Command("silence", "notify nobody for a while", _silence_words, _silence),
    Command("impact", "everything downstream of a node", _impact_words, _impact),
)
