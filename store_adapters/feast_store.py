"""What adapters for stores of Feast's have in common: nothing of ours is in them, nothing is written."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NoReturn

from controlplane.kernel.errors import Refused
from store_adapters.feast_rows import Packer
from store_adapters.model import Lane, Layout, RowWrite, Watermark, WriteResult


class FeastStore(ABC):
    """The part of a ``Store`` that is the same for each; an adapter adds what reads and looks."""

    hides_keys = ""

    def __init__(self, address: str) -> None:
        self.address = address
        self.packer = Packer()

    @abstractmethod
    def ping(self) -> None: ...

    def read_watermarks(self, project: str) -> dict[tuple[str, Lane], Watermark]:
        """Return none: a value of Feast's is as old as its event time."""
        self.ping()
        return {}

    def read_layout(self, project: str, view: str, number: int) -> Layout | None:
        """Return a layout that was made here, for a row that is not as the view's says."""
        return self.packer.layout(number)

    def purge_view(self, project: str, view: str) -> int:
        """Return 0: what Feast wrote is not ours to drop."""
        return 0

    def sweep_expired(self, *, now_us: int, limit: int) -> int:
        """Return 0: what Feast wrote expires as Feast said."""
        return 0

    def write_rows(
        self, project: str, view: str, writes: Sequence[RowWrite], *, run_number: int
    ) -> list[WriteResult]:
        self._refuse(f"{project}/{view}")

    def delete_rows(self, project: str, view: str, keys: Sequence[bytes]) -> int:
        self._refuse(f"{project}/{view}")

    def write_watermark(self, project: str, view: str, lane: Lane, watermark: Watermark) -> bool:
        self._refuse(f"{project}/{view}")

    def write_layout(self, project: str, view: str, layout: Layout) -> None:
        self._refuse(f"{project}/{view}")

    def _refuse(self, what: str) -> NoReturn:
        raise Refused("store_read_only", f"{what} lies in {self.address}, which Feast owns: it is only read")


def layout_of(layout: Layout | None, project: str, view: str) -> Layout:
    """Return the layout, without which Feast's rows cannot be read."""
    if layout is None:
        raise Refused("bad_value", f"Feast's rows of {project}/{view} cannot be read without their layout")
    return layout
