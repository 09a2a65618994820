"""The installation's secret keys: from the environment, else one made at the first start in HOME."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from controlplane.project.environment import BadSetting


def load(configured: list[str], home: Path) -> list[bytes]:
    """Return the keys (32 bytes each), the encrypting one first. May make HOME/secret-key (mode 600)."""
    texts = configured or [_from_home(home)]
    keys = []
    for position, text in enumerate(texts):
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise BadSetting(f"FRESHLINE_SECRET_KEYS: key {position + 1} is not 32 bytes in base64")
        keys.append(key)
    return keys


def derive(key: bytes, purpose: str) -> str:
    """Return a key for one purpose, so that no two purposes share one."""
    return hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest()


def _from_home(home: Path) -> str:
    path = home / "secret-key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=home, prefix="secret-key.")  # mode 600
        with os.fdopen(handle, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
            file.flush()
            os.fsync(file.fileno())
        # Of two processes that start at once, one link succeeds and both read the same key.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
        Path(name).unlink()
    return path.read_text().strip()
