"""The rows and keys whose bytes both languages must agree on, named by what they show."""

import math

from controlplane.kernel.dtypes import Dtype, Value
from store_adapters import Column, KeyValue, Lane, Layout, Row

NOW = 1_795_000_000_123_456
RUN = 1_795_000_000_000_001


def layout_of(*dtypes: Dtype, number: int = 1) -> Layout:
    return Layout(number, tuple(Column(f"f{i}", dtype) for i, dtype in enumerate(dtypes)))


def row_of(layout: Layout, *values: Value, **changes: object) -> Row:
    fields: dict = {
        "event_time_us": NOW - 60_000_000,
        "lane": Lane.BATCH,
        "position": RUN,
        "layout_number": layout.number,
        "write_time_us": NOW,
        "run_number": RUN,
        "values": values,
    }
    return Row(**{**fields, **changes})


SAMPLES: dict[Dtype, list[Value]] = {
    Dtype.INT32: [0, 1, -1, 2**31 - 1, -(2**31)],
    Dtype.INT64: [0, 1, -1, 2**63 - 1, -(2**63), 2**53 + 1],
    Dtype.FLOAT32: [0.0, -0.0, 1.5, 0.1, -1e-46, 1e-45, 3.4028234663852886e38, math.nan, math.inf, -math.inf],
    Dtype.FLOAT64: [0.0, -0.0, 0.1, -2.5, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf],
    Dtype.BOOL: [True, False],
    Dtype.STRING: ["", "N14228", "Zürich", "e\u0301 is not \u00e9", "東京 🛫", "nul \x00 inside", "x" * 300],
    Dtype.BYTES: [b"", b"\x00", bytes(range(256))],
    Dtype.TIMESTAMP: [0, NOW, -1, -62_135_596_800_000_000, 253_402_300_799_999_999],
}


def _rows_by_dtype() -> list[tuple[str, Layout, Row]]:
    cases = []
    for dtype, samples in SAMPLES.items():
        single, many = layout_of(dtype), layout_of(Dtype(f"list<{dtype}>"))
        cases += [
            (f"{dtype} number {i} of its samples", single, row_of(single, s)) for i, s in enumerate(samples)
        ]
        cases += [
            (f"{dtype} null", single, row_of(single, None)),
            (f"list<{dtype}> of all samples", many, row_of(many, list(samples))),
            (f"list<{dtype}> of one", many, row_of(many, samples[-1:])),
            (f"list<{dtype}> empty", many, row_of(many, [])),
            (f"list<{dtype}> null", many, row_of(many, None)),
        ]
    return cases


def _rows_by_shape() -> list[tuple[str, Layout, Row]]:
    none = layout_of()
    nine = layout_of(*[Dtype.INT64] * 9, number=7)
    mixed = layout_of(
        Dtype.STRING, Dtype.INT32, Dtype.LIST_STRING, Dtype.BOOL, Dtype.BYTES, Dtype.FLOAT64, number=2**32 - 1
    )
    every = layout_of(*Dtype, number=3)
    wide = layout_of(*[Dtype.FLOAT32, Dtype.STRING] * 20, number=12)
    firsts = tuple(SAMPLES[d.element][1:2] if d.is_list else SAMPLES[d][1] for d in Dtype)
    return [
        ("no columns at all", none, row_of(none)),
        ("eight columns fill the bitmap byte", e := layout_of(*[Dtype.BOOL] * 8), row_of(e, *[None] * 8)),
        ("nine columns take two bitmap bytes", nine, row_of(nine, *range(9))),
        ("nine columns, the last null", nine, row_of(nine, *range(8), None)),
        ("nine columns, all null", nine, row_of(nine, *nine.nulls)),
        ("fixed columns come before variable ones", mixed, row_of(mixed, "a", 1, ["b", ""], True, b"c", 2.5)),
        ("variable columns null between others", mixed, row_of(mixed, "a", None, None, None, b"c", None)),
        ("an empty string is not null", mixed, row_of(mixed, "", 0, [], False, b"", 0.0)),
        ("every dtype in one row", every, row_of(every, *firsts)),
        ("every dtype null in one row", every, row_of(every, *every.nulls)),
        ("forty columns", wide, row_of(wide, *[v for i in range(20) for v in (i / 4, "é" * i)])),
        ("list<string> of empty strings", s := layout_of(Dtype.LIST_STRING), row_of(s, ["", "", ""])),
    ]


def _rows_by_header() -> list[tuple[str, Layout, Row]]:
    one = layout_of(Dtype.INT64)
    top = {"write_time_us": 2**63 - 1, "run_number": 2**63 - 1, "position": 2**62 - 1}
    return [
        ("batch lane", one, row_of(one, 1, lane=Lane.BATCH)),
        ("stream lane", one, row_of(one, 1, lane=Lane.STREAM, position=(NOW // 1000 << 20) + 3)),
        ("direct lane", one, row_of(one, 1, lane=Lane.DIRECT, position=NOW)),
        ("tombstone", one, row_of(one, None, tombstone=True)),
        ("held", one, row_of(one, 1, held=True)),
        ("clamped", one, row_of(one, 1, clamped=True, event_time_us=NOW)),
        ("tombstone, held and clamped", one, row_of(one, None, tombstone=True, held=True, clamped=True)),
        ("tombstone of no columns", none := layout_of(), row_of(none, tombstone=True)),
        ("event time 0", one, row_of(one, 1, event_time_us=0)),
        ("event time before 1970", one, row_of(one, 1, event_time_us=-1)),
        ("the least event time", one, row_of(one, 1, event_time_us=-(2**63))),
        ("the greatest event time", one, row_of(one, 1, event_time_us=2**63 - 1)),
        ("write time before 1970", one, row_of(one, 1, write_time_us=-5)),
        ("run 0 and position 0", one, row_of(one, 1, run_number=0, position=0)),
        ("the greatest numbers", one, row_of(one, 1, lane=Lane.DIRECT, **top)),
        ("layout 0", zero := layout_of(Dtype.BOOL, number=0), row_of(zero, True)),
    ]


def row_cases() -> list[tuple[str, Layout, Row]]:
    return _rows_by_dtype() + _rows_by_shape() + _rows_by_header()


def key_cases() -> list[tuple[str, list[tuple[str, Dtype, KeyValue]]]]:
    singles: list[tuple[str, list[tuple[str, Dtype, KeyValue]]]] = []
    for dtype in (Dtype.INT32, Dtype.INT64, Dtype.STRING, Dtype.BYTES):
        for i, sample in enumerate(SAMPLES[dtype]):
            singles.append((f"{dtype} number {i} of its samples", [("k", dtype, sample)]))  # type: ignore[list-item]
    return [
        ("Feast's vector of one int64", [("driver_id", Dtype.INT64, 1001)]),
        (
            "Feast's vector of two, declared out of order",
            [("driver_id", Dtype.INT64, 1001), ("customer_id", Dtype.STRING, "C-1")],
        ),
        ("Feast's vector of an entity-less view", [("__dummy_id", Dtype.STRING, "")]),
        *singles,
        (
            "all four dtypes",
            [
                ("d", Dtype.BYTES, b"\xff\x00"),
                ("b", Dtype.INT64, -7),
                ("c", Dtype.STRING, "ü"),
                ("a", Dtype.INT32, 7),
            ],
        ),
        (
            "capitals sort before underscores before small letters",
            [("a", Dtype.INT32, 1), ("_", Dtype.INT32, 2), ("A", Dtype.INT32, 3)],
        ),
        ("a name that is the start of another", [("key_2", Dtype.INT32, 2), ("key", Dtype.INT32, 1)]),
        ("names sort by code point", [("é", Dtype.STRING, "2"), ("z", Dtype.STRING, "1")]),
    ]
