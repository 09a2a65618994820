"""Rows written under older layouts: what widens, what reads as invalid."""

from tests.contracts.vectors.building import (
    NOW,
    S,
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
    view,
)


def retyped(before, after, *, on_stale="null", on_invalid="null", **domain):
    """A view whose x had another type under layout 1."""
    return view(
        feature(dtype=after, **domain),
        on_stale=on_stale,
        on_invalid=on_invalid,
        layout=2,
        layouts={1: [column("x", before)], 2: [column("x", after)]},
    )


def changed(name, before, after, value, expected, **more):
    return case(name, row(x=value), judged(expected), of=retyped(before, after, **more))


CASES = [
    changed("int32 widens to int64", "int32", "int64", -2147483648, fresh(-2147483648)),
    changed(
        "float32 widens to float64 without a change of value",
        "float32",
        "float64",
        0.10000000149011612,
        fresh(0.10000000149011612),
    ),
    changed(
        "a widened value is held against today's bounds",
        "int32",
        "int64",
        11,
        invalid("max", "serve", 11),
        max=10,
        on_invalid="serve",
    ),
    changed(
        "a widened float is compared as it was stored, so a float32 tenth is above a float64 tenth",
        "float32",
        "float64",
        0.10000000149011612,
        invalid("max"),
        max=0.1,
    ),
    changed("a widened NaN is a NaN", "float32", "float64", "NaN", invalid("nan")),
    changed("int64 does not narrow to int32, even where it would fit", "int64", "int32", 1, invalid("type")),
    changed("float64 does not narrow to float32", "float64", "float32", 0.5, invalid("type")),
    changed("an int32 is no float64", "int32", "float64", 1, invalid("type")),
    changed("an int64 is no float64", "int64", "float64", 1, invalid("type")),
    changed("a timestamp is no int64", "timestamp", "int64", NOW, invalid("type")),
    changed("an int64 is no timestamp", "int64", "timestamp", NOW, invalid("type")),
    changed("an int32 is no timestamp", "int32", "timestamp", 1, invalid("type")),
    changed("a string is no bytes", "string", "bytes", "abc", invalid("type")),
    changed("bytes are no string", "bytes", "string", "YWJj", invalid("type")),
    changed("a bool is no integer", "bool", "int32", True, invalid("type")),
    changed("a scalar is no list of itself", "int64", "list<int64>", 1, invalid("type")),
    changed("a list is no scalar", "list<int64>", "int64", [1], invalid("type")),
    changed("a list does not widen with its elements", "list<int32>", "list<int64>", [1], invalid("type")),
    changed(
        "a list of floats does not widen with its elements",
        "list<float32>",
        "list<float64>",
        [0.5],
        invalid("type"),
    ),
    changed(
        "an empty list of another type is of another type", "list<int32>", "list<int64>", [], invalid("type")
    ),
    changed(
        "serve answers null for a value of another type",
        "string",
        "int64",
        "7",
        invalid("type", "serve"),
        on_invalid="serve",
    ),
    changed(
        "a value of another type takes the default where invalid does",
        "string",
        "int64",
        "7",
        invalid("type", "default", 5),
        on_invalid="default",
        default=5,
    ),
    changed("a null that was written under another type is a null", "string", "int64", None, null()),
    changed(
        "a forbidden null that was written under another type is a forbidden null",
        "string",
        "int64",
        None,
        invalid("not_nullable"),
        nullable=False,
    ),
    case(
        "a stale value of another type is stale and invalid at once, and serve has nothing to serve",
        row(NOW - 61 * S, x="7"),
        judged(stale("serve", also_invalid=True), as_of=NOW - 61 * S, age=61 * S),
        of=retyped("string", "int64", on_stale="serve", on_invalid="serve"),
    ),
    case(
        "rows of three layouts in one request are each read by their own",
        [row(layout=1, x=1), row(layout=2, x=2, y=0.5), row(layout=3, y=1.5, x=3)],
        [
            judged(fresh(1), missing("layout", name="y")),
            judged(fresh(2), fresh(0.5, name="y")),
            judged(fresh(3), fresh(1.5, name="y")),
        ],
        of=view(
            feature(dtype="int64"),
            feature("y", "float64"),
            layout=3,
            layouts={
                1: [column("x", "int32")],
                2: [column("x", "int32"), column("y", "float32")],
                3: [column("y", "float64"), column("x", "int64")],
            },
        ),
    ),
    case(
        "a row of a newer layout than the bundle's current one is read by its own",
        row(layout=2, x=1, y=2.5),
        judged(fresh(1)),
        of=view(
            feature(dtype="int64"),
            layout=1,
            layouts={1: [column("x", "int64")], 2: [column("x", "int64"), column("y", "float64")]},
        ),
    ),
    case(
        "a column that the contract has no feature for is not answered",
        row(x=1.5, y=2.5),
        judged(fresh()),
        of=view(layouts={1: [column("x", "float64"), column("y", "float64")]}),
    ),
]
