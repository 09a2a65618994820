"""How long packing and reading one row takes: ``python -m benchmarks.row_codec [rows]``.

Prints microseconds per row, best of five, for 10 float64 columns and for a mixed layout. Batch packs hundreds
of thousands of rows, so the budget for 10 floats is 8 microseconds, building the Row included.
"""

import sys
from collections.abc import Callable
from timeit import repeat

from controlplane.kernel.dtypes import Dtype
from store_adapters import Column, KeyCodec, Lane, Layout, Row, decode_row, encode_row

NOW = 1_790_000_000_000_000
FLOATS = Layout(1, tuple(Column(f"f{i}", Dtype.FLOAT64) for i in range(10)))
MIXED = Layout(
    2,
    tuple(
        Column(dtype.value, dtype)
        for dtype in (Dtype.INT64, Dtype.BOOL, Dtype.STRING, Dtype.LIST_FLOAT32, Dtype.TIMESTAMP)
    ),
)
FLOAT_VALUES = tuple(i * 1.5 for i in range(10))
MIXED_VALUES = (7, True, "N14228", [0.5] * 32, NOW)


def _row(layout: Layout, values: tuple[object, ...]) -> Row:
    return Row(NOW, Lane.BATCH, NOW, layout.number, NOW, NOW, values)  # type: ignore[arg-type]


def _per_call(call: Callable[[], object], rows: int) -> float:
    return min(repeat(call, number=rows, repeat=5)) / rows * 1e6


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    floats, mixed = _row(FLOATS, FLOAT_VALUES), _row(MIXED, MIXED_VALUES)
    packed = encode_row(floats, FLOATS)
    keys = KeyCodec([("carrier", Dtype.STRING), ("flight", Dtype.INT64)])
    cases: dict[str, Callable[[], object]] = {
        "build and encode, 10 float64": lambda: encode_row(_row(FLOATS, FLOAT_VALUES), FLOATS),
        "encode, 10 float64": lambda: encode_row(floats, FLOATS),
        "encode, 10 float64, one null": lambda: encode_row(_row(FLOATS, (None, *FLOAT_VALUES[1:])), FLOATS),
        "encode, mixed with 32 floats": lambda: encode_row(mixed, MIXED),
        "decode, 10 float64": lambda: decode_row(packed, FLOATS),
        "encode key, string and int64": lambda: keys.encode(("UA", 1545)),
    }
    for name, call in cases.items():
        print(f"{name:32} {_per_call(call, rows):6.2f} us")


if __name__ == "__main__":
    main()
