"""The embedded broker: kombu's messages in files, put and taken whole.

kombu's own file transport writes a message into a file that consumers can see already. Of a message that was
taken between its creation and its writing it gets nothing, and the whole worker ends. Here a message appears
by a rename, disappears by a rename, and what cannot be read is dropped: the database knows what is due.
Folders that cannot be used are a broker that does not answer: who needs it tries again until they can.
"""

import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

SCHEME = "freshline-files"
FOLDERS = ("data_folder_in", "data_folder_out", "processed_folder", "control_folder")


class Channel(filesystem.Channel):
    """One connection's view of the folder."""

    def _put(self, queue: str, message: Any, **_options: Any) -> None:  # type: ignore[override]
        name = f"{time.monotonic_ns():020}_{uuid.uuid4()}"
        hidden = Path(self.data_folder_out) / f"{name}.partial"
        hidden.write_text(dumps(message))
        hidden.rename(hidden.with_name(f"{name}.{queue}.msg"))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(path.name for path in Path(self.data_folder_in).iterdir()):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = Path(self.processed_folder) / name
            try:
                (Path(self.data_folder_in) / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            text = taken.read_bytes()
            taken.unlink(missing_ok=True)
            try:
                return loads(text)
            except ValueError:
                continue
        raise Empty


class Transport(filesystem.Transport):
    """What kombu makes of ``freshline-files://``."""

    Channel = Channel
    connection_errors = (*filesystem.Transport.connection_errors, OSError)

    def establish_connection(self) -> Any:
        """Make the folders where they are not there. Raises OSError when that cannot be."""
        client: Any = self.client  # who connects
        for name in FOLDERS:
            Path(client.transport_options[name]).mkdir(parents=True, exist_ok=True)
        return super().establish_connection()


def install() -> None:
    """Make the scheme known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
