"""Rows of an old layout, read as the view is now."""

import pytest

from controlplane.kernel.dtypes import Dtype
from store_adapters import Column, Gap, Layout, decode_row, encode_row, values_as, widens
from tests.store_adapters.golden_cases import row_of

WIDENED = {(Dtype.INT32, Dtype.INT64), (Dtype.FLOAT32, Dtype.FLOAT64)}


@pytest.mark.parametrize("stored", Dtype)
@pytest.mark.parametrize("wanted", Dtype)
def test_a_type_widens_to_itself_and_to_its_greater_sister(stored: Dtype, wanted: Dtype):
    assert widens(stored, wanted) is (stored is wanted or (stored, wanted) in WIDENED)


OLD = Layout(
    1,
    (
        Column("count", Dtype.INT32),
        Column("score", Dtype.FLOAT32),
        Column("tail", Dtype.STRING),
        Column("code", Dtype.STRING),
        Column("seen", Dtype.TIMESTAMP),
    ),
)
NEW = Layout(
    2,
    (
        Column("tail", Dtype.STRING),
        Column("count", Dtype.INT64),
        Column("added", Dtype.FLOAT64),
        Column("score", Dtype.FLOAT64),
        Column("code", Dtype.INT64),
        Column("seen", Dtype.TIMESTAMP),
    ),
)


def test_values_are_found_by_name_widened_absent_or_retyped():
    row = decode_row(encode_row(row_of(OLD, 7, 0.1, "N1", "x", None), OLD), OLD)
    values = values_as(row, stored=OLD, wanted=NEW)
    assert values == ("N1", 7, Gap.ABSENT, 0.10000000149011612, Gap.RETYPED, None)


def test_a_layout_read_as_itself_is_untouched():
    row = row_of(OLD, 7, 0.1, "N1", "x", None)
    assert values_as(row, stored=OLD, wanted=OLD) is row.values


def test_a_null_of_another_type_is_retyped_all_the_same():
    row = row_of(OLD, None, None, None, None, None)
    assert values_as(row, stored=OLD, wanted=NEW) == (None, None, Gap.ABSENT, None, Gap.RETYPED, None)


def test_narrowing_is_not_reading():
    row = row_of(NEW, "N1", 7, 1.0, 0.5, 3, None)
    assert values_as(row, stored=NEW, wanted=OLD)[:2] == (Gap.RETYPED, Gap.RETYPED)
