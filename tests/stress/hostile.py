"""Callers who send nonsense, too much or half of it, leave early, or ask why."""

import json
import socket
import time
from urllib.parse import urlencode

from tests.stress import story
from tests.stress.clients import Answered, Client, Question

MAX_BODY = 400_000
_LEFT = 200  # who leaves early hears nothing, and that is right


class Hostile(Client):
    """Every answer must be a refusal that says why: a status from 400 to 431 with a body of JSON."""

    kind = "hostile"

    def once(self) -> None:
        act = self.random.choice((self._garbage, self._wrong, self._too_large, self._too_many, self._leave))
        began = time.monotonic()
        try:
            code, said = act()
        except (OSError, ConnectionError):
            # A server that refuses a body does not read it to its end; the sender may learn of that first.
            code, said = (413, "{}") if act == self._too_large else (0, "")
            self.hang_up()
        self.notes.counts[f"{self.kind} {act.__name__.strip('_')} {code}"] += 1
        if time.monotonic() - began > self.deadline + 3 or (code != _LEFT and not _is_refusal(code, said)):
            self.notes.wrong.append(f"{self.kind} {act.__name__}: {code} {said[:200]}")

    def _refused(self, body: bytes) -> tuple[int, str]:
        path = self.random.choice(("/v1/lookup", "/get-online-features"))
        code, _, text = self.post(path, body)
        return code, text.decode()

    def _garbage(self) -> tuple[int, str]:
        return self._refused(b"{" + self.random.randbytes(self.random.randrange(200)))

    def _wrong(self) -> tuple[int, str]:
        members = self.random.choice(
            (
                {"feature_service": "nobody", "entities": {"item": []}},
                {"features": ["facts:who", "facts:who"], "entities": {"item": ["a"]}},
                {"features": ["facts:who"], "entities": {"item": [None]}},
                {"features": ["facts:who"], "entities": {"item": ["a"], "place": []}},
                {"features": ["places:who"], "entities": {"place": [1.5]}},
                {"features": 7, "entities": {}},
            )
        )
        return self._refused(json.dumps(members).encode())

    def _too_large(self) -> tuple[int, str]:
        return self._refused(b'{"entities":{"item":["' + b"a" * MAX_BODY + b'"]}}')

    def _too_many(self) -> tuple[int, str]:
        body = {"feature_service": "plain", "entities": {"item": ["a"] * 10_001, "place": [1] * 10_001}}
        return self._refused(json.dumps(body).encode())

    def _leave(self) -> tuple[int, str]:
        """Send a request, whole or in part, and go."""
        body = b'{"feature_service":"plain","entities":{"item":["item 1"],"place":[1]}}'
        request = b"POST /v1/lookup HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        host, port = self.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as leaving:
            leaving.sendall(request[: self.random.randrange(len(request) + 1)])
        return _LEFT, ""


def _is_refusal(code: int, said: str) -> bool:
    try:
        json.loads(said)
    except ValueError:
        return False
    return 400 <= code < 432


class Curious(Client):
    """Has one value explained at a time."""

    kind = "explain"
    services = ("plain",)

    def ask(self, question: Question) -> Answered:
        return Answered(0)

    def once(self) -> None:
        item = self.random.choice(story.keys())
        taken, turns, broken = self.writer.taken["facts", item], self.weather.turns, self.weather.broken
        code, text = self._explain(item)
        self.notes.counts[f"{self.kind} {code}"] += 1
        trouble = broken or self.weather.broken or turns != self.weather.turns
        if code != 200:
            if not (trouble and code in (429, 503, 504)):
                self.notes.wrong.append(f"{self.kind}: {code} {text[:200]}")
            return
        said = json.loads(text)
        names = {"young": "fresh", "late": "fresh", "old": "stale", "outside": "fresh"}
        want = names.get(
            story.kind(item), "invalid" if story.kind(item) in ("corrupt", "unreadable") else "missing"
        )
        if said["verdict"] != want and not (said["verdict"] == "unavailable" and trouble):
            self.notes.wrong.append(f"{self.kind}: {item} is {said['verdict']}, not {want}")
        if said["value"] is not None:
            view, key, generation = said["value"].split("|")
            if (view, key) != ("facts", item) or not taken <= int(generation) <= self.writer.sent[
                "facts", item
            ]:
                self.notes.wrong.append(f"{self.kind}: {item} is answered {said['value']}")

    def _explain(self, item: str) -> tuple[int, str]:
        query = urlencode({"view": "facts", "feature": "who", "key": item, "project": story.PROJECT})
        connection = self.connection()
        try:
            connection.request("GET", f"/v1/explain?{query}")
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError as lost:
            self.hang_up()
            return 0, repr(lost)
