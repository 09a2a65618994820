"""OpenLineage events as they really come, read into plain facts (specification 2-0-2).

Producers break the facet schemas often, so facets are taken as they are and faults only flagged. Refused is
what cannot be placed: not an object, neither run nor job nor dataset, a run id that is no UUID, no namespace
or name, an event time that cannot be read.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from controlplane.kernel.errors import Refused
from controlplane.kernel.text import storable
from lineage.domain import naming
from lineage.domain.naming import NodeRef

Facets = dict[str, dict[str, Any] | None]  # None is a deletion
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")
MAX_NAME = 4_096


class Rank(IntEnum):
    """How far a run is; a lower rank never replaces a higher one, whatever the order of arrival."""

    OTHER = 0
    START = 1
    RUNNING = 2
    TERMINAL = 3


_RANKS = {
    "START": Rank.START,
    "RUNNING": Rank.RUNNING,
    "COMPLETE": Rank.TERMINAL,
    "FAIL": Rank.TERMINAL,
    "ABORT": Rank.TERMINAL,
}


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """One dataset of an event: its node, facets, and the other names it goes by."""

    node: NodeRef
    facets: Facets = field(default_factory=dict)
    aliases: tuple[NodeRef, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The run part of an event."""

    run_id: uuid.UUID
    state: str
    facets: Facets = field(default_factory=dict)

    @property
    def rank(self) -> Rank:
        return _RANKS.get(self.state, Rank.OTHER)


@dataclass(frozen=True, slots=True)
class Event:
    """An event, placed. ``digest`` is that of its canonical JSON and breaks ties of time."""

    at: datetime
    digest: str
    job: NodeRef | None
    job_facets: Facets
    run: RunFacts | None
    inputs: tuple[DatasetFacts, ...]
    outputs: tuple[DatasetFacts, ...]
    flags: tuple[str, ...]

    @property
    def nodes(self) -> tuple[NodeRef, ...]:
        named = [facts.node for facts in (*self.inputs, *self.outputs)]
        return tuple(named if self.job is None else [self.job, *named])

    @property
    def edges(self) -> tuple[tuple[NodeRef, NodeRef], ...]:
        """Pairs (upstream, downstream); data flows from the first to the second."""
        found = set()
        if self.job is not None:
            found |= {(facts.node, self.job) for facts in self.inputs}
            found |= {(self.job, facts.node) for facts in self.outputs}
        for facts in self.outputs:
            sources = _facet_sources(facts.facets)
            if self.job is None:
                found |= {(source, facts.node) for source in sources}
            else:
                found |= {(source, self.job) for source in sources}
        return tuple(sorted(pair for pair in found if pair[0] != pair[1]))


def canonical(document: object) -> bytes:
    """Return the one spelling of a JSON document: sorted keys, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def digest_of(document: object) -> str:
    """Return the SHA-256 of the canonical JSON, in hex: what makes a resent event the same event."""
    return hashlib.sha256(canonical(document)).hexdigest()


def parse(document: object) -> Event:
    """Place one RunEvent, JobEvent or DatasetEvent; ``Refused`` with the reason when that is impossible."""
    if not isinstance(document, dict):
        raise _bad("an event is a JSON object")
    flags: list[str] = []
    run_part, job_part, dataset_part = document.get("run"), document.get("job"), document.get("dataset")
    if run_part is None and job_part is None and dataset_part is None:
        raise _bad("the event has neither run nor job nor dataset")
    if run_part is not None and job_part is None:
        raise _bad("a run event needs a job")
    job = _node(job_part, "job", naming.job) if job_part is not None else None
    own = [_dataset(dataset_part, "dataset", flags)] if dataset_part is not None else []
    return Event(
        at=read_time(document.get("eventTime")),
        digest=digest_of(document),
        job=job,
        job_facets=_facets(job_part.get("facets"), "job", flags) if isinstance(job_part, dict) else {},
        run=_run(run_part, document, flags) if run_part is not None else None,
        inputs=tuple(_datasets(document.get("inputs"), "inputs", flags)),
        outputs=(*_datasets(document.get("outputs"), "outputs", flags), *own),
        flags=tuple(flags),
    )


def read_time(text: object) -> datetime:
    """Read an ISO 8601 time; no zone means UTC, more than six fraction digits are cut."""
    try:
        at = datetime.fromisoformat(_NANOSECONDS.sub(r"\1", text if isinstance(text, str) else ""))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise _bad(f"eventTime {text!r} cannot be read") from wrong


def _run(part: object, document: Mapping[str, Any], flags: list[str]) -> RunFacts:
    if not isinstance(part, dict):
        raise _bad("run is no object")
    try:
        run_id = uuid.UUID(part.get("runId"))
    except (ValueError, TypeError, AttributeError) as wrong:
        raise _bad(f"run.runId {part.get('runId')!r} is no UUID") from wrong
    state = document.get("eventType")
    if not isinstance(state, str):
        flags.append("eventType is missing")
        state = "OTHER"
    return RunFacts(run_id, state.upper(), _facets(part.get("facets"), "run", flags))


def _node(part: object, where: str, make: Any) -> NodeRef:
    if not isinstance(part, dict):
        raise _bad(f"{where} is no object")
    for key in ("namespace", "name"):
        value = part.get(key)
        if not isinstance(value, str) or not value.strip():
            raise _bad(f"{where}.{key} is missing")
        if len(value) > MAX_NAME or storable(value) != value:
            limits = f"longer than {MAX_NAME} characters, or has a NUL or half a surrogate pair in it"
            raise _bad(f"{where}.{key} is {limits}")
    node: NodeRef = make(part["namespace"], part["name"])
    return node


def _datasets(parts: object, where: str, flags: list[str]) -> Iterable[DatasetFacts]:
    if parts is None:
        return
    if not isinstance(parts, list):
        raise _bad(f"{where} is no array")
    for position, part in enumerate(parts):
        yield _dataset(part, f"{where}[{position}]", flags)


def _dataset(part: object, where: str, flags: list[str]) -> DatasetFacts:
    node = _node(part, where, naming.dataset)
    assert isinstance(part, dict)
    facets = _facets(part.get("facets"), where, flags)
    for extra in ("inputFacets", "outputFacets"):
        facets |= _facets(part.get(extra), where, flags)
    return DatasetFacts(node, facets, tuple(_aliases(node, facets)))


def _facets(part: object, where: str, flags: list[str]) -> Facets:
    if part is None:
        return {}
    if not isinstance(part, dict):
        flags.append(f"{where}.facets is no object")
        return {}
    found: Facets = {}
    for name, facet in part.items():
        if facet is None:
            continue
        if not isinstance(facet, dict):
            flags.append(f"{where}.facets.{name} is no object")
            continue
        if "_producer" not in facet or "_schemaURL" not in facet:
            flags.append(f"{where}.facets.{name} lacks _producer or _schemaURL")
        found[name] = None if facet.get("_deleted") is True else facet
    return found


def _aliases(node: NodeRef, facets: Facets) -> Iterable[NodeRef]:
    """Other names of the dataset: symlinks, and the name before a RENAME."""
    symlinks = (facets.get("symlinks") or {}).get("identifiers")
    change = facets.get("lifecycleStateChange") or {}
    renamed = [change.get("previousIdentifier")] if change.get("lifecycleStateChange") == "RENAME" else []
    for part in [*(symlinks if isinstance(symlinks, list) else []), *renamed]:
        other = _mentioned(part)
        if other is not None and other != node:
            yield other


def _facet_sources(facets: Facets) -> set[NodeRef]:
    """Datasets that the facets of an output name as what it was made from."""
    column = facets.get("columnLineage") or {}
    fields = column.get("fields")
    parts: list[object] = list(column.get("dataset") or []) if isinstance(column.get("dataset"), list) else []
    for entry in fields.values() if isinstance(fields, dict) else ():
        inputs = entry.get("inputFields") if isinstance(entry, dict) else None
        parts.extend(inputs if isinstance(inputs, list) else [])
    explicit = facets.get("lineage") or {}
    inputs = explicit.get("inputs")
    parts.extend(p for p in (inputs if isinstance(inputs, list) else []) if _is_dataset(p))
    return {node for node in map(_mentioned, parts) if node is not None}


def _is_dataset(part: object) -> bool:
    return isinstance(part, dict) and part.get("type", "DATASET") == "DATASET"


def _mentioned(part: object) -> NodeRef | None:
    if not isinstance(part, dict):
        return None
    namespace, name = part.get("namespace"), part.get("name")
    if isinstance(namespace, str) and isinstance(name, str) and namespace.strip() and name.strip():
        return naming.dataset(namespace, name)
    return None


def _bad(reason: str) -> Refused:
    return Refused("bad_event", reason)
