"""What surrounds a node, in one statement: the database walks, so that a page costs the same at any depth."""

from dataclasses import dataclass, field

from django.db import connection

from lineage.models import Edge, Node

# A dataset of several names is one node: its representative, called head here. ``{near}`` and ``{far}`` are
# the ends of an edge as the walk comes to it: going up, the near end is the target.
_STEP = """
    SELECT COALESCE(far.representative_id, far.id), {name}.hops + 1
    FROM {name}
    JOIN {node} near ON near.id = {name}.head OR near.representative_id = {name}.head
    JOIN {edge} edge ON edge.{near}_id = near.id AND edge.retired_at IS NULL
    JOIN {node} far ON far.id = edge.{far}_id
    WHERE {name}.hops < %s"""
_WALK = """{name}(head, hops) AS (
    SELECT COALESCE(representative_id, id), 0 FROM {node} WHERE digest = %s
    UNION{step})"""
_BESIDE = """
SELECT {sign}, reached.head, COALESCE(far.representative_id, far.id), COALESCE(head.project, far.project)
FROM reached
JOIN {node} near ON near.id = reached.head OR near.representative_id = reached.head
JOIN {edge} edge ON edge.{near}_id = near.id AND edge.retired_at IS NULL
JOIN {node} far ON far.id = edge.{far}_id
LEFT JOIN {node} head ON head.id = far.representative_id"""
_FOCUS = """
SELECT 0, COALESCE(representative_id, id), 0, '' FROM {node} WHERE digest = %s"""
_UP, _DOWN = {"near": "target", "far": "source"}, {"near": "source", "far": "target"}


@dataclass(slots=True)
class Surroundings:
    """The heads within reach, all that feeds each and all that each feeds, and whose those are.

    ``focus`` is None when the node is unknown, or beside no other.
    """

    focus: int | None = None
    up: dict[int, set[int]] = field(default_factory=dict)
    down: dict[int, set[int]] = field(default_factory=dict)
    projects: dict[int, str] = field(default_factory=dict)


def read_surroundings(digest: str, *, up: int, down: int) -> Surroundings:
    """Return what lies at most ``up`` and ``down`` hops from the node with that digest."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [digest, up, digest, down, digest])
        rows = cursor.fetchall()
    found = Surroundings()
    for sign, near, far, project in rows:
        if sign == 0:
            found.focus = near
            continue
        found.up.setdefault(near, set())
        found.down.setdefault(near, set())
        found.projects[far] = project
        if near != far:
            (found.up if sign < 0 else found.down)[near].add(far)
    return found if found.up else Surroundings()


def _statement() -> str:
    tables = {"node": Node._meta.db_table, "edge": Edge._meta.db_table}

    def walk(name: str, ends: dict[str, str]) -> str:
        return _WALK.format(name=name, step=_STEP.format(name=name, **tables, **ends), **tables)

    reached = "reached(head) AS (SELECT head FROM above UNION SELECT head FROM below)"
    beside = [_BESIDE.format(sign=sign, **tables, **ends) for sign, ends in ((-1, _UP), (1, _DOWN))]
    body = "\nUNION ".join([*beside, _FOCUS.format(**tables)])
    return f"WITH RECURSIVE {walk('above', _UP)}, {walk('below', _DOWN)}, {reached}{body}"
