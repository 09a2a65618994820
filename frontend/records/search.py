"""What the palette lists."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """One thing to go to. ``detail`` tells two of the same name apart."""

    section: str
    label: str
    detail: str
    url: str
