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
        token=variables.get("FRESHLINE_TOKEN") or _token_in(variables.get("FRESHLINE_TOKEN_FILE", "")),
        project=project or variables.get("FRESHLINE_PROJECT", ""),
    )


def _token_in(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text().strip()
    except OSError as wrong:
        raise CannotGoOn(f"FRESHLINE_TOKEN_FILE: {path}: {wrong.strerror}") from wrong
