"""Answers are compared value by value before anything is measured."""

import copy

import pytest

from benchmarks.serving.comparing import differing_cells, shown

ANSWER = {
    "metadata": {"feature_names": ["entity_id", "a", "b"]},
    "results": [
        {"values": [1, 2], "statuses": ["PRESENT"] * 2, "event_timestamps": ["1970-01-01T00:00:00Z"] * 2},
        {"values": [0.5, 1.0], "statuses": ["PRESENT"] * 2, "event_timestamps": ["2026-11-22T10:00:00Z"] * 2},
        {
            "values": ["x", None],
            "statuses": ["PRESENT"] * 2,
            "event_timestamps": ["2026-11-22T10:00:00Z"] * 2,
        },
    ],
}


def _differences(other):
    found = list(differing_cells(ANSWER, other))
    return sum(count for count, _ in found), [text for _, texts in found for text in texts]


def test_equal_answers_have_no_difference_whatever_the_order_of_their_columns():
    other = copy.deepcopy(ANSWER)
    other["metadata"]["feature_names"] = ["b", "entity_id", "a"]
    other["results"] = [other["results"][place] for place in (2, 0, 1)]
    assert _differences(other) == (6, [])


@pytest.mark.parametrize(
    ("column", "part", "value"),
    [
        (1, "values", 0.25),
        (1, "values", 0),
        (2, "values", None),
        (0, "values", True),
        (1, "statuses", "NOT_FOUND"),
        (2, "event_timestamps", "2026-11-22T10:00:00.250Z"),
    ],
)
def test_one_cell_that_differs_is_named(column, part, value):
    other = copy.deepcopy(ANSWER)
    other["results"][column][part][0] = value
    _, texts = _differences(other)
    assert len(texts) == 1
    assert ANSWER["metadata"]["feature_names"][column] in texts[0]
    assert "row 0" in texts[0]


def test_an_integer_is_not_a_float_of_the_same_value():
    other = copy.deepcopy(ANSWER)
    other["results"][1]["values"][1] = 1
    assert len(_differences(other)[1]) == 1


def test_a_column_or_a_row_that_one_answer_lacks_is_a_difference():
    fewer_rows = copy.deepcopy(ANSWER)
    for part in fewer_rows["results"][1].values():
        part.pop()
    assert len(_differences(fewer_rows)[1]) == 1
    other_name = copy.deepcopy(ANSWER)
    other_name["metadata"]["feature_names"][1] = "c"
    assert len(_differences(other_name)[1]) == 2


def test_many_differences_are_shown_by_the_first_few():
    assert shown(str(number) for number in range(100)).splitlines()[-1] == "... 100 in all"
    assert shown(["one"]) == "one"
