"""Lists: items are counted, every other check goes to each element."""

from tests.contracts.vectors.building import (
    NOW,
    S,
    case,
    feature,
    fresh,
    invalid,
    judged,
    null,
    row,
    single,
    stale,
    view,
)


def listed(dtype, **domain):
    return view(feature(dtype=f"list<{dtype}>", **domain), on_invalid="serve")


def bad(reason, value):
    return invalid(reason, "serve", value)


CASES = [
    single(
        "a list whose elements keep their bounds is fresh",
        [0, 5, 10],
        fresh([0, 5, 10]),
        of=listed("int64", min=0, max=10),
    ),
    single(
        "one element below the minimum makes the list invalid",
        [0, -1, 10],
        bad("min", [0, -1, 10]),
        of=listed("int64", min=0, max=10),
    ),
    single(
        "one element above the maximum makes the list invalid",
        [0, 5, 11],
        bad("max", [0, 5, 11]),
        of=listed("int64", min=0, max=10),
    ),
    single(
        "the reason is that of the first element that breaks a rule",
        [11, -1],
        bad("max", [11, -1]),
        of=listed("int64", min=0, max=10),
    ),
    single(
        "a list of exactly min items is fresh",
        [1.5, 2.5],
        fresh([1.5, 2.5]),
        of=listed("float64", min_items=2),
    ),
    single(
        "a list one short of min items is invalid",
        [1.5],
        bad("min_items", [1.5]),
        of=listed("float64", min_items=2),
    ),
    single(
        "a list of exactly max items is fresh",
        [1.5, 2.5],
        fresh([1.5, 2.5]),
        of=listed("float64", max_items=2),
    ),
    single(
        "a list one over max items is invalid",
        [1.5, 2.5, 3.5],
        bad("max_items", [1.5, 2.5, 3.5]),
        of=listed("float64", max_items=2),
    ),
    single(
        "the number of items is told before any element",
        [-1],
        bad("min_items", [-1]),
        of=listed("int64", min=0, min_items=2),
    ),
    single("an empty list is a value", [], fresh([]), of=view(feature(dtype="list<int64>", nullable=False))),
    single(
        "an empty list breaks no rule about elements",
        [],
        fresh([]),
        of=listed("int64", min=1, max=2, allowed=[1]),
    ),
    single(
        "an empty list breaks a rule about items", [], bad("min_items", []), of=listed("int64", min_items=1)
    ),
    single("a null list in a nullable feature is null", None, null(), of=listed("int64", min_items=1)),
    single(
        "a null list in a feature that is not nullable is invalid",
        None,
        bad("not_nullable", None),
        of=listed("int64", nullable=False),
    ),
    single(
        "NaN in a list is invalid unless allowed",
        [1.5, "NaN"],
        bad("nan", [1.5, "NaN"]),
        of=listed("float64"),
    ),
    single(
        "NaN in a list is fresh where it is allowed",
        [1.5, "NaN"],
        fresh([1.5, "NaN"]),
        of=listed("float64", allow_nan=True),
    ),
    single(
        "infinity in a list is invalid unless allowed",
        ["-Infinity"],
        bad("inf", ["-Infinity"]),
        of=listed("float32"),
    ),
    single(
        "max length goes to each string of a list",
        ["ab", "abc"],
        bad("max_length", ["ab", "abc"]),
        of=listed("string", max_length=2),
    ),
    single(
        "max length does not count the items",
        ["ab", "cd", "ef"],
        fresh(["ab", "cd", "ef"]),
        of=listed("string", max_length=2),
    ),
    single(
        "a pattern goes to each string of a list",
        ["aa", "ab"],
        bad("pattern", ["aa", "ab"]),
        of=listed("string", pattern="a+"),
    ),
    single(
        "allowed goes to each element of a list",
        ["AA", "ZZ"],
        bad("allowed", ["AA", "ZZ"]),
        of=listed("string", allowed=["AA", "UA"]),
    ),
    single(
        "max length goes to each element of a list of bytes",
        ["AAE=", "AAEC"],
        bad("max_length", ["AAE=", "AAEC"]),
        of=listed("bytes", max_length=2),
    ),
    single(
        "bounds go to each timestamp of a list",
        [NOW, NOW + S],
        bad("max", [NOW, NOW + S]),
        of=listed("timestamp", max=NOW),
    ),
    single(
        "a list of bools has items only",
        [True, False, True],
        fresh([True, False, True]),
        of=listed("bool", max_items=3),
    ),
    single(
        "the extremes of int64 come back exactly from a list",
        [-9223372036854775808, 9223372036854775807],
        fresh([-9223372036854775808, 9223372036854775807]),
        of=listed("int64"),
    ),
    single(
        "a list takes a list as its default",
        [7, 8, 9],
        invalid("max_items", "default", [0, 0]),
        of=view(feature(dtype="list<int32>", max_items=2, default=[0, 0]), on_invalid="default"),
    ),
    single(
        "an empty list can be a default",
        [7],
        invalid("max", "default", []),
        of=view(feature(dtype="list<int32>", max=5, default=[]), on_invalid="default"),
    ),
    case(
        "a stale list with a bad element is stale and invalid at once",
        row(NOW - 61 * S, x=[1, -1]),
        judged(stale(also_invalid=True), as_of=NOW - 61 * S, age=61 * S),
        of=view(feature(dtype="list<int64>", min=0), on_stale="null", on_invalid="serve"),
    ),
]
