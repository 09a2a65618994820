"""Age against max age, and evidence from the future."""

from tests.contracts.vectors.building import (
    MAX_AGE,
    NOW,
    S,
    ageless,
    case,
    fresh,
    judged,
    row,
    stale,
    view,
)

LIMIT = NOW + 5 * S  # the latest instant that is still evidence
DECADE = 3_650 * 86_400 * S

CASES = [
    case("a value of ten seconds is fresh under a max age of sixty", row(), judged(fresh())),
    case(
        "one microsecond under max age is fresh",
        row(NOW - MAX_AGE + 1),
        judged(fresh(), as_of=NOW - MAX_AGE + 1, age=MAX_AGE - 1),
    ),
    case(
        "an age of exactly max age is fresh",
        row(NOW - MAX_AGE),
        judged(fresh(), as_of=NOW - MAX_AGE, age=MAX_AGE),
    ),
    case(
        "one microsecond over max age is stale",
        row(NOW - MAX_AGE - 1),
        judged(stale(), as_of=NOW - MAX_AGE - 1, age=MAX_AGE + 1),
    ),
    case("a value of this very microsecond has the age zero", row(NOW), judged(fresh(), as_of=NOW, age=0)),
    case(
        "an event one second ahead of now counts, and no age is negative",
        row(NOW + S, write=NOW),
        judged(fresh(), as_of=NOW + S, age=0),
    ),
    case(
        "an event exactly five seconds ahead of now counts",
        row(LIMIT, write=NOW - 20 * S),
        judged(fresh(), as_of=LIMIT, age=0),
    ),
    case(
        "an event one microsecond more than five seconds ahead gives way to the write time",
        row(LIMIT + 1, write=NOW - 20 * S),
        judged(fresh(), as_of=NOW - 20 * S, age=20 * S),
    ),
    case(
        "a future event written too long ago is stale by its write time",
        row(LIMIT + 1, write=NOW - 61 * S),
        judged(stale(), as_of=NOW - 61 * S, age=61 * S),
    ),
    case(
        "a write time exactly five seconds ahead stands in for a later event",
        row(NOW + 6 * S, write=LIMIT),
        judged(fresh(), as_of=LIMIT, age=0),
    ),
    case(
        "an event and a write time both beyond five seconds leave no evidence: stale, age unknown",
        row(LIMIT + 1, write=LIMIT + 1),
        ageless(stale(reason="no_evidence")),
    ),
    case(
        "a credible event time is never replaced by a write time from the future",
        row(NOW - 30 * S, write=NOW + 3_600 * S),
        judged(fresh(), as_of=NOW - 30 * S, age=30 * S),
    ),
    case(
        "the write time does not make an old event younger",
        row(NOW - 61 * S, write=NOW - S),
        judged(stale(), as_of=NOW - 61 * S, age=61 * S),
    ),
    case(
        "an event in the year 2099 is judged by its write time",
        row(4_070_908_800 * S, write=NOW - 10 * S),
        judged(fresh()),
    ),
    case(
        "an event before 1970 is very old, not absent",
        row(-1),
        judged(stale(), as_of=-1, age=NOW + 1),
    ),
    case("an event at the epoch is very old, not absent", row(0), judged(stale(), as_of=0, age=NOW)),
    case(
        "the longest max age is kept to the microsecond",
        [row(NOW - DECADE), row(NOW - DECADE - 1)],
        [
            judged(fresh(), as_of=NOW - DECADE, age=DECADE),
            judged(stale(), as_of=NOW - DECADE - 1, age=DECADE + 1),
        ],
        of=view(max_age=DECADE),
    ),
    case(
        "the shortest max age is kept to the microsecond",
        [row(NOW - S), row(NOW - S - 1)],
        [judged(fresh(), as_of=NOW - S, age=S), judged(stale(), as_of=NOW - S - 1, age=S + 1)],
        of=view(max_age=S),
    ),
    case(
        "each row of a request has its own age",
        [row(NOW - S), row(NOW - 60 * S), row(NOW - 61 * S)],
        [
            judged(fresh(), as_of=NOW - S, age=S),
            judged(fresh(), as_of=NOW - 60 * S, age=60 * S),
            judged(stale(), as_of=NOW - 61 * S, age=61 * S),
        ],
    ),
]
