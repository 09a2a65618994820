"""Rows and features that are not there, cannot be had, or cannot be read."""

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
    row,
    stale,
    unavailable,
    view,
)

WITH_DEFAULT = feature(default=0.25)
TWO = (feature("x"), feature("y", "int64"))
# Layout 1 was written before y existed.
GROWN = view(
    *TWO, layout=2, layouts={1: [column("x", "float64")], 2: [column("x", "float64"), column("y", "int64")]}
)
RETIRED = view(retired=["gone"])

CASES = [
    case("an absent row is missing", None, ageless(missing("absent"))),
    case(
        "an absent row gives the default where the view says so",
        None,
        ageless(missing("absent", "default", 0.25)),
        of=view(WITH_DEFAULT, on_missing="default"),
    ),
    case(
        "an absent row is rejected where the view says so",
        None,
        ageless(missing("absent", "reject"), rejected=True),
        of=view(on_missing="reject"),
    ),
    case(
        "a watermark makes no absent row present", None, ageless(missing("absent")), watermarks={"batch": NOW}
    ),
    case("a tombstone is missing", row(tombstone=True), ageless(missing("tombstone"))),
    case(
        "an old tombstone is missing, not stale",
        row(NOW - 3_600 * S, tombstone=True),
        ageless(missing("tombstone")),
    ),
    case(
        "a tombstone under a fresh watermark stays missing",
        row(tombstone=True, lane="batch"),
        ageless(missing("tombstone", "default", 0.25)),
        of=view(WITH_DEFAULT, on_missing="default"),
        watermarks={"batch": NOW},
    ),
    case(
        "a feature that the row's layout lacks is missing, its neighbour is fresh",
        row(x=1.5),
        judged(fresh(), missing("layout", name="y")),
        of=GROWN,
    ),
    case(
        "in a stale row, a feature that the layout lacks is missing and the other stale",
        row(NOW - 61 * S, x=1.5),
        judged(stale(), missing("layout", name="y"), as_of=NOW - 61 * S, age=61 * S),
        of=GROWN,
    ),
    case(
        "a feature that the layout lacks takes its default",
        row(x=1.5),
        judged(fresh(), missing("layout", "default", 7, name="y")),
        of=view(
            feature("x", default=0.0),
            feature("y", "int64", default=7),
            layout=2,
            layouts=GROWN["layouts"],
            on_missing="default",
        ),
    ),
    case(
        "a feature that is not nullable is still missing, not invalid, where the layout lacks it",
        row(x=1.5),
        judged(fresh(), missing("layout", name="y")),
        of=view(
            feature("x"),
            feature("y", "int64", nullable=False),
            layout=2,
            layouts=GROWN["layouts"],
            on_invalid="reject",
        ),
    ),
    case(
        "a retired feature that a service still asks for is missing",
        row(),
        judged(fresh(), missing("retired", name="gone")),
        of=RETIRED,
        requested=["x", "gone"],
    ),
    case(
        "a retired feature is missing even where the row's layout still has it",
        row(x=1.5, gone=3.5),
        judged(fresh(), missing("retired", name="gone")),
        of=view(
            layout=2,
            layouts={1: [column("x", "float64"), column("gone", "float64")], 2: [column("x", "float64")]},
            retired=["gone"],
        ),
        requested=["x", "gone"],
    ),
    case(
        "a retired feature has no default left: default answers null",
        row(),
        judged(fresh(), missing("retired", "default", name="gone")),
        of=view(WITH_DEFAULT, on_missing="default", retired=["gone"]),
        requested=["x", "gone"],
    ),
    case(
        "a retired feature rejects the row where missing does",
        row(),
        judged(fresh(None, status="NULL_VALUE"), missing("retired", "reject", name="gone"), rejected=True),
        of=view(on_missing="reject", retired=["gone"]),
        requested=["x", "gone"],
    ),
    case(
        "a retired feature is retired in absent, stale, unavailable and corrupt rows alike",
        [None, row(NOW - 61 * S), UNAVAILABLE, CORRUPT],
        [
            ageless(missing("absent"), missing("retired", name="gone")),
            judged(stale(), missing("retired", name="gone"), as_of=NOW - 61 * S, age=61 * S),
            ageless(unavailable(), missing("retired", name="gone")),
            ageless(invalid("corrupt"), missing("retired", name="gone")),
        ],
        of=RETIRED,
        requested=["x", "gone"],
    ),
    case("a value that the store could not give is unavailable", UNAVAILABLE, ageless(unavailable())),
    case(
        "an unavailable value takes the action of missing, not of stale or invalid",
        UNAVAILABLE,
        ageless(unavailable("default", 0.25)),
        of=view(WITH_DEFAULT, on_missing="default", on_stale="reject", on_invalid="reject"),
    ),
    case(
        "an unavailable value rejects the row where missing does",
        UNAVAILABLE,
        ageless(unavailable("reject"), rejected=True),
        of=view(on_missing="reject"),
    ),
    case(
        "absent, unavailable and found rows of one request are counted apart",
        [None, UNAVAILABLE, row()],
        [ageless(missing("absent")), ageless(unavailable()), judged(fresh())],
    ),
    case(
        "a corrupt row is invalid, and its age is unknown but not stale", CORRUPT, ageless(invalid("corrupt"))
    ),
    case(
        "a corrupt row under serve answers null, flagged invalid",
        CORRUPT,
        ageless(invalid("corrupt", "serve")),
        of=view(on_invalid="serve"),
    ),
    case(
        "a corrupt row gives the default where invalid does",
        CORRUPT,
        ageless(invalid("corrupt", "default", 0.25)),
        of=view(WITH_DEFAULT, on_invalid="default", on_stale="reject", on_missing="reject"),
    ),
    case(
        "a corrupt row is rejected where invalid is",
        CORRUPT,
        ageless(invalid("corrupt", "reject"), rejected=True),
        of=view(on_invalid="reject"),
    ),
    case(
        "every requested feature of a corrupt row is invalid, nullable or not",
        CORRUPT,
        ageless(invalid("corrupt"), invalid("corrupt", name="y")),
        of=view(feature("x"), feature("y", "int64", nullable=False)),
    ),
    case(
        "every requested feature of an absent row is missing",
        None,
        ageless(missing("absent"), missing("absent", name="y")),
        of=view(*TWO),
    ),
    case(
        "only the requested features are judged",
        row(x=1.5, y=None),
        judged(fresh()),
        of=view(feature("x"), feature("y", "int64", nullable=False), on_invalid="reject"),
        requested=["x"],
    ),
    case(
        "features answer in the order in which they were asked for",
        row(x=1.5, y=2),
        judged(fresh(2, name="y"), fresh()),
        of=view(*TWO),
        requested=["y", "x"],
    ),
]
