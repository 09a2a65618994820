"""As-of: the event time, or what the lane's watermark proves; held rows stand alone."""

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
)

LIMIT = NOW + 5 * S
DAY = 86_400 * S

CASES = [
    case(
        "an unchanged batch row of ten days ago is as fresh as its lane's watermark",
        row(NOW - 10 * DAY, lane="batch"),
        judged(fresh(), as_of=NOW - 30 * S, age=30 * S),
        watermarks={"batch": NOW - 30 * S},
    ),
    case(
        "a quiet stream entity is as fresh as its lane's watermark",
        row(NOW - DAY, lane="stream"),
        judged(fresh(), as_of=NOW - 2 * S, age=2 * S),
        watermarks={"stream": NOW - 2 * S},
    ),
    case(
        "a heartbeat keeps a direct row fresh",
        row(NOW - DAY),
        judged(fresh(), as_of=NOW - 2 * S, age=2 * S),
        watermarks={"direct": NOW - 2 * S},
    ),
    case(
        "a watermark older than the event time makes the row no older",
        row(lane="batch"),
        judged(fresh()),
        watermarks={"batch": NOW - 3_600 * S},
    ),
    case(
        "a watermark equal to the event time changes nothing",
        row(),
        judged(fresh()),
        watermarks={"direct": NOW - 10 * S},
    ),
    case(
        "the watermark of another lane proves nothing",
        row(NOW - 90 * S, lane="batch"),
        judged(stale(), as_of=NOW - 90 * S, age=90 * S),
        watermarks={"stream": NOW - S, "direct": NOW - S},
    ),
    case(
        "without a watermark the event time stands alone",
        row(NOW - 61 * S, lane="batch"),
        judged(stale(), as_of=NOW - 61 * S, age=61 * S),
    ),
    case(
        "each row takes the watermark of the lane that wrote it",
        [row(NOW - 300 * S, lane=lane) for lane in ("batch", "stream", "direct")],
        [
            judged(fresh(), as_of=NOW - 50 * S, age=50 * S),
            judged(stale(), as_of=NOW - 61 * S, age=61 * S),
            judged(fresh(), as_of=NOW - 60 * S, age=60 * S),
        ],
        watermarks={"batch": NOW - 50 * S, "stream": NOW - 61 * S, "direct": NOW - 60 * S},
    ),
    case(
        "a watermark of exactly max age is fresh",
        row(NOW - DAY, lane="batch"),
        judged(fresh(), as_of=NOW - MAX_AGE, age=MAX_AGE),
        watermarks={"batch": NOW - MAX_AGE},
    ),
    case(
        "a watermark one microsecond past max age is stale",
        row(NOW - DAY, lane="batch"),
        judged(stale(), as_of=NOW - MAX_AGE - 1, age=MAX_AGE + 1),
        watermarks={"batch": NOW - MAX_AGE - 1},
    ),
    case(
        "a watermark exactly five seconds ahead of now counts",
        row(NOW - DAY, lane="batch"),
        judged(fresh(), as_of=LIMIT, age=0),
        watermarks={"batch": LIMIT},
    ),
    case(
        "a watermark one microsecond more than five seconds ahead is dropped",
        row(NOW - 90 * S, lane="batch"),
        judged(stale(), as_of=NOW - 90 * S, age=90 * S),
        watermarks={"batch": LIMIT + 1},
    ),
    case(
        "a dropped watermark takes no fresh event time with it",
        row(lane="batch"),
        judged(fresh()),
        watermarks={"batch": LIMIT + 1},
    ),
    case(
        "event, write time and watermark all beyond five seconds leave no evidence",
        row(LIMIT + 1, write=LIMIT + 1, lane="batch"),
        ageless(stale(reason="no_evidence")),
        watermarks={"batch": LIMIT + 1},
    ),
    case(
        "a credible watermark proves a row whose own times are not credible",
        row(LIMIT + 1, write=LIMIT + 1, lane="batch"),
        judged(fresh(), as_of=NOW - 30 * S, age=30 * S),
        watermarks={"batch": NOW - 30 * S},
    ),
    case(
        "the watermark competes with the write time that replaced a future event time",
        row(NOW + 3_600 * S, write=NOW - 100 * S, lane="batch"),
        judged(fresh(), as_of=NOW - 30 * S, age=30 * S),
        watermarks={"batch": NOW - 30 * S},
    ),
    case(
        "a held row is judged by its event time alone",
        row(NOW - 90 * S, lane="batch", held=True),
        judged(stale(), as_of=NOW - 90 * S, age=90 * S),
        watermarks={"batch": NOW - S},
    ),
    case(
        "a held row that is young by itself is fresh",
        row(held=True, lane="batch"),
        judged(fresh()),
        watermarks={"batch": NOW - S},
    ),
    case(
        "a held row with a future event time falls back to its write time, not to the watermark",
        row(NOW + 3_600 * S, write=NOW - 20 * S, lane="stream", held=True),
        judged(fresh(), as_of=NOW - 20 * S, age=20 * S),
        watermarks={"stream": NOW - S},
    ),
    case(
        "a held row without credible times has no evidence, whatever the watermark says",
        row(LIMIT + 1, write=LIMIT + 1, lane="batch", held=True),
        ageless(stale(reason="no_evidence")),
        watermarks={"batch": NOW - S},
    ),
    case(
        "a held row beside one that is not: only the other follows the watermark",
        [row(NOW - 90 * S, lane="batch", held=True), row(NOW - 90 * S, lane="batch")],
        [
            judged(stale(), as_of=NOW - 90 * S, age=90 * S),
            judged(fresh(), as_of=NOW - S, age=S),
        ],
        watermarks={"batch": NOW - S},
    ),
    case(
        "a watermark of zero microseconds is a watermark",
        row(-5 * S, lane="batch"),
        judged(stale(), as_of=0, age=NOW),
        watermarks={"batch": 0},
    ),
]
