"""What the person who imports must be told: what stays behind, and what is carried over differently."""

from dataclasses import dataclass

from controlplane.kernel.text import storable


@dataclass(frozen=True, slots=True)
class Remark:
    """One object of Feast's, and what became of it."""

    kind: str
    name: str
    reason: str

    def to_document(self) -> dict[str, str]:
        return {"kind": self.kind, "name": self.name, "reason": self.reason}


class Remarks:
    """Collects remarks, each once, in the order in which they were made."""

    def __init__(self) -> None:
        self._left: dict[Remark, None] = {}
        self._changed: dict[Remark, None] = {}

    @property
    def left(self) -> tuple[Remark, ...]:
        return tuple(self._left)

    @property
    def changed(self) -> tuple[Remark, ...]:
        return tuple(self._changed)

    def leave(self, kind: str, name: str, reason: str) -> None:
        """Remember that something is not carried over."""
        self._left[Remark(kind, storable(name), storable(reason))] = None

    def change(self, kind: str, name: str, reason: str) -> None:
        """Remember that something is carried over, and is not what it was."""
        self._changed[Remark(kind, storable(name), storable(reason))] = None

    def take(self, other: "Remarks") -> None:
        """Take over what was remarked on a part of something that is carried over after all."""
        self._left |= other._left
        self._changed |= other._changed
