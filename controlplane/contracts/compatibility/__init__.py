"""What a change of a project means for those who use it."""

from controlplane.contracts.compatibility.comparing import Change, ChangeAction, compare, compare_stores
from controlplane.contracts.compatibility.findings import Level

__all__ = ["Change", "ChangeAction", "Level", "compare", "compare_stores"]
