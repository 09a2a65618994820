"""Layouts and rows that hypothesis makes up."""

from hypothesis import strategies as st

from controlplane.kernel.dtypes import Dtype
from store_adapters import Column, Lane, Layout, Row

INT64 = st.integers(-(2**63), 2**63 - 1)
SCALARS = {
    Dtype.INT32: st.integers(-(2**31), 2**31 - 1),
    Dtype.INT64: INT64,
    Dtype.TIMESTAMP: INT64,
    Dtype.FLOAT32: st.floats(width=32),
    Dtype.FLOAT64: st.floats(),
    Dtype.BOOL: st.booleans(),
    Dtype.STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    Dtype.BYTES: st.binary(max_size=12),
}
LAYOUTS = st.builds(
    lambda number, dtypes: Layout(number, tuple(Column(f"f{i}", dtype) for i, dtype in enumerate(dtypes))),
    st.integers(0, 2**32 - 1),
    st.lists(st.sampled_from(list(Dtype)), max_size=20),
)


def values_for(dtype: Dtype) -> st.SearchStrategy:
    element = SCALARS[dtype.element]
    return st.none() | (st.lists(element, max_size=5) if dtype.is_list else element)


def rows_for(layout: Layout) -> st.SearchStrategy[Row]:
    alive = st.tuples(st.just(False), st.tuples(*[values_for(column.dtype) for column in layout.columns]))
    dead = st.just((True, layout.nulls))
    return st.builds(
        lambda content, **fields: Row(**fields, tombstone=content[0], values=content[1]),
        alive | dead,
        event_time_us=INT64,
        lane=st.sampled_from(Lane),
        position=st.integers(0, 2**62 - 1),
        layout_number=st.just(layout.number),
        write_time_us=INT64,
        run_number=st.integers(0, 2**64 - 1),
        held=st.booleans(),
        clamped=st.booleans(),
    )


LAYOUTS_AND_ROWS = LAYOUTS.flatmap(lambda layout: st.tuples(st.just(layout), rows_for(layout)))
