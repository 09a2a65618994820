"""Steps over live edges. A dataset of several names is one node here: its representative."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from lineage.domain.naming import Kind, NodeRef
from lineage.models import Edge, Node, NodeState, Run
from lineage.selectors.closure import read_surroundings
from lineage.selectors.runs import newest_runs

CHUNK = 500  # keys in one query; SQLite allows some ten thousand
_TOLD = ("state", "since", "as_of", "detail", "valid_until")
Steps = dict[int, list[int]]


def find_node(node: NodeRef) -> Node | None:
    """Return the row that stands for ``node``, or None."""
    row = Node.objects.select_related("representative").filter(digest=node.digest).first()
    return row.representative or row if row else None


@dataclass(frozen=True, slots=True)
class Told:
    """What monitors say of a node at present."""

    node_id: str
    state: str
    since: datetime
    as_of: datetime | None
    detail: str
    valid_until: datetime | None


class Walk:
    """One walk: what it has read once, it does not ask for again. ``runs_of_a_job``: how many it reads."""

    def __init__(self, *, runs_of_a_job: int = 1) -> None:
        self._runs_of_a_job = runs_of_a_job
        self._runs: dict[int, list[Run]] = {}
        self._rows: dict[int, Node] = {}
        self._projects: dict[int, str] = {}
        self._members: dict[int, list[int]] = {}
        self._up: Steps = {}
        self._down: Steps = {}

    def rows(self, keys: Iterable[int]) -> dict[int, Node]:
        """Return the rows of nodes."""
        wanted = list(keys)
        for chunk in _chunks([key for key in wanted if key not in self._rows]):
            self._rows |= _with_states(Node.objects.all()).in_bulk(chunk)
        return {key: self._rows[key] for key in wanted if key in self._rows}

    def named(self, digests: Iterable[str]) -> list[Node]:
        """Return the rows of nodes by the digests of their ids; the unknown are left out."""
        wanted = set(digests)
        found = [row for row in self._rows.values() if row.digest in wanted]
        missing = wanted - {row.digest for row in found}
        asked = list(_with_states(Node.objects.filter(digest__in=missing))) if missing else []
        self._rows |= {row.pk: row for row in asked}
        return found + asked

    def projects(self, keys: Iterable[int]) -> dict[int, str]:
        """Return whose each node is, "" for everybody's; without the rows, of which a hub has thousands."""
        wanted = list(keys)
        for chunk in _chunks([key for key in wanted if key not in self._projects]):
            self._projects |= dict(Node.objects.filter(pk__in=chunk).values_list("pk", "project"))
        return {key: self._projects[key] for key in wanted if key in self._projects}

    def told(self, keys: Iterable[int]) -> dict[int, Told]:
        """Return what monitors say of nodes; those of which they say nothing are left out."""
        rows: dict[int, Any] = dict(self.rows(keys))  # with what _with_states joins
        return {
            key: Told(row.node_id, *(getattr(row, f"told_{name}") for name in _TOLD))
            for key, row in rows.items()
            if row.told_state is not None
        }

    def runs(self, jobs: Iterable[int]) -> dict[int, list[Run]]:
        """Return the last runs of jobs, the newest first; jobs that never ran are left out."""
        wanted = list(jobs)
        fresh = [job for job in wanted if job not in self._runs]
        if fresh:
            self._runs |= {job: [] for job in fresh}
            for run in newest_runs(fresh, most=self._runs_of_a_job):
                self._runs[run.job_id].append(run)
        return {job: self._runs[job] for job in wanted if self._runs[job]}

    def look_around(self, digest: str, *, up: int, down: int) -> int | None:
        """Read at once everything that a walk of so many hops will ask for, states and runs included.

        Returns the head of the node with that digest; None when it is unknown, or beside no other.
        """
        found = read_surroundings(digest, up=up, down=down)
        self._up |= {key: sorted(others) for key, others in found.up.items()}
        self._down |= {key: sorted(others) for key, others in found.down.items()}
        self._projects |= found.projects
        makers = {maker for others in found.up.values() for maker in others}
        rows = self.rows(found.up.keys() | makers) if found.up else {}
        self._projects |= {key: row.project for key, row in rows.items()}
        self.runs([key for key, row in rows.items() if row.kind == Kind.JOB])
        return found.focus

    def upstream(self, keys: Sequence[int]) -> Steps:
        """Return for each node those that feed it; nodes that nothing feeds are left out."""
        return self._step(self._up, keys, near="target", far="source")

    def downstream(self, keys: Sequence[int]) -> Steps:
        """Return for each node those that it feeds; nodes that feed nothing are left out."""
        return self._step(self._down, keys, near="source", far="target")

    def _step(self, known: Steps, keys: Sequence[int], *, near: str, far: str) -> Steps:
        fresh = [key for key in keys if key not in known]
        if not fresh:
            return {key: known[key] for key in keys if known[key]}
        members = self._members_of(fresh)
        heads = {member: head for head in fresh for member in members[head]}
        found: dict[int, set[int]] = defaultdict(set)
        for chunk in _chunks(list(heads)):
            edges = Edge.objects.filter(retired_at=None, **{f"{near}__in": chunk})
            for inside, outside in edges.annotate(head=_head(f"{far}__")).values_list(f"{near}_id", "head"):
                if heads[inside] != outside:
                    found[heads[inside]].add(outside)
        known |= {key: sorted(found[key]) for key in fresh}
        return {key: known[key] for key in keys if known[key]}

    def _members_of(self, keys: Sequence[int]) -> Mapping[int, list[int]]:
        """Return for each representative the rows that it stands for, itself included."""
        for chunk in _chunks([key for key in keys if key not in self._members]):
            self._members |= {key: [] for key in chunk}
            rows = Node.objects.filter(Q(pk__in=chunk) | Q(representative__in=chunk))
            for member, head in rows.annotate(head=_head("")).values_list("pk", "head"):
                self._members.setdefault(head, []).append(member)
        return self._members


def _with_states(rows: QuerySet[Node]) -> QuerySet[Node]:
    """Join what monitors say at present, which is kept by digest, so that it outlives the row."""
    present = NodeState.objects.filter(digest=OuterRef("digest"), until=None)
    return rows.annotate(**{f"told_{name}": Subquery(present.values(name)[:1]) for name in _TOLD})


def inverted(edges: Mapping[int, Iterable[int]]) -> Steps:
    """Return the same edges seen from the other end."""
    found: dict[int, list[int]] = defaultdict(list)
    for key, others in edges.items():
        for other in others:
            found[other].append(key)
    return dict(found)


def _head(prefix: str) -> Coalesce:
    return Coalesce(F(f"{prefix}representative_id"), F(f"{prefix}id"))


def _chunks(keys: Sequence[int]) -> Iterable[Sequence[int]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
