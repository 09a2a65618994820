"""Whether a feature's domain became wider, narrower or both.

Each rule of a domain is compared by itself: what a rule lets through now and did not before is wider.
"""

from collections.abc import Callable

from controlplane.contracts.model import Feature

_Bound = int | float


def compare_domains(before: Feature, after: Feature) -> tuple[list[str], list[str]]:
    """Return what was widened and what was narrowed, as phrases (``max from 10 to 20``)."""
    wider: list[str] = []
    narrower: list[str] = []
    for name, read, widens in _RULES:
        old, new = read(before), read(after)
        if old == new:
            continue
        phrase = f"{name} from {_shown(old)} to {_shown(new)}"
        if widens(old, new):
            wider.append(phrase)
        if widens(new, old):
            narrower.append(phrase)
    return wider, narrower


def _shown(rule: object) -> str:
    if isinstance(rule, bool):
        return "true" if rule else "false"
    if isinstance(rule, tuple):
        return "[" + ", ".join(map(str, rule)) + "]"
    return "none" if rule is None else str(rule)


def _lower_is_wider(old: _Bound | None, new: _Bound | None) -> bool:
    return old is not None and (new is None or new < old)


def _higher_is_wider(old: _Bound | None, new: _Bound | None) -> bool:
    return old is not None and (new is None or new > old)


def _more_is_wider(old: tuple[object, ...] | None, new: tuple[object, ...] | None) -> bool:
    return old is not None and (new is None or not set(new) <= set(old))


def _other_is_wider(old: str | None, new: str | None) -> bool:
    """Two patterns are not compared: another one may let more through, and less."""
    return old is not None


def _true_is_wider(old: bool, new: bool) -> bool:
    return new


_RULES: tuple[tuple[str, Callable[[Feature], object], Callable[..., bool]], ...] = (
    ("nullable", lambda feature: feature.nullable, _true_is_wider),
    ("min", lambda feature: feature.minimum, _lower_is_wider),
    ("max", lambda feature: feature.maximum, _higher_is_wider),
    ("allowed", lambda feature: feature.allowed, _more_is_wider),
    ("max_length", lambda feature: feature.max_length, _higher_is_wider),
    ("pattern", lambda feature: feature.pattern, _other_is_wider),
    ("min_items", lambda feature: feature.min_items, _lower_is_wider),
    ("max_items", lambda feature: feature.max_items, _higher_is_wider),
    ("allow_nan", lambda feature: feature.allow_nan, _true_is_wider),
    ("allow_inf", lambda feature: feature.allow_inf, _true_is_wider),
)
