"""Sealing of small secrets that must be readable again: connection URLs, tokens of chat channels.

AES-256-GCM. The first key seals, every key opens, so that a new key can be put first while what older ones
sealed stays readable. The *context* (say ``connection:events``) is bound in: a sealed text that is copied
to another row does not open there.
"""

import base64
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controlplane.kernel.errors import Unavailable

_VERSION = "v1:"
_NONCE_BYTES = 12


def seal(text: str, *, keys: Sequence[bytes], context: str) -> str:
    """Return ``text`` encrypted under the first of ``keys`` (32 bytes each), as printable ASCII."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(keys[0]).encrypt(nonce, text.encode(), context.encode())
    return _VERSION + base64.b64encode(nonce + sealed).decode("ascii")


def unseal(sealed: str, *, keys: Sequence[bytes], context: str) -> str:
    """Return the text. ``Unavailable`` when no key opens it, or it was sealed for another context."""
    try:
        data = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
    except ValueError:
        data = b""
    if sealed.startswith(_VERSION) and len(data) > _NONCE_BYTES:
        for key in keys:
            try:
                return (
                    AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context.encode()).decode()
                )
            except InvalidTag:
                continue
    raise Unavailable(
        "secret_unreadable",
        f"The secret of {context} opens with none of the keys in FRESHLINE_SECRET_KEYS; enter it again.",
    )
