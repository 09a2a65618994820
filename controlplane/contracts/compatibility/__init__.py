"""What a change of a project means for those who use it (contract.md: Versions and compatibility)."""

from controlplane.contracts.compatibility.comparing import Change, ChangeAction, compare
from controlplane.contracts.compatibility.findings import Level
from controlplane.contracts.compatibility.views import changes_contract

__all__ = ["Change", "ChangeAction", "Level", "changes_contract", "compare"]
