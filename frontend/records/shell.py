"""What stands around every page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A sentence over the whole width that nobody can close: something is wrong with the watching itself."""

    text: str
    address: str = ""
    link: str = ""
    tone: str = "late"


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a person wants pages to look; kept in a cookie so that the first byte is already right."""

    theme: str = "system"
    density: str = "comfortable"
    times: str = "relative"
    nav: str = "wide"


@dataclass(frozen=True, slots=True)
class Shell:
    """Who looks, at which project, and what needs them."""

    user: str = ""
    role: str = ""
    project: str = ""
    projects: tuple[str, ...] = ()
    my_open_incidents: int = 0
    open_incidents: int = 0
    bars: tuple[Bar, ...] = ()
    preferences: Preferences = Preferences()
    may_operate: bool = False
    may_audit: bool = False
