"""The loops' signs of life."""

from datetime import datetime

from monitors.models import LoopBeat


def beat(name: str, *, now: datetime) -> None:
    """Note that the loop ``name`` went round."""
    LoopBeat.objects.update_or_create(name=name, defaults={"at": now})
