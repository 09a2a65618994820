"""Where the command finds the installation, read from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLES = {
    "FRESHLINE_URL": "The control plane; `http://127.0.0.1:8000` when empty.",
    "FRESHLINE_SERVING_URL": "Serving, for lookup, explain and doctor; `http://127.0.0.1:6566` when empty.",
    "FRESHLINE_TOKEN": "The token.",
    "FRESHLINE_TOKEN_FILE": "A file that holds the token; read when FRESHLINE_TOKEN is empty.",
    "FRESHLINE_PROJECT": "The project, where `--project` names none.",
}


class CannotGoOn(Exception):
    """Something is in the way; the text says what, and what to do. Exits with 1."""


class WronglyAsked(CannotGoOn):
    """The words on the command line make no sense together. Exits with 2."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Addresses, the token and the project; an empty token or project was not given."""

    url: str
    serving_url: str
    token: str
    project: str

    def require_project(self) -> str:
        """Return the project, or say how to name it."""
        if not self.project:
            raise WronglyAsked("Which project? Write --project NAME, or set FRESHLINE_PROJECT.")
        return self.project


def read(variables: Mapping[str, str], *, project: str | None) -> Surroundings:
    """Return what the environment says; ``project`` of the command line wins."""
    return Surroundings(
        url=(variables.get("FRESHLINE_URL") or "http://127.0.0.1:8000").rstrip("/"),
        serving_url=(variables.get("FRESHLINE_SERVING_URL") or "http://127.0.0.1:6566").rstrip("/"),
        token=_token(variables),
        project=project or variables.get("FRESHLINE_PROJECT", ""),
    )


def _token(variables: Mapping[str, str]) -> str:
    """Return the token; what cannot be one is never shown, for it may be most of one."""
    token, place = variables.get("FRESHLINE_TOKEN", ""), "FRESHLINE_TOKEN"
    path = variables.get("FRESHLINE_TOKEN_FILE", "")
    if not token and path:
        token, place = _content(path), f"FRESHLINE_TOKEN_FILE: {path}"
    if not all("!" <= letter <= "~" for letter in token):
        raise CannotGoOn(f"{place} holds no token: a token has letters, digits and _ alone.")
    return token


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError as wrong:
        raise CannotGoOn(f"FRESHLINE_TOKEN_FILE: {path}: {wrong.strerror}") from wrong
