"""Numbers as people read them."""

_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def spell_age(seconds: float) -> str:
    """Return ``42 min``, ``3 h 5 min``, ``12 s``: the two largest units that matter."""
    whole = int(seconds)
    for position, (size, unit) in enumerate(_STEPS):
        if whole >= size:
            lower = _STEPS[position + 1] if position + 1 < len(_STEPS) else None
            rest = whole % size // lower[0] if lower else 0
            upper = f"{whole // size} {unit}"
            return f"{upper} {rest} {lower[1]}" if rest and lower else upper
    return f"{seconds:.1f} s"


def spell_share(share: float) -> str:
    """Return a share as a percentage: ``2.5 %``."""
    return f"{100 * share:.3g} %"


def spell_ratio(value: float, limit: float) -> str:
    """Return how many times over the limit: ``2.8x``."""
    return f"{value / limit:.1f}x"


def plural(count: int, word: str) -> str:
    """Return ``1 view``, ``3 views``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
