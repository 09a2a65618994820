"""A channel's secrets: sealed in the database, opened only to send."""

import json
from collections.abc import Mapping

from django.conf import settings

from controlplane.kernel.secrets import seal, unseal
from monitors.models import Channel

HINT_LENGTH = 4


def sealed(name: str, config: Mapping[str, str]) -> str:
    """Return the config as it is stored."""
    return seal(json.dumps(dict(config)), keys=settings.FRESHLINE_SECRET_KEYS, context=_context(name))


def unsealed_config(channel: Channel) -> dict[str, str]:
    """Return the config in the clear; ``Unavailable`` when none of the keys opens it."""
    text = unseal(channel.sealed_config, keys=settings.FRESHLINE_SECRET_KEYS, context=_context(channel.name))
    config: dict[str, str] = json.loads(text)
    return config


def hint(secret: str) -> str:
    """Return what may be shown of a secret."""
    return f"****{secret[-HINT_LENGTH:]}" if len(secret) > 3 * HINT_LENGTH else "****"


def _context(name: str) -> str:
    return f"channel:{name}"
