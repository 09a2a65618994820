"""Runs that succeed without effect. Recorded on the run; monitors judge them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """``expected_rows``: what the last run that read any gave. ``explained_us``: how long it may rest."""

    rows_read: int
    expected_rows: int
    newest_event_us: int | None
    newest_before_us: int | None
    moved_at_us: int | None  # when the newest event time last moved
    now_us: int
    explained_us: int


def why_hollow(evidence: Evidence) -> str | None:
    """Return why the run is hollow, or None.

    It is when it read nothing where rows were expected, or when the source's newest event time stands still
    for longer than its schedule, its ``max_idle`` and the contract explain.
    """
    if evidence.rows_read == 0 and evidence.expected_rows > 0:
        return f"read 0 rows where the last run read {evidence.expected_rows}"
    if evidence.newest_event_us is None or evidence.newest_before_us is None or evidence.moved_at_us is None:
        return None
    still_us = evidence.now_us - evidence.moved_at_us
    if evidence.newest_event_us <= evidence.newest_before_us and still_us > evidence.explained_us:
        return f"the source's newest event time has not moved for {still_us // 1_000_000} s"
    return None
