"""The SQL of the comparison says what ``domain.changes`` says, on generated tables."""

import itertools
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.contracts.model import Absent
from controlplane.ingestion.domain.changes import Change, Entry, Rules, Seen, classify, event_time_us
from controlplane.ingestion.engines.duckdb_comparing import amend_manifest, compare, make_manifest
from controlplane.ingestion.engines.jobs import (
    DELTA,
    EVERYTHING,
    NEXT_MANIFEST,
    REFUSED,
    ROWS,
    STAGE,
    TOUCHED,
    AmendJob,
    Column,
    CompareJob,
    Limits,
    ManifestJob,
)

LIMITS = Limits(256, 1, 256)
DIGESTS = dict(duckdb.sql("SELECT x, hash(x, NULL::VARCHAR, NULL::VARCHAR) FROM range(4) r(x)").fetchall())
KEYS = [f"k{n}" for n in range(8)]
KEY_SCHEMA = pa.schema([("k", pa.string())])
ROWS_SCHEMA = pa.schema(
    [
        ("k", pa.string()),
        ("x", pa.int64()),
        ("__event_us", pa.int64()),
        ("__order", pa.int32()),
        ("__bad", pa.string()),
        ("__bad_text", pa.string()),
    ]
)
MANIFEST_SCHEMA = pa.schema(
    [
        ("k", pa.string()),
        ("digest", pa.uint64()),
        ("event_us", pa.int64()),
        ("written_us", pa.int64()),
        ("removed", pa.bool_()),
    ]
)
BEFORE_SCHEMA = pa.schema([MANIFEST_SCHEMA.field(n) for n in ("k", "event_us", "written_us", "removed")])
FOLDERS = itertools.count()


@st.composite
def stories(draw):
    some = st.lists(st.sampled_from(KEYS), unique=True)
    seen = {key: (draw(st.integers(0, 3)), draw(st.integers(0, 9))) for key in draw(some)}
    entries = {}
    for key in draw(some):
        removed = draw(st.booleans())
        digest = None if removed else draw(st.none() | st.integers(0, 3))
        entries[key] = (digest, draw(st.integers(0, 9)), draw(st.integers(0, 9)), removed)
    return {
        "seen": seen,
        "entries": entries,
        "touched": draw(some),
        "refused": draw(some),
        "unwritten": draw(some),
        "full": draw(st.booleans()),
        "keeps": draw(st.booleans()),
        "refresh": draw(st.none() | st.integers(0, 9)),
        "forget": draw(st.integers(0, 9)),
        "repair_all": draw(st.booleans()),
    }


def write(folder, story):
    rows = [(key, x, at, None, None, None) for key, (x, at) in story["seen"].items()]
    _table(folder / ROWS, ROWS_SCHEMA, rows)
    entries = [
        (key, None if d is None else DIGESTS[d], e, w, r) for key, (d, e, w, r) in story["entries"].items()
    ]
    _table(folder / "old.parquet", MANIFEST_SCHEMA, entries)
    _table(folder / TOUCHED, KEY_SCHEMA, [(key,) for key in story["touched"]])


def _table(path, schema, rows):
    columns = {name: [row[at] for row in rows] for at, name in enumerate(schema.names)}
    pq.write_table(pa.table(columns, schema=schema), path)


def job_of(folder, story):
    return CompareJob(
        sources=[],
        query="",
        as_of_us=0,
        join_keys=[Column("k", "string")],
        features=[Column("x", "int64")],
        event_time="t",
        order_by=None,
        default_event_us=0,
        limits=LIMITS,
        manifest=str(folder / "old.parquet"),
        touched=str(folder / TOUCHED) if story["touched"] else None,
        repair=[EVERYTHING] if story["repair_all"] else [],
        keeps_absent=story["keeps"],
        is_full=story["full"],
        refresh_before_us=story["refresh"],
        forget_before_us=story["forget"],
    )


def expected_changes(story):
    rules = Rules(
        absent=Absent.KEEP if story["keeps"] else Absent.REMOVE,
        full=story["full"] or story["repair_all"],
        any_rows=bool(story["seen"]),
        refresh_before_us=story["refresh"],
        forget_before_us=story["forget"],
    )
    found = {}
    for key in {*story["seen"], *story["entries"]}:
        seen = Seen(DIGESTS[story["seen"][key][0]], story["seen"][key][1]) if key in story["seen"] else None
        entry = None
        if key in story["entries"]:
            digest, event_us, written_us, removed = story["entries"][key]
            entry = Entry(None if digest is None else DIGESTS[digest], event_us, written_us, removed)
        change = classify(seen, entry, touched=key in story["touched"], rules=rules)
        found[key] = (change, seen, entry)
    return found


@settings(max_examples=60)
@given(story=stories())
def test_the_engine_decides_and_remembers_as_the_rules_say(tmp_path_factory, story):
    folder = Path(tmp_path_factory.getbasetemp()) / f"engine-{next(FOLDERS)}"
    folder.mkdir()
    write(folder, story)
    compare(folder, job_of(folder, story), [], read_seconds=0.0)
    expected = expected_changes(story)
    stage = {row["k"]: row["change"] for row in pq.read_table(folder / STAGE).to_pylist()}
    assert stage == {key: change.value for key, (change, _, _) in expected.items()}
    written = (Change.ADDED, Change.CHANGED, Change.REMOVED, Change.REFRESHED)
    delta = {row["k"]: row["out_event_us"] for row in pq.read_table(folder / DELTA).to_pylist()}
    assert delta == {
        key: event_time_us(change, seen, entry)
        for key, (change, seen, entry) in expected.items()
        if change in written
    }
    refused = [key for key in story["refused"] if key in story["seen"] and key in delta]
    _table(folder / REFUSED, KEY_SCHEMA, [(key,) for key in refused])
    make_manifest(folder, ManifestJob(["k"], None, [], {"a": "b"}, 100, LIMITS))
    after = {row["k"]: row for row in pq.read_table(folder / NEXT_MANIFEST).to_pylist()}
    for key, (change, seen, entry) in expected.items():
        check_entry(after.get(key), change, seen, entry, is_refused=key in refused)


@settings(max_examples=60)
@given(story=stories())
def test_a_row_without_room_leaves_the_manifest_that_a_refused_one_would(tmp_path_factory, story):
    folder = Path(tmp_path_factory.getbasetemp()) / f"amended-{next(FOLDERS)}"
    folder.mkdir()
    write(folder, story)
    compare(folder, job_of(folder, story), [], read_seconds=0.0)
    delta = {row["k"]: row for row in pq.read_table(folder / DELTA).to_pylist()}
    refused = [key for key in story["refused"] if key in story["seen"] and key in delta]
    unwritten = [key for key in story["unwritten"] if key in delta and key not in refused]
    plan = ManifestJob(["k"], None, [], {"a": "b"}, 100, LIMITS)
    _table(folder / REFUSED, KEY_SCHEMA, [(key,) for key in [*refused, *unwritten]])
    make_manifest(folder, plan)
    wanted = manifest(folder / NEXT_MANIFEST)
    _table(folder / REFUSED, KEY_SCHEMA, [(key,) for key in refused])
    make_manifest(folder, plan)
    before = [
        (key, *(delta[key][f"old_{name}"] for name in ("event_us", "written_us", "removed")))
        for key in unwritten
    ]
    _table(folder / "before.parquet", BEFORE_SCHEMA, before)
    assert amend_manifest(folder, AmendJob(["k"], "before.parquet", "amended.parquet", LIMITS)) == len(wanted)
    assert manifest(folder / "amended.parquet") == wanted
    assert pq.read_schema(folder / "amended.parquet").metadata[b"a"] == b"b"


def manifest(path):
    return {row["k"]: row for row in pq.read_table(path).to_pylist()}


def check_entry(row, change, seen, entry, *, is_refused):
    if change is Change.FORGOTTEN or (is_refused and entry is None):
        assert row is None
        return
    if is_refused:  # what is stored is what it was; nothing is known of its value
        assert (row["event_us"], row["written_us"]) == (entry.event_us, entry.written_us)
        assert row["digest"] is None
        return
    if change in (Change.ADDED, Change.CHANGED):
        assert (row["digest"], row["removed"], row["written_us"]) == (seen.digest, False, 100)
        assert row["event_us"] == event_time_us(change, seen, entry)
    elif change is Change.REFRESHED:
        assert (row["digest"], row["event_us"], row["written_us"]) == (seen.digest, entry.event_us, 100)
    elif change is Change.REMOVED:
        assert (row["digest"], row["event_us"], row["removed"]) == (None, entry.event_us, True)
    elif change is Change.GONE:
        assert (row["digest"], row["removed"], row["written_us"]) == (None, True, entry.written_us)
    else:
        assert (row["event_us"], row["written_us"], row["removed"]) == (
            entry.event_us,
            entry.written_us,
            entry.removed,
        )
