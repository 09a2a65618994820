"""Rejected rows, and the share of them at which a request fails."""

from tests.contracts.vectors.building import (
    CORRUPT,
    NOW,
    UNAVAILABLE,
    S,
    ageless,
    case,
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
MISSING_REJECTS = view(on_missing="reject")
GOOD = judged(fresh())
GONE = ageless(missing("absent", "reject"), rejected=True)


def share(name, absent, found, *, max_rejected, failed):
    """``absent`` rejected rows beside ``found`` good ones."""
    return case(
        name,
        [None] * absent + [row()] * found,
        [GONE] * absent + [GOOD] * found,
        of=MISSING_REJECTS,
        max_rejected=max_rejected,
        failed=failed,
    )


CASES = [
    case(
        "a rejected row answers null everywhere: each value keeps its status, fresh reads NULL_VALUE",
        row(x=1.5, y=None, z=11.5),
        judged(
            fresh(None, status="NULL_VALUE"),
            null(name="y"),
            invalid("max", "reject", name="z"),
            rejected=True,
        ),
        of=view(feature(), feature("y"), feature("z", max=10.0), on_invalid="reject"),
    ),
    case(
        "a stale value that would be served is null in a rejected row and stays OUTSIDE_MAX_AGE",
        row(OLD, x=1.5, z=11.5),
        judged(
            stale("serve"),
            stale("reject", also_invalid=True, name="z"),
            as_of=OLD,
            age=61 * S,
            rejected=True,
        ),
        of=view(feature(), feature("z", max=10.0), on_stale="serve", on_invalid="reject"),
    ),
    case(
        "a value that would be defaulted is null in a rejected row and stays NOT_FOUND",
        row(x=11.5),
        judged(
            invalid("max", "reject"),
            missing("layout", "default", name="y"),
            rejected=True,
        ),
        of=view(
            feature(max=10.0, default=0.25),
            feature("y", default=0.5),
            on_invalid="reject",
            on_missing="default",
            layout=2,
            layouts={
                1: [{"name": "x", "dtype": "float64"}],
                2: [{"name": "x", "dtype": "float64"}, {"name": "y", "dtype": "float64"}],
            },
        ),
    ),
    case(
        "an invalid value that would be served is null in a rejected row and stays INVALID",
        row(x=11.5),
        judged(invalid("max", "serve"), missing("retired", "reject", name="gone"), rejected=True),
        of=view(feature(max=10.0), on_invalid="serve", on_missing="reject", retired=["gone"]),
        requested=["x", "gone"],
    ),
    case(
        "only the row that broke the contract is rejected",
        [row(), None, row(x=2.5)],
        [GOOD, GONE, judged(fresh(2.5))],
        of=MISSING_REJECTS,
    ),
    case(
        "two rejecting features of one row reject it once",
        None,
        ageless(missing("absent", "reject"), missing("absent", "reject", name="y"), rejected=True),
        of=view(feature(), feature("y"), on_missing="reject"),
    ),
    case(
        "rows are rejected for being absent, unavailable, corrupt, stale and invalid alike",
        [None, UNAVAILABLE, CORRUPT, row(OLD), row(x=11.5)],
        [
            GONE,
            ageless(unavailable("reject"), rejected=True),
            ageless(invalid("corrupt", "reject"), rejected=True),
            judged(stale("reject"), as_of=OLD, age=61 * S, rejected=True),
            judged(invalid("max", "reject"), rejected=True),
        ],
        of=view(feature(max=10.0), on_stale="reject", on_missing="reject", on_invalid="reject"),
    ),
    share(
        "one of twenty at a limit of 0.05 meets it exactly and passes", 1, 19, max_rejected=0.05, failed=False
    ),
    share("two of twenty at a limit of 0.05 fail", 2, 18, max_rejected=0.05, failed=True),
    share("three of ten at a limit of 0.3 meet it exactly and pass", 3, 7, max_rejected=0.3, failed=False),
    share("one of three at a limit of 0.3333 is over it", 1, 2, max_rejected=0.3333, failed=True),
    share(
        "one of three at the nearest float64 to a third meets it exactly",
        1,
        2,
        max_rejected=0.3333333333333333,
        failed=False,
    ),
    share(
        "the share is compared in float64: the float just below a third fails",
        1,
        2,
        max_rejected=0.33333333333333326,
        failed=True,
    ),
    share("one of two at a limit of a half passes", 1, 1, max_rejected=0.5, failed=False),
    share("a limit of zero fails for a single row", 1, 9, max_rejected=0.0, failed=True),
    share("a limit of zero passes when no row is rejected", 0, 3, max_rejected=0.0, failed=False),
    share(
        "a limit of one never fails, even when every row is rejected", 3, 0, max_rejected=1.0, failed=False
    ),
    share("every row rejected fails a limit just under one", 3, 0, max_rejected=0.999, failed=True),
    share("zero rows never fail", 0, 0, max_rejected=0.0, failed=False),
    case(
        "a key that was asked for twice counts twice",
        [None, None, row()],
        [GONE, GONE, GOOD],
        of=MISSING_REJECTS,
        max_rejected=0.5,
        failed=True,
    ),
    case(
        "defaulted and nulled rows are not rejected rows",
        [None, row(OLD), row(x=11.5)],
        [
            ageless(missing("absent", "default", 0.25)),
            judged(stale(), as_of=OLD, age=61 * S),
            judged(invalid("max")),
        ],
        of=view(feature(max=10.0, default=0.25), on_missing="default"),
        max_rejected=0.0,
    ),
    case(
        "a failed request is judged all the same",
        [None, row()],
        [GONE, GOOD],
        of=MISSING_REJECTS,
        max_rejected=0.25,
        failed=True,
    ),
]
