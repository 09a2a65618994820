"""A feature service's own terms win, each by itself; the rest stay the view's."""

from tests.contracts.vectors.building import (
    MAX_AGE,
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
    row,
    single,
    stale,
    unavailable,
    view,
)

X = feature(max=10.0, default=0.25)
HOUR = 3_600 * S
OLD = NOW - 61 * S


def aged(*answers, age=61 * S, rejected=False):
    return judged(*answers, as_of=NOW - age, age=age, rejected=rejected)


CASES = [
    case(
        "a service may accept older values than the view promises",
        row(OLD),
        aged(fresh()),
        service={"max_age_us": HOUR},
    ),
    case(
        "a service may demand younger values than the view promises",
        row(NOW - 6 * S),
        aged(stale(), age=6 * S),
        service={"max_age_us": 5 * S},
    ),
    case(
        "a service's max age is exact, too",
        [row(NOW - 5 * S), row(NOW - 5 * S - 1)],
        [aged(fresh(), age=5 * S), aged(stale(), age=5 * S + 1)],
        service={"max_age_us": 5 * S},
    ),
    case(
        "a service's max age equal to the view's changes nothing",
        row(NOW - MAX_AGE),
        aged(fresh(), age=MAX_AGE),
        service={"max_age_us": MAX_AGE},
    ),
    case(
        "a service's on_stale wins over the view's",
        row(OLD),
        aged(stale("serve", 1.5)),
        of=view(on_stale="reject"),
        service={"on_stale": "serve"},
    ),
    case(
        "a service's on_stale may be stricter than the view's",
        row(OLD),
        aged(stale("reject"), rejected=True),
        of=view(on_stale="serve"),
        service={"on_stale": "reject"},
    ),
    case(
        "a service's on_missing wins over the view's",
        None,
        ageless(missing("absent", "default", 0.25)),
        of=view(X, on_missing="reject"),
        service={"on_missing": "default"},
    ),
    case(
        "a service's on_missing is for unavailable values, too",
        UNAVAILABLE,
        ageless(unavailable("default", 0.25)),
        of=view(X, on_missing="reject"),
        service={"on_missing": "default"},
    ),
    single(
        "a service's on_invalid wins over the view's",
        11.5,
        invalid("max", "serve", 11.5),
        of=view(X, on_invalid="reject"),
        service={"on_invalid": "serve"},
    ),
    case(
        "a service's on_invalid may be stricter than the view's",
        row(x=11.5),
        judged(invalid("max", "reject"), rejected=True),
        of=view(X, on_invalid="serve"),
        service={"on_invalid": "reject"},
    ),
    case(
        "a service that names one term leaves the others to the view",
        [row(OLD), None, row(x=11.5)],
        [aged(stale("default", 0.25)), ageless(missing("absent")), judged(invalid("max", "serve", 11.5))],
        of=view(X, on_stale="serve", on_missing="null", on_invalid="serve"),
        service={"on_stale": "default"},
    ),
    case(
        "a service that names only a max age leaves the actions to the view",
        row(NOW - 6 * S),
        aged(stale("serve", 1.5), age=6 * S),
        of=view(on_stale="serve"),
        service={"max_age_us": 5 * S},
    ),
    case(
        "a service that names every term leaves nothing to the view",
        [row(NOW - 6 * S), None, row(NOW, x=11.5)],
        [
            aged(stale("default", 0.25), age=6 * S),
            ageless(missing("absent", "default", 0.25)),
            judged(invalid("max", "default", 0.25), as_of=NOW, age=0),
        ],
        of=view(X, on_stale="reject", on_missing="reject", on_invalid="reject"),
        service={
            "max_age_us": 5 * S,
            "on_stale": "default",
            "on_missing": "default",
            "on_invalid": "default",
        },
    ),
    case(
        "a value of three hours is rejected under five minutes",
        row(NOW - 3 * HOUR),
        aged(stale("reject"), age=3 * HOUR, rejected=True),
        of=view(X, max_age=6 * HOUR),
        service={"max_age_us": 300 * S, "on_stale": "reject"},
    ),
    case(
        "the same value of three hours is defaulted under one hour",
        row(NOW - 3 * HOUR),
        aged(stale("default", 0.25), age=3 * HOUR),
        of=view(X, max_age=6 * HOUR),
        service={"max_age_us": HOUR, "on_stale": "default"},
    ),
    case(
        "the same value of three hours is fresh under a day",
        row(NOW - 3 * HOUR),
        aged(fresh(), age=3 * HOUR),
        of=view(X, max_age=6 * HOUR),
        service={"max_age_us": 24 * HOUR},
    ),
    case(
        "a stale and invalid value takes the stronger of the service's stale and the view's invalid action",
        row(OLD, x=11.5),
        aged(stale("default", 0.25, also_invalid=True)),
        of=view(X, on_stale="reject", on_invalid="default"),
        service={"on_stale": "null"},
    ),
]
