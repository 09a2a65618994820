"""Under enforcement ``observe`` everything is computed and counted and no value is changed."""

from tests.contracts.vectors.building import (
    CORRUPT,
    NOW,
    UNAVAILABLE,
    S,
    ageless,
    case,
    column,
    feature,
    fresh,
    invalid,
    judged,
    missing,
    null,
    row,
    stale,
    unavailable,
    view,
)

OLD = NOW - 61 * S
X = feature(max=10.0, default=0.25)


def observed(*features, **terms):
    return view(*features, enforcement="observe", **terms)


CASES = [
    case(
        "observe serves a stale value that would be null",
        row(OLD),
        judged(stale("null", 1.5), as_of=OLD, age=61 * S),
        of=observed(),
    ),
    case(
        "observe serves a stale value that would be defaulted",
        row(OLD),
        judged(stale("default", 1.5), as_of=OLD, age=61 * S),
        of=observed(X, on_stale="default"),
    ),
    case(
        "observe serves an invalid value that would be null",
        row(x=11.5),
        judged(invalid("max", "null", 11.5)),
        of=observed(X),
    ),
    case(
        "observe serves a NaN that would be null",
        row(x="NaN"),
        judged(invalid("nan", "null", "NaN")),
        of=observed(),
    ),
    case(
        "observe gives no default for a missing row",
        None,
        ageless(missing("absent", "default")),
        of=observed(X, on_missing="default"),
    ),
    case(
        "observe gives no default for a tombstone",
        row(tombstone=True),
        ageless(missing("tombstone", "default")),
        of=observed(X, on_missing="default"),
    ),
    case(
        "observe gives no default for an unavailable row",
        UNAVAILABLE,
        ageless(unavailable("default")),
        of=observed(X, on_missing="default"),
    ),
    case(
        "observe has nothing to serve of a corrupt row",
        CORRUPT,
        ageless(invalid("corrupt", "default")),
        of=observed(X, on_invalid="default"),
    ),
    case(
        "observe rejects no row, but counts it",
        row(OLD, x=1.5, y=2.5),
        judged(stale("reject", 1.5), stale("reject", 2.5, name="y"), as_of=OLD, age=61 * S),
        of=observed(feature(), feature("y"), on_stale="reject"),
        rejected_rows=1,
    ),
    case(
        "observe leaves the fresh neighbours of a rejecting value PRESENT",
        row(x=11.5, y=2.5),
        judged(invalid("max", "reject", 11.5), fresh(2.5, name="y")),
        of=observed(X, feature("y"), on_invalid="reject"),
        rejected_rows=1,
    ),
    case(
        "observe never fails a request, however many rows it would have rejected",
        [None, None],
        [ageless(missing("absent", "reject")), ageless(missing("absent", "reject"))],
        of=observed(on_missing="reject"),
        max_rejected=0.0,
        rejected_rows=2,
    ),
    case(
        "observe answers null for a value of another type",
        row(x="7"),
        judged(invalid("type", "default")),
        of=observed(
            feature(dtype="int64", default=5),
            on_invalid="default",
            layout=2,
            layouts={1: [column("x", "string")], 2: [column("x", "int64")]},
        ),
    ),
    case(
        "observe counts a stale and invalid value as both and serves it",
        row(OLD, x=11.5),
        judged(stale("reject", 11.5, also_invalid=True), as_of=OLD, age=61 * S),
        of=observed(X, on_stale="null", on_invalid="reject"),
        rejected_rows=1,
    ),
    case(
        "observe leaves an allowed null and a fresh value alone",
        [row(x=None), row()],
        [judged(null()), judged(fresh())],
        of=observed(),
    ),
    case(
        "observe answers null for a retired feature",
        row(),
        judged(fresh(), missing("retired", "reject", name="gone")),
        of=observed(on_missing="reject", retired=["gone"]),
        requested=["x", "gone"],
        rejected_rows=1,
    ),
    case(
        "observe follows a service's terms",
        row(NOW - 6 * S),
        judged(stale("reject", 1.5), as_of=NOW - 6 * S, age=6 * S),
        of=observed(),
        service={"max_age_us": 5 * S, "on_stale": "reject"},
        rejected_rows=1,
    ),
]
