"""Clients of every protocol. Each answer is checked against the reference, whatever is broken meanwhile."""

import http.client
import json
import random
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import grpc
import pyarrow as pa

from controlplane.contracts.verdicts import Verdict
from tests.stress import story
from tests.stress.data import Writer

ARROW = "application/vnd.apache.arrow.stream"
SLACK = 3.0  # seconds beyond a deadline: the machine has few processors, and the race detector runs
_VERDICTS = list(Verdict)
_CODES = {grpc.StatusCode.UNAVAILABLE: 503, grpc.StatusCode.DEADLINE_EXCEEDED: 504}
_CODES |= {grpc.StatusCode.RESOURCE_EXHAUSTED: 429, grpc.StatusCode.FAILED_PRECONDITION: 424}


@dataclass
class Weather:
    """Whether something is broken just now. ``turns`` counts the changes."""

    broken: bool = False
    turns: int = 0

    def turn(self, *, broken: bool) -> None:
        self.broken, self.turns = broken, self.turns + 1


@dataclass
class Notes:
    """What the clients have seen."""

    counts: Counter = field(default_factory=Counter)
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    service: str
    items: list[str]
    places: list[int]
    hurry_ms: int  # 0: the usual deadline


@dataclass(frozen=True)
class Answered:
    """``code`` is HTTP's; columns hold (values, verdicts or None, statuses or None) in the order of ASKED."""

    code: int
    columns: list = field(default_factory=list)
    bundle: int = 0
    said: str = ""


class Client(threading.Thread):
    """Asks without a pause."""

    kind = ""
    services = ("plain", "defaulting", "rejecting", "swing")

    def __init__(
        self, address: str, writer: Writer, weather: Weather, notes: Notes, *, seed: int, deadline: float
    ) -> None:
        super().__init__(daemon=True)
        self.address, self.writer, self.weather, self.notes = address, writer, weather, notes
        self.deadline, self.random = deadline, random.Random(seed)
        self.bundle = 0
        self._done = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    def stop(self) -> None:
        self._done.set()
        self.join(timeout=60)
        self.hang_up()

    def run(self) -> None:
        while not self._done.is_set():
            self.once()

    def once(self) -> None:
        count = self.random.choice((0, 1, 3, 30))
        question = Question(
            self.random.choice(self.services),
            self.random.choices(story.keys(), k=count),  # with duplicates
            self.random.choices(range(story.KEYS), k=count),
            self.random.choice((0, 0, 0, 400)),
        )
        taken, turns, broken = dict(self.writer.taken), self.weather.turns, self.weather.broken
        began = time.monotonic()
        try:
            answered = self.ask(question)
        except (OSError, http.client.HTTPException) as lost:
            self.notes.wrong.append(f"{self.kind}: serving dropped a request: {lost!r}")
            self.hang_up()
            return
        took = time.monotonic() - began
        trouble = broken or self.weather.broken or self.weather.turns != turns
        self.notes.took["trouble" if trouble else "calm"].append(took)
        self.notes.counts[f"{self.kind} {answered.code}"] += 1
        for complaint in self._complaints(question, answered, took, trouble=trouble, taken=taken):
            self.notes.wrong.append(f"{self.kind} {'in trouble' if trouble else 'in calm'}: {complaint}")

    def ask(self, question: Question) -> Answered:
        raise NotImplementedError

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def connection(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.address, timeout=30)
        return self._connection

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, http.client.HTTPResponse, bytes]:
        connection = self.connection()
        connection.request(
            "POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        text = response.read()
        if response.will_close:
            self.hang_up()
        return response.status, response, text

    def _complaints(self, question: Question, answered: Answered, took: float, *, trouble: bool, taken: dict):
        deadline = question.hurry_ms / 1000 or self.deadline
        if took > deadline + SLACK:
            yield f"an answer after {took:.1f} s, with a deadline of {deadline} s"
        if answered.code in ((429, 503, 504) if trouble else (504,) if question.hurry_ms else ()):
            return
        if answered.bundle and answered.bundle < self.bundle:
            yield f"bundle {answered.bundle} after bundle {self.bundle}"
        self.bundle = max(answered.bundle, self.bundle)
        if answered.code not in (200, 424):
            yield f"{answered.code}: {answered.said[:300]}"
            return
        if answered.code == 424 and question.service == "rejecting" and trouble:
            return  # what cannot be read is rejected as well
        number = answered.bundle or 2  # services that are asked without a bundle's number never change
        lost = self._lost(question, answered)
        if any(map(any, lost.values())) and not (trouble or question.hurry_ms):
            yield "values are unavailable, and nothing is broken"
        expected = story.reference(
            question.service,
            question.items,
            question.places,
            lost,
            number=number,
            now_us=time.time_ns() // 1000,
        )
        if expected.failed != (answered.code == 424):
            yield f"answered {answered.code}, but the contract is {'not ' * expected.failed}met: {question}"
        if answered.code == 200:
            yield from self._compare(question, answered, expected, taken)

    def _lost(self, question: Question, answered: Answered) -> dict[str, list[bool]]:
        """Which rows the answer says that the store did not give, by view."""
        none = [False] * len(question.items)
        lost = dict.fromkeys(story.VIEWS, none)
        if answered.code != 200:
            return lost
        for (view, name), (_, verdicts, statuses) in zip(story.ASKED, answered.columns, strict=True):
            if name != "who":
                continue
            if verdicts is not None:
                lost[view] = [verdict == "unavailable" for verdict in verdicts]
            else:  # Feast's shape has one word for what is missing and what could not be read
                has = [
                    view != "facts" or story.kind(item) not in ("absent", "buried") for item in question.items
                ]
                lost[view] = [
                    status == "NOT_FOUND" and there for status, there in zip(statuses, has, strict=True)
                ]
        return lost

    def _compare(self, question: Question, answered: Answered, expected: story.Reference, taken: dict):
        generations: dict[tuple[str, int], int] = {}
        for (view, name), column, (values, verdicts, statuses) in zip(
            story.ASKED, expected.columns, answered.columns, strict=True
        ):
            if len(values) != len(question.items):
                yield f"{view}:{name} has {len(values)} values for {len(question.items)} rows"
                return
            for place, want in enumerate(column):
                key = question.places[place] if view == "places" else question.items[place]
                said = f"{view}:{name} of {key!r} under {question.service}"
                if verdicts is not None and verdicts[place] != want.verdict:
                    yield f"{said} is {verdicts[place]}, not {want.verdict}"
                elif statuses is not None and statuses[place] != want.status:
                    yield f"{said} has the status {statuses[place]}, not {want.status}"
                elif want.value is not story.STORED:
                    if values[place] != want.value:
                        yield f"{said} is answered {values[place]!r}, not {want.value!r}"
                else:
                    yield from self._check_stored(
                        said, name, (view, key), place, values[place], generations, taken
                    )

    def _check_stored(self, said, name, of, place, value, generations, taken):
        """A stored value is its own key's, of one generation in all columns, and no older than it may be."""
        if name == "who":
            view, key, generation = str(value).rsplit("|", 2) if str(value).count("|") == 2 else ("", "", "0")
            generations[of[0], place] = int(generation)
            if (view, key) != (of[0], str(of[1])) or not taken[of] <= int(generation) <= self.writer.sent[of]:
                yield f"{said} is {value!r}; written were {taken[of]} to {self.writer.sent[of]}"
            return
        generation = generations.get((of[0], place))
        if generation is None:
            return
        right = story.total(story.who(*of, generation)) if name == "sum" else generation / 2
        if value != right and not (name == "size" and value == 5000.0):
            yield f"{said} is {value!r}, not {right!r} as in generation {generation}"


class LookupJSON(Client):
    kind = "lookup json"

    def ask(self, question: Question) -> Answered:
        code, _, text = self.post("/v1/lookup", _body(question), **_headers(question))
        said = json.loads(text)
        if code != 200:
            return Answered(code, said=text.decode())
        columns = [(each["values"], each["verdicts"], None) for each in said["columns"]]
        return Answered(code, columns, said["bundle"]["number"])


class LookupArrow(Client):
    kind = "lookup arrow"

    def ask(self, question: Question) -> Answered:
        code, _, text = self.post("/v1/lookup", _body(question), Accept=ARROW, **_headers(question))
        if code != 200:
            return Answered(code, said=text.decode())
        table = pa.ipc.open_stream(text).read_all()
        table.validate(full=True)
        columns = []
        for place in range(0, table.num_columns, 3):
            verdicts = [_VERDICTS[each] for each in table.column(place + 1).to_pylist()]
            columns.append((table.column(place).to_pylist(), verdicts, None))
        return Answered(code, columns, json.loads(table.schema.metadata[b"freshline"])["bundle"]["number"])


class Feast(Client):
    kind = "feast json"

    def ask(self, question: Question) -> Answered:
        code, _, text = self.post(
            "/get-online-features", _body(question), Freshline_Details="1", **_headers(question)
        )
        said = json.loads(text)
        if code != 200:
            return Answered(code, said=text.decode())
        columns = [(each["values"], None, each["statuses"]) for each in said["results"][2:]]
        return Answered(code, columns, said["details"]["bundle"]["number"])


class Calls(Client):
    kind = "grpc"
    services = (
        "plain",
        "defaulting",
        "rejecting",
    )  # the others change, and an answer does not say its bundle

    def __init__(self, *words, stubs, **named) -> None:
        super().__init__(*words, **named)
        self._stubs, self._channel = stubs, grpc.insecure_channel(self.address)

    def hang_up(self) -> None:
        self._channel.close()

    def ask(self, question: Question) -> Answered:
        value, repeated = self._stubs.types.Value, self._stubs.types.RepeatedValue
        request = self._stubs.serving.GetOnlineFeaturesRequest(
            feature_service=question.service,
            full_feature_names=True,
            entities={
                "item": repeated(val=[value(string_val=each) for each in question.items]),
                "place": repeated(val=[value(int64_val=each) for each in question.places]),
            },
        )
        deadline = question.hurry_ms / 1000 or self.deadline + SLACK
        stub = self._stubs.ServingServiceStub(self._channel)
        try:
            said = stub.GetOnlineFeatures(request, timeout=deadline)
        except grpc.RpcError as failed:
            return Answered(_CODES.get(failed.code(), 500), said=str(failed))
        names = list(said.metadata.feature_names.val)
        of = {
            name: (
                [_plain(each) for each in vector.values],
                None,
                [self._stubs.serving.FieldStatus.Name(s) for s in vector.statuses],
            )
            for name, vector in zip(names, said.results, strict=True)
        }
        return Answered(200, [of[f"{view}__{name}"] for view, name in story.ASKED])


def _plain(value):
    kind = value.WhichOneof("val")
    return None if kind is None else getattr(value, kind)


def _body(question: Question) -> bytes:
    # Numbers are spelled as clients do: 7 and 7.0 are one key.
    places = [(each, float(each))[each % 2] for each in question.places]
    entities = {"item": question.items, "place": places}
    return json.dumps(
        {"feature_service": question.service, "entities": entities, "full_feature_names": True}
    ).encode()


def _headers(question: Question) -> dict[str, str]:
    return {"X_Request_Timeout_Ms": str(question.hurry_ms)} if question.hurry_ms else {}
