"""The targets of ./dev fuzz are found by themselves and chosen by name or package."""

import pytest

from tools.console import Failure
from tools.fuzzing import choose, read_targets

LISTED = """\
FuzzParse
ok  \tfreshline/serving/internal/bundle\t0.004s
?   \tfreshline/serving/cmd/judge\t[no test files]
FuzzScan
FuzzText
ok  \tfreshline/serving/internal/jsonscan\t(cached)
ok  \tfreshline/serving/internal/key\t0.004s
"""


def names(*wanted):
    return [str(target) for target in choose(list(read_targets(LISTED)), wanted)]


def test_every_target_that_go_lists_is_fuzzed():
    assert names() == ["bundle.FuzzParse", "jsonscan.FuzzScan", "jsonscan.FuzzText"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("FuzzParse", ["bundle.FuzzParse"]),
        ("jsonscan", ["jsonscan.FuzzScan", "jsonscan.FuzzText"]),
        ("jsonscan.FuzzText", ["jsonscan.FuzzText"]),
    ],
)
def test_targets_are_chosen_by_name_or_package(wanted, chosen):
    assert names(wanted) == chosen


def test_a_target_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(Failure, match=r"no fuzz target FuzzNothing.*jsonscan\.FuzzScan"):
        names("FuzzParse", "FuzzNothing")
