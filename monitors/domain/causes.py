"""The cause of an incident in one phrase."""

from collections.abc import Collection, Mapping

from lineage.domain import naming
from monitors.domain.folding import CauseKind

_PHRASES: Mapping[str, str] = {
    CauseKind.FAILED_RUN: "{} failed",
    CauseKind.HOLLOW_RUN: "{} ran without effect",
    CauseKind.LATE_RUN: "{} is late",
    CauseKind.STOPPED_SOURCE: "{} stopped",
}
# Reasons that say no more than the phrase does.
_SAID = frozenset({"", "failed", "succeeded without effect"})


def cause_phrase(cause: Mapping[str, object] | None) -> str:
    """Return ``refine failed: disk full`` for a cause as incidents keep it; "" for none."""
    if not cause:
        return ""
    node, reason = str(cause.get("node") or ""), str(cause.get("reason") or "")
    told = _PHRASES.get(str(cause.get("kind")), "{}").format(naming.parse_id(node).name)
    return told if reason in _SAID else f"{told}: {reason}"


def project_of_cause(cause: Mapping[str, object] | None) -> str | None:
    """Return the one project that the cause's node belongs to; None for what is everybody's."""
    return naming.parse_id(str(cause["node"])).project if cause else None


def may_know(cause: Mapping[str, object] | None, readable: Collection[str] | None) -> bool:
    """Whether somebody who may read these projects (None: all) may be told of the cause."""
    project = project_of_cause(cause)
    return readable is None or project is None or project in readable
