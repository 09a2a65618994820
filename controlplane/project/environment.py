"""Every setting, read once and checked at start (docs/reference/settings.md lists them; a test compares)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from controlplane.kernel import durations, names, strict_json
from controlplane.kernel.errors import Refused


class BadSetting(Exception):
    """A setting that cannot be used; the message names it, its value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable. A ``{home}`` in the default stands for FRESHLINE_HOME."""

    name: str
    default: str
    meaning: str
    parse: Callable[[str], Any] = str
    secret: bool = False


def _boolean(text: str) -> bool:
    table = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
    if text.lower() not in table:
        raise ValueError("write true or false")
    return table[text.lower()]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _paths(text: str) -> list[Path]:
    return [Path(word).resolve() for word in _words(text)]


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if urlsplit(text).scheme not in schemes:
            raise ValueError(f"begin with one of {', '.join(scheme + '://' for scheme in schemes)}")
        return text

    return parse


# What a store's URL may begin with; store_adapters reads the rest when the store is opened.
_store = _url(
    "sqlite",
    *("redis", "rediss", "redis+cluster", "rediss+cluster", "dynamodb"),
    *("feast+redis", "feast+rediss", "feast+redis+cluster", "feast+rediss+cluster"),
    *("feast+sqlite", "feast+dynamodb"),
)


def _stores(text: str) -> dict[str, str]:
    """Read names and URLs of further stores; what is wrong is told by name, never by URL."""
    try:
        named = strict_json.read(text or "{}")
    except (ValueError, strict_json.TwinKey) as wrong:
        raise ValueError("write a JSON object of names and URLs, each name once") from wrong
    if not isinstance(named, dict):
        raise ValueError("write a JSON object of names and URLs")
    for name, url in named.items():
        names.check(name, what="store")
        if name == names.DEFAULT_STORE:
            raise ValueError(f"the store {name} is the one that STORE_URL names; choose another name")
        if not isinstance(url, str):
            raise ValueError(f"the URL of the store {name} must be a text")
        try:
            _store(url)
        except ValueError as wrong:
            raise ValueError(f"the store {name}: {wrong}") from wrong
    return named


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("write a whole number above 0")
    return number


def _log_format(text: str) -> str:
    if text not in ("console", "json"):
        raise ValueError("write console or json")
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("FRESHLINE_HOME", ".freshline", "Folder of all local state.", lambda text: Path(text).resolve()),
    Setting(
        "DATABASE_URL",
        "sqlite:///{home}/control.sqlite3",
        "The control plane's database.",
        _url("sqlite", "postgres", "postgresql"),
        secret=True,
    ),
    Setting(
        "BROKER_URL",
        "filesystem://{home}/broker",
        "Celery's broker; it only wakes workers sooner.",
        _url("filesystem", "redis", "rediss", "memory"),
        secret=True,
    ),
    Setting(
        "STORE_URL",
        "sqlite:///{home}/store.sqlite3",
        "The online store of every project that names no other: sqlite:///path, redis://host:port/db, "
        "rediss:// (?ca_file=path), redis+cluster://host:port,host:port, rediss+cluster:// or "
        "dynamodb://region/table; a store of Feast's: feast+sqlite:///path, feast+redis:// and the like, or "
        "feast+dynamodb://region (docs: Online stores).",
        _store,
        secret=True,
    ),
    Setting(
        "FRESHLINE_STORES",
        "",
        "Further online stores that definition files name: a JSON object of names and URLs, in any form that "
        "STORE_URL takes.",
        _stores,
        secret=True,
    ),
    Setting(
        "STATE_URL", "file://{home}/state", "Where batch manifests and frozen plans are kept.", _url("file")
    ),
    Setting(
        "FRESHLINE_SECRET_KEYS",
        "",
        "Comma-separated 32-byte keys in base64; the first encrypts, all decrypt. Empty: HOME/secret-key.",
        _words,
        secret=True,
    ),
    Setting(
        "FRESHLINE_PUBLIC_URL",
        "http://127.0.0.1:8000",
        "Where people reach the web UI; links in messages start with it.",
        _url("http", "https"),
    ),
    Setting(
        "FRESHLINE_SERVING_URL",
        "http://127.0.0.1:6566",
        "Where the control plane reaches serving (playground, explain).",
        _url("http", "https"),
    ),
    Setting(
        "FRESHLINE_ALLOWED_HOSTS",
        "127.0.0.1,localhost,[::1]",
        "Host names that the web process answers to.",
        _words,
    ),
    Setting(
        "FRESHLINE_SOURCE_ROOTS",
        "{home}/data",
        "Folders under which local sources may lie; symlinks are resolved first.",
        _paths,
    ),
    Setting(
        "FRESHLINE_EGRESS_ALLOW",
        "",
        "Hosts (name or address) that webhooks may reach although they are not public.",
        _words,
    ),
    Setting("FRESHLINE_DEBUG", "false", "Django's debug pages; never in production.", _boolean),
    Setting("FRESHLINE_LOG_FORMAT", "console", "console for people, json for machines.", _log_format),
    Setting("FRESHLINE_WORKER_SLOTS", "2", "Worker processes for each worker.", _positive),
    Setting(
        "FRESHLINE_MONITOR_INTERVAL",
        "30s",
        "How often a monitor looks, unless its config says otherwise.",
        durations.parse,
    ),
    Setting(
        "FRESHLINE_PROBE_INTERVAL",
        "30s",
        "How often each view's known keys are read back from the store.",
        durations.parse,
    ),
    Setting(
        "FRESHLINE_LEASE",
        "30s",
        "How long claimed work stays claimed without a sign of life.",
        durations.parse,
    ),
    Setting(
        "FRESHLINE_BATCH_MEMORY_MB", "1024", "Memory of the process that reads a batch source.", _positive
    ),
    Setting("FRESHLINE_BATCH_TIMEOUT", "1h", "Wall-clock limit of reading a batch source.", durations.parse),
    Setting("FRESHLINE_BODY_LIMIT_MB", "32", "Largest request body that is accepted.", _positive),
    Setting(
        "FRESHLINE_RATE_LIMIT",
        "600",
        "Requests a minute that one token may make before it gets 429; the data lanes are not counted.",
        _positive,
    ),
    Setting("FRESHLINE_LINEAGE_RETENTION", "30d", "How long raw lineage events are kept.", durations.parse),
    Setting(
        "FRESHLINE_OBSERVATION_RETENTION", "14d", "How long minute observations are kept.", durations.parse
    ),
    Setting(
        "FRESHLINE_EVALUATION_RETENTION", "1d", "How long evaluations of monitors are kept.", durations.parse
    ),
    Setting(
        "FRESHLINE_REFUSED_RETENTION",
        "14d",
        "How long the payloads of refused rows are kept.",
        durations.parse,
    ),
    Setting(
        "FRESHLINE_NOTIFICATION_RETENTION",
        "180d",
        "How long notifications and run events are kept.",
        durations.parse,
    ),
)


def read(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return every setting parsed, by name. Raises ``BadSetting`` at the first that cannot be used."""
    home = str(Path(environ.get("FRESHLINE_HOME") or SETTINGS[0].default).resolve())
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = environ.get(setting.name) or setting.default.replace("{home}", home)
        try:
            values[setting.name] = setting.parse(text)
        except (ValueError, Refused) as wrong:
            shown = "(hidden)" if setting.secret else repr(text)
            raise BadSetting(f"{setting.name} = {shown} cannot be used: {wrong}") from wrong
    return values
