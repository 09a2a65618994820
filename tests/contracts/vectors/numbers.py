"""Nulls, numbers and their bounds."""

from tests.contracts.vectors.building import (
    NOW,
    S,
    answer,
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

REQUIRED = feature(nullable=False)
DELAY = view(feature(min=-120.0, max=2880.0), on_invalid="serve")
COUNT = view(feature(dtype="int64", min=0, max=9007199254740993), on_invalid="serve")
SMALL = view(feature(dtype="int32"), on_invalid="serve")
PLAIN = view(on_invalid="serve")

CASES = [
    single("a null in a nullable feature is null, and nothing is triggered", None, null(), of=view()),
    single(
        "a nullable null is no violation even where every action is reject",
        None,
        null(),
        of=view(on_stale="reject", on_missing="reject", on_invalid="reject"),
    ),
    single(
        "a default is not for nulls that are allowed",
        None,
        null(),
        of=view(feature(default=0.25), on_missing="default", on_invalid="default"),
    ),
    single(
        "a null in a feature that is not nullable is invalid",
        None,
        invalid("not_nullable"),
        of=view(REQUIRED),
    ),
    single(
        "a forbidden null under serve answers null, flagged invalid",
        None,
        invalid("not_nullable", "serve"),
        of=view(REQUIRED, on_invalid="serve"),
    ),
    single(
        "a forbidden null takes the default where invalid does",
        None,
        invalid("not_nullable", "default", 0.25),
        of=view(feature(nullable=False, default=0.25), on_invalid="default"),
    ),
    case(
        "a stale null that is allowed is stale and not invalid as well",
        row(NOW - 61 * S, x=None),
        judged(stale("serve"), as_of=NOW - 61 * S, age=61 * S),
        of=view(on_stale="serve", on_invalid="reject"),
    ),
    case(
        "a stale null that is forbidden is stale and invalid at once",
        row(NOW - 61 * S, x=None),
        judged(stale(also_invalid=True), as_of=NOW - 61 * S, age=61 * S),
        of=view(REQUIRED, on_stale="serve", on_invalid="null"),
    ),
    single("a null is not held against bounds", None, null(), of=DELAY),
    single("a value at its minimum is fresh", -120.0, fresh(-120.0), of=DELAY),
    single("a value at its maximum is fresh", 2880.0, fresh(2880.0), of=DELAY),
    single(
        "the next float below the minimum is invalid",
        -120.00000000000001,
        invalid("min", "serve", -120.00000000000001),
        of=DELAY,
    ),
    single(
        "the next float above the maximum is invalid",
        2880.0000000000005,
        invalid("max", "serve", 2880.0000000000005),
        of=DELAY,
    ),
    single("an integer at its minimum is fresh", 0, fresh(0), of=COUNT),
    single("an integer one below its minimum is invalid", -1, invalid("min", "serve", -1), of=COUNT),
    single("a maximum past two to the 53rd is exact", 9007199254740993, fresh(9007199254740993), of=COUNT),
    single(
        "an integer one above a maximum past two to the 53rd is invalid",
        9007199254740994,
        invalid("max", "serve", 9007199254740994),
        of=COUNT,
    ),
    case(
        "the extremes of int64 come back exactly",
        [row(x=-9223372036854775808), row(x=9223372036854775807)],
        [judged(fresh(-9223372036854775808)), judged(fresh(9223372036854775807))],
        of=view(feature(dtype="int64")),
    ),
    case(
        "the extremes of int32 come back exactly",
        [row(x=-2147483648), row(x=2147483647)],
        [judged(fresh(-2147483648)), judged(fresh(2147483647))],
        of=SMALL,
    ),
    case(
        "an integer is one of those allowed or invalid",
        [row(x=1), row(x=2), row(x=3)],
        [judged(fresh(1)), judged(invalid("allowed", "serve", 2)), judged(fresh(3))],
        of=view(feature(dtype="int32", allowed=[1, 3]), on_invalid="serve"),
    ),
    single(
        "an integer below its minimum that is not allowed either is below its minimum first",
        -4,
        invalid("min", "serve", -4),
        of=view(feature(dtype="int64", min=0, allowed=[1, 3]), on_invalid="serve"),
    ),
    single("NaN is invalid unless allowed", "NaN", invalid("nan", "serve", "NaN"), of=PLAIN),
    single("NaN is fresh where it is allowed", "NaN", fresh("NaN"), of=view(feature(allow_nan=True))),
    single(
        "a NaN that is allowed is not held against bounds",
        "NaN",
        fresh("NaN"),
        of=view(feature(allow_nan=True, min=0.0, max=1.0)),
    ),
    single(
        "NaN is not null: a feature that is not nullable may hold it",
        "NaN",
        fresh("NaN"),
        of=view(feature(nullable=False, allow_nan=True)),
    ),
    single("allowing infinities does not allow NaN", "NaN", invalid("nan"), of=view(feature(allow_inf=True))),
    single("infinity is invalid unless allowed", "Infinity", invalid("inf", "serve", "Infinity"), of=PLAIN),
    single(
        "negative infinity is invalid unless allowed",
        "-Infinity",
        invalid("inf", "serve", "-Infinity"),
        of=PLAIN,
    ),
    single(
        "allowing NaN does not allow infinities", "Infinity", invalid("inf"), of=view(feature(allow_nan=True))
    ),
    case(
        "infinities are fresh where they are allowed",
        [row(x="Infinity"), row(x="-Infinity")],
        [judged(fresh("Infinity")), judged(fresh("-Infinity"))],
        of=view(feature(allow_inf=True)),
    ),
    case(
        "infinities that are allowed are held against bounds",
        [row(x="Infinity"), row(x="-Infinity")],
        [judged(invalid("max")), judged(invalid("min"))],
        of=view(feature(allow_inf=True, min=0.0, max=1.0)),
    ),
    single(
        "a forbidden infinity is an infinity before it is above a maximum",
        "Infinity",
        invalid("inf"),
        of=view(feature(max=1.0)),
    ),
    single(
        "a zero that was stored from minus zero keeps a minimum of zero",
        0.0,
        fresh(0.0),
        of=view(feature(min=0.0)),
    ),
    single(
        "a zero that was stored from minus zero keeps a maximum of zero",
        0.0,
        fresh(0.0),
        of=view(feature(max=0.0)),
    ),
    case(
        "a float32 is compared as it is stored, bounds included",
        [row(x=0.5), row(x=0.50000006), row(x=0.10000000149011612)],
        [judged(fresh(0.5)), judged(invalid("max")), judged(invalid("min"))],
        of=view(feature(dtype="float32", min=0.25, max=0.5)),
    ),
    single(
        "a float32 bound is a float32 itself, so a tenth is not above a tenth",
        0.10000000149011612,
        fresh(0.10000000149011612),
        of=view(feature(dtype="float32", max=0.10000000149011612)),
    ),
    case(
        "a float32 can be NaN or infinite as a float64 can",
        [row(x="NaN"), row(x="-Infinity")],
        [judged(invalid("nan", "serve", "NaN")), judged(invalid("inf", "serve", "-Infinity"))],
        of=view(feature(dtype="float32"), on_invalid="serve"),
    ),
    single("the smallest float64 is not zero", 5e-324, fresh(5e-324), of=view(feature(min=0.0))),
    single(
        "the greatest float64 is not infinite",
        1.7976931348623157e308,
        fresh(1.7976931348623157e308),
        of=view(),
    ),
    case(
        "timestamps have inclusive bounds to the microsecond",
        [row(x=NOW - 1), row(x=NOW), row(x=NOW + S), row(x=NOW + S + 1)],
        [
            judged(invalid("min", "serve", NOW - 1)),
            judged(fresh(NOW)),
            judged(fresh(NOW + S)),
            judged(invalid("max", "serve", NOW + S + 1)),
        ],
        of=view(feature(dtype="timestamp", min=NOW, max=NOW + S), on_invalid="serve"),
    ),
    case(
        "false and zero are values, not nulls",
        row(x=False, y=0, z="", b=""),
        judged(fresh(False), fresh(0, name="y"), fresh("", name="z"), fresh("", name="b")),
        of=view(
            feature(dtype="bool", nullable=False),
            feature("y", "int64", nullable=False),
            feature("z", "string", nullable=False),
            feature("b", "bytes", nullable=False),
        ),
    ),
    case(
        "a stale value outside its bounds is stale and invalid at once",
        row(NOW - 61 * S, x=3000.0),
        judged(
            answer("stale", "serve", 3000.0, reason="age", also_invalid=True), as_of=NOW - 61 * S, age=61 * S
        ),
        of=view(feature(max=2880.0), on_stale="serve", on_invalid="serve"),
    ),
]
