"""What each action does, and which is the strongest."""

from tests.contracts.vectors.building import (
    NOW,
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
    single,
    stale,
    view,
)

OLD = NOW - 61 * S
BOUNDED = feature(max=10.0, default=0.25)


def aged(*answers, rejected=False):
    return judged(*answers, as_of=OLD, age=61 * S, rejected=rejected)


def stale_and_invalid(on_stale, on_invalid, action, value, *, rejected=False):
    """A stale 11.5 over a maximum of 10, with a default of 0.25."""
    return case(
        f"stale says {on_stale}, invalid says {on_invalid}: a value that is both gets {action}",
        row(OLD, x=11.5),
        aged(stale(action, value, also_invalid=True), rejected=rejected),
        of=view(BOUNDED, on_stale=on_stale, on_invalid=on_invalid),
    )


CASES = [
    case(
        "stale under serve is the stored value, flagged",
        row(OLD),
        aged(stale("serve", 1.5)),
        of=view(on_stale="serve"),
    ),
    case("stale under null is null", row(OLD), aged(stale("null")), of=view(on_stale="null")),
    case(
        "stale under default is the declared default",
        row(OLD),
        aged(stale("default", 0.25)),
        of=view(BOUNDED, on_stale="default"),
    ),
    case(
        "stale under reject rejects the row",
        row(OLD),
        aged(stale("reject"), rejected=True),
        of=view(on_stale="reject"),
    ),
    single(
        "invalid under serve is the stored value, flagged",
        11.5,
        invalid("max", "serve", 11.5),
        of=view(BOUNDED, on_invalid="serve"),
    ),
    single("invalid under null is null", 11.5, invalid("max"), of=view(BOUNDED, on_invalid="null")),
    single(
        "invalid under default is the declared default",
        11.5,
        invalid("max", "default", 0.25),
        of=view(BOUNDED, on_invalid="default"),
    ),
    case(
        "invalid under reject rejects the row",
        row(x=11.5),
        judged(invalid("max", "reject"), rejected=True),
        of=view(BOUNDED, on_invalid="reject"),
    ),
    case("missing under null is null", None, ageless(missing("absent")), of=view(BOUNDED, on_missing="null")),
    stale_and_invalid("serve", "serve", "serve", 11.5),
    stale_and_invalid("serve", "null", "null", None),
    stale_and_invalid("null", "serve", "null", None),
    stale_and_invalid("serve", "default", "default", 0.25),
    stale_and_invalid("null", "default", "default", 0.25),
    stale_and_invalid("default", "null", "default", 0.25),
    stale_and_invalid("default", "serve", "default", 0.25),
    stale_and_invalid("default", "reject", "reject", None, rejected=True),
    stale_and_invalid("reject", "default", "reject", None, rejected=True),
    stale_and_invalid("reject", "serve", "reject", None, rejected=True),
    stale_and_invalid("serve", "reject", "reject", None, rejected=True),
    case(
        "a stale value within its domain does not trigger the action of invalid",
        row(OLD),
        aged(stale("serve", 1.5)),
        of=view(BOUNDED, on_stale="serve", on_invalid="reject"),
    ),
    case(
        "a young value outside its domain does not trigger the action of stale",
        row(x=11.5),
        judged(invalid("max", "serve", 11.5)),
        of=view(BOUNDED, on_stale="reject", on_invalid="serve"),
    ),
    case(
        "a fresh value triggers nothing",
        row(),
        judged(fresh()),
        of=view(BOUNDED, on_stale="reject", on_missing="reject", on_invalid="reject"),
    ),
    case(
        "a missing row does not trigger the action of stale",
        None,
        ageless(missing("absent")),
        of=view(BOUNDED, on_stale="reject", on_missing="null", on_invalid="reject"),
    ),
    single(
        "a default is answered as declared, even outside the feature's own domain",
        11.5,
        invalid("max", "default", -1.0),
        of=view(feature(min=0.0, max=10.0, default=-1.0), on_invalid="default"),
    ),
    case(
        "a default keeps the status of what it stands in for",
        [row(OLD), None, row(x=11.5), row()],
        [
            aged(stale("default", 0.25)),
            ageless(missing("absent", "default", 0.25)),
            judged(invalid("max", "default", 0.25)),
            judged(fresh()),
        ],
        of=view(BOUNDED, on_stale="default", on_missing="default", on_invalid="default"),
    ),
    case(
        "defaults of every type are answered",
        None,
        ageless(
            missing("absent", "default", False),
            missing("absent", "default", 9223372036854775807, name="i"),
            missing("absent", "default", "", name="s"),
            missing("absent", "default", "AP8=", name="b"),
            missing("absent", "default", 0, name="t"),
            missing("absent", "default", "NaN", name="f"),
            missing("absent", "default", ["a", ""], name="l"),
        ),
        of=view(
            feature(dtype="bool", default=False),
            feature("i", "int64", default=9223372036854775807),
            feature("s", "string", default=""),
            feature("b", "bytes", default="AP8="),
            feature("t", "timestamp", default=0),
            feature("f", "float64", default="NaN"),
            feature("l", "list<string>", default=["a", ""]),
            on_missing="default",
        ),
    ),
    case(
        "each value of a row has its own verdict",
        row(x=1.5, y=None, z=11.5),
        judged(fresh(), null(name="y"), invalid("max", "serve", 11.5, name="z")),
        of=view(feature(), feature("y"), feature("z", max=10.0), on_invalid="serve"),
    ),
]
