"""How a person wants pages to look: one cookie, read before the first byte."""

from dataclasses import asdict, replace

from frontend.records.shell import Preferences

COOKIE = "freshline_look"
CHOICES: dict[str, tuple[str, ...]] = {
    "theme": ("system", "light", "dark"),
    "density": ("comfortable", "compact"),
    "times": ("relative", "local", "utc"),
    "nav": ("wide", "narrow"),
}


def read(text: str) -> Preferences:
    """Return the wishes written in a cookie; what is unknown there is left at its default."""
    wishes = Preferences()
    for part in text.split("."):
        name, _, value = part.partition("-")
        if value in CHOICES.get(name, ()):
            wishes = replace(wishes, **{name: value})
    return wishes


def write(wishes: Preferences) -> str:
    """Return the cookie's text: ``theme-dark.density-compact``."""
    return ".".join(f"{name}-{value}" for name, value in asdict(wishes).items())
