"""One change of a project at a time: whoever comes while another is at work is told so at once.

The lock that keeps the tables right is the registry's row (``bundles.lock_registry``); this claim only
answers 409 instead of making the second caller wait and then win as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import F

from controlplane.kernel.errors import Conflict
from controlplane.registry.models import ApplyClaim

# Far above what an apply takes; after this long its holder is dead and another may go on.
LEASE = timedelta(seconds=60)


@contextmanager
def claimed(project: str, *, now: datetime) -> Iterator[None]:
    """Hold ``project`` inside the block, or raise ``Conflict("apply_in_progress")``. Enter it outside any
    transaction, so that others see the claim.

    The generation is read before the claim is tried: of two that came at once, the later one fails even if
    the first is done by the time that the database lets it write.
    """
    seen, _ = ApplyClaim.objects.get_or_create(project=project)
    is_free = seen.leased_until is None or seen.leased_until <= now
    mine = ApplyClaim.objects.filter(pk=seen.pk, generation=seen.generation)
    if not (is_free and mine.update(generation=F("generation") + 1, leased_until=now + LEASE)):
        raise Conflict(
            "apply_in_progress", f"The project {project} is being changed right now; try again in a second."
        )
    try:
        yield
    finally:
        ApplyClaim.objects.filter(pk=seen.pk, generation=seen.generation + 1).update(leased_until=None)
