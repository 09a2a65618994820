"""DATABASE_URL to Django's form."""

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# A server whose network is cut says nothing, not even no: without these the kernel would wait for it for a
# quarter of an hour, and so would every page. Libpq's names; seconds, and milliseconds for the last.
_POSTGRES_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
_SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"


def configure(url: str) -> dict[str, Any]:
    """Return Django's DATABASES entry for ``sqlite:///path`` or ``postgres://user:password@host:port/name``."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path),
            # IMMEDIATE takes the write lock at BEGIN: with the default, two writers that both began by
            # reading cannot both go on, and one fails at once with "database is locked".
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": _SQLITE_PRAGMAS},
            # Tests use a file as well: threads that share a database in memory meet locks of another kind.
            "TEST": {"NAME": f"{unquote(parts.path)}.test-{os.getpid()}"},
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_POSTGRES_PATIENCE, **dict(parse_qsl(parts.query))},
    }
