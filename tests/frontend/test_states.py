"""Every state has a word, a shape and a tone; the unknown is never fresh."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend import states

TYPES = Path(states.__file__).parent / "static_src/lineage/types.ts"


@pytest.mark.parametrize("state", sorted(states.LOOKS))
def test_a_state_has_a_word_a_tone_and_a_shape(state):
    told = states.look(state)
    assert told.word
    assert told.tone in ("fresh", "late", "breach", "nodata", "paused")
    assert "<" in states.ICONS["states"][state]


def test_health_states_differ_in_shape_and_word_not_only_in_colour():
    shapes = [states.ICONS["states"][state] for state in states.HEALTH]
    words = [told.word for told in states.HEALTH.values()]
    assert len(set(shapes)) == len(set(words)) == len(states.HEALTH) == 7


@given(st.text())
def test_an_unknown_state_is_no_data_and_never_green(name):
    told = states.look(name)
    if name not in states.LOOKS:
        assert told.word == "No data"
    assert told.tone != "fresh" or name in ("fresh", "succeeded", "resolved", "good", "delivered", "sent")


def test_the_order_is_worst_first():
    assert list(states.HEALTH) == ["missing", "stale", "violating", "late", "no_data", "paused", "fresh"]
    assert sorted(["fresh", "sparkling", "missing"], key=states.severity) == ["missing", "sparkling", "fresh"]


def test_the_explorer_has_the_same_order_and_words():
    source = TYPES.read_text()
    listed = source.split("SEVERITY: readonly State[] = ")[1].split(";")[0]
    assert json.loads(listed) == list(states.HEALTH)
    for state, told in states.HEALTH.items():
        assert f'{state}: "{told.word}"' in source


def test_every_verdict_of_the_contract_is_told():
    assert set(states.VERDICTS) == {"fresh", "null", "missing", "stale", "invalid", "unavailable"}
    assert [verdict for verdict, state in states.VERDICTS.items() if state == "fresh"] == ["fresh", "null"]
