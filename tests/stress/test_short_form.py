"""Serving under a mixed load, with its store and its control plane hurt in turn: the short form."""

import pytest

from tests.stress.run import stress

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_whatever_breaks_every_answer_is_right_or_a_clear_error():
    report = stress(seconds=0, pause=1.0)
    assert not report.wrong, "\n".join(report.lines())
    answered = {
        kind: {name.rpartition(" ")[2] for name in report.notes.counts if name.startswith(kind)}
        for kind in KINDS
    }
    # The run has shown nothing of what never happened in it.
    assert all(codes >= {"200", "503"} for codes in answered.values()), answered
    assert any("429" in codes for codes in answered.values()) or report.busy_after
    assert len(report.recoveries) == 6
    assert min(report.bundles) > 5


KINDS = ("lookup json", "lookup arrow", "feast json", "grpc", "explain")
