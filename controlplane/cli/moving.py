"""runs, run, push, refused, redrive: rows on their way in."""

import time
from argparse import ArgumentParser, Namespace
from collections import Counter

from controlplane.cli.client import Client, Json, part
from controlplane.cli.commands import Command
from controlplane.cli.output import Result, table
from controlplane.cli.reading import count, read_file, rows_in, to_json
from controlplane.cli.surroundings import WronglyAsked

ROWS_A_REQUEST = 1_000
ENDED = ("succeeded", "failed", "aborted", "held")
LOOK_EVERY_SECONDS = 0.5


def _runs(client: Client, words: Namespace) -> Result:
    query = {name: value for name in ("view", "lane", "state") if (value := getattr(words, name)) is not None}
    project = part(client.around.require_project())
    found = list(client.items(f"projects/{project}/runs", query, most=words.limit))
    if words.view and not found:
        client.require_view(words.view)
    return Result(found, _run_table(found))


def _run(client: Client, words: Namespace) -> Result:
    project = part(client.around.require_project())
    body = {"lane": "batch", "full": words.full}
    answer = client.post(f"projects/{project}/feature-views/{part(words.view)}/runs", body)
    number = answer["run"]["id"]
    if not words.wait:
        return Result(answer, [f"run {number} is queued: freshline runs --view {words.view}"])
    run = _await(client, number)
    error = [f"{run['error']['code']}: {run['error']['message']}"] if run["error"] else []
    return Result(run, [*_run_table([run]), *error], ok=run["state"] == "succeeded")


def _await(client: Client, number: int) -> Json:
    """Look until the run has ended; whoever waits too long presses Ctrl-C, and the run goes on."""
    while True:
        run = client.get(f"runs/{number}")
        if run["state"] in ENDED:
            return run
        time.sleep(LOOK_EVERY_SECONDS)


def _run_table(runs: list[Json]) -> list[str]:
    counted = ("read", "written", "unchanged", "refused")
    rows = [
        (r["id"], r["view"], r["lane"], r["state"], *(r["counts"][name] for name in counted), r["queued_at"])
        for r in runs
    ]
    return table(("run", "view", "lane", "state", *counted, "queued"), rows)


def _push(client: Client, words: Namespace) -> Result:
    rows = rows_in(read_file(words.file), words.file)
    path = f"projects/{part(client.around.require_project())}/feature-views/{part(words.view)}/rows"
    starts = range(0, len(rows), ROWS_A_REQUEST)
    # All of them are made before the first is sent: a file that cannot be sent whole is not sent at all.
    bodies = [to_json({"rows": rows[start : start + ROWS_A_REQUEST]}) for start in starts]
    totals: Counter[str] = Counter(written=0, older=0, unchanged=0)
    refused = []
    for start, body in zip(starts, bodies, strict=True):
        answer = client.post_json(path, body)
        totals.update({name: answer[name] for name in totals})
        refused += [{**fault, "index": start + fault["index"]} for fault in answer["refused"]]
    lines = [", ".join(f"{count} {name}" for name, count in totals.items()) + f", {len(refused)} refused"]
    lines += [f"  row {fault['index']}: {fault['message']}" for fault in refused[:20]]
    return Result({**totals, "refused": refused}, lines, ok=not refused)


def _refused(client: Client, words: Namespace) -> Result:
    query = {"view": words.view} if words.view else {}
    project = part(client.around.require_project())
    found = list(client.items(f"projects/{project}/refused-rows", query, most=words.limit))
    if words.view and not found:
        client.require_view(words.view)
    rows = [(r["id"], r["view"], r["lane"], r["field"], r["code"], r["received_at"]) for r in found]
    return Result(found, table(("id", "view", "lane", "field", "code", "received"), rows))


def _redrive(client: Client, words: Namespace) -> Result:
    if bool(words.ids) == bool(words.view):
        raise WronglyAsked("Name refused rows by id, or all of one view with --view.")
    body = {"view": words.view} if words.view else {"ids": words.ids}
    answer = client.post(f"projects/{part(client.around.require_project())}/refused-rows/redrive", body)
    if words.view and not any(answer.values()):
        client.require_view(words.view)
    return Result(answer, [", ".join(f"{count} {name}" for name, count in answer.items())])


def _runs_words(parser: ArgumentParser) -> None:
    parser.add_argument("--view", help="of this feature view only")
    parser.add_argument("--lane", choices=("batch", "stream", "direct"))
    parser.add_argument("--state", choices=("queued", "running", "held", "succeeded", "failed", "aborted"))
    parser.add_argument("--limit", type=count, default=20, help="at most so many (%(default)s)")


def _run_words(parser: ArgumentParser) -> None:
    parser.add_argument("view", metavar="VIEW")
    parser.add_argument("--full", action="store_true", help="write every row, changed or not")
    parser.add_argument("--wait", action="store_true", help="until it has ended; exits 1 unless it succeeded")


def _push_words(parser: ArgumentParser) -> None:
    parser.add_argument("view", metavar="VIEW")
    parser.add_argument("file", metavar="FILE", help="JSON lines or a JSON array; - reads what is piped in")


def _refused_words(parser: ArgumentParser) -> None:
    parser.add_argument("--view", help="of this feature view only")
    parser.add_argument("--limit", type=count, default=50, help="at most so many (%(default)s)")


def _redrive_words(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", type=int, nargs="*", help="refused rows, by id")
    parser.add_argument("--view", help="all of this feature view")


COMMANDS = (
    Command("runs", "list runs, the newest first", _runs_words, _runs),
    Command("run", "queue a batch run of a view", _run_words, _run),
    Command("push", "write rows directly; exits 1 if some were refused", _push_words, _push),
    Command("refused", "list refused rows and why", _refused_words, _refused),
    Command("redrive", "send refused rows through their lane again", _redrive_words, _redrive),
)
