"""Where the demo keeps what: its memory under HOME/demo, its sources' files under a source root."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from controlplane.project import liveness

# Where flights.yaml looks, below the first source root.
DATA = "demo"


@dataclass(frozen=True, slots=True)
class Places:
    """``memory``: HOME/demo. ``data``: the folder of what the demo's sources read. ``alive``: a file that
    the replay touches while all is well."""

    memory: Path
    data: Path
    alive: Path

    @property
    def timeline(self) -> Path:
        """When the replay began."""
        return self.memory / "timeline.json"

    @property
    def stopped(self) -> Path:
        """A folder with a file for each source that was stopped."""
        return self.memory / "stopped"

    @property
    def journal(self) -> Path:
        """Every message that the receiver got, one JSON object a line."""
        return self.memory / "messages.jsonl"

    @property
    def receiver_port(self) -> Path:
        """The port that the receiver had last."""
        return self.memory / "receiver-port"

    @property
    def token(self) -> Path:
        """The token of the replay, which people may use as well."""
        return self.memory / "token"

    @property
    def definition_digest(self) -> Path:
        """The digest of the definition that was applied last."""
        return self.memory / "definition.sha256"

    @property
    def populated(self) -> Path:
        """A file that is there once the health of every view was known."""
        return self.memory / "populated"

    @property
    def weather(self) -> Path:
        """The hourly weather of the last days."""
        return self.data / "weather.parquet"

    @property
    def flights(self) -> Path:
        """The folder of what the source of flights reads."""
        return self.data / "flights"

    @property
    def planes(self) -> Path:
        """The table of planes."""
        return self.data / "planes.parquet"

    @property
    def departures(self) -> Path:
        """The stream of departures."""
        return self.data / "departures.jsonl"


def of_this_home() -> Places:
    """Return the places of the installation that the settings describe."""
    return Places(
        memory=settings.FRESHLINE_HOME / "demo",
        data=settings.FRESHLINE_SOURCE_ROOTS[0] / DATA,
        alive=liveness.file_of("demo"),
    )
