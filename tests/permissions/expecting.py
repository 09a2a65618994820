"""What each caller should be answered, worked out from the golden table alone."""

from dataclasses import dataclass
from pathlib import Path

from controlplane.accounts.domain import Role
from tests.permissions.callers import Caller
from tests.permissions.house import FLIGHTS

TABLE = Path(__file__).resolve().parents[1] / "golden" / "permissions.txt"


@dataclass(frozen=True)
class Need:
    """One line of the table."""

    call: str
    scope: str
    role: Role
    of: str
    answer: int

    @property
    def stated(self) -> dict[str, str]:
        """What the OpenAPI document says of it. It cannot tell whose a thing is before it looks."""
        of = "any" if self.of in ("thing", "own") else self.of
        return {"scope": self.scope, "role": self.role.word, "of": of}


def read_table() -> dict[str, Need]:
    """Return the golden table, by call."""
    found = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            call, scope, role, of, answer = line.split(" | ")
            found[call] = Need(call, scope, Role[role.upper()], of, int(answer))
    return found


@dataclass(frozen=True)
class Expected:
    """A status; and a word that a refusal must say, so that one knows what to ask for."""

    status: int
    says: str = ""


def expect(caller: Caller, need: Need) -> Expected:
    """Return what ``caller`` is answered when they ask for something of project flights."""
    if caller.roles is None:
        return Expected(401)
    known = caller.roles.get(FLIGHTS.project)
    if need.of == "project" and known is None:
        return Expected(404)
    if need.scope not in caller.scopes:
        return Expected(403, f"'{need.scope}'")
    if need.of == "installation":
        return Expected(need.answer) if caller.is_root else Expected(403, "administrator")
    held = known if need.of == "project" else caller.highest
    if held is None or held < need.role:
        return Expected(403, f"'{need.role.word}'")
    return _expect_of_the_thing(caller, need, known)


def _expect_of_the_thing(caller: Caller, need: Need, known: Role | None) -> Expected:
    if need.of == "thing" and known is None:
        return Expected(404)
    if need.of == "thing" and known < need.role:
        return Expected(403, f"'{need.role.word}'")
    # The token in question is the admin's, and bound to flights: the administrator's own tokens may revoke it
    # unless they are bound to other projects.
    if need.of == "own" and not (caller.user == "admin" or (caller.user == "root" and known)):
        return Expected(404)
    return Expected(need.answer)
