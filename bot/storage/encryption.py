"""Encryption of single fields, and blind indexes to find them by.

A stored value is `v1:<key id>:` followed by the raw nonce and ciphertext. The place it belongs to (`table.column`) goes
in as associated data, so a ciphertext moved into another column does not open.
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.config import Settings
from bot.config_values import decode_key, parse_field_keys
from bot.errors import AppError

BLIND_INDEX_LENGTH = 32
_VERSION = b"v1"
_NONCE_BYTES = 12


class Undecipherable(AppError):
    """A stored value cannot be opened: its key is not in the ring, or it was changed or moved."""

    code = "undecipherable"
    default_message = "这条记录读不出来，请联系管理员检查密钥配置。"


class KeyRing:
    """The keys of one deployment: the first encrypts, all decrypt."""

    def __init__(self, field_keys: Mapping[str, bytes], blind_index_key: bytes) -> None:
        self._keys = dict(field_keys)
        self._ciphers = {name: AESGCM(key) for name, key in field_keys.items()}
        self.current = next(iter(field_keys))
        self._blind_index_key = blind_index_key

    @classmethod
    def from_settings(cls, settings: Settings) -> KeyRing:
        """The ring of `[security]`."""
        security = settings.security
        return cls(
            parse_field_keys(security.field_keys.get_secret_value()),
            decode_key(security.blind_index_key.get_secret_value()),
        )

    def encrypt(self, text: str, place: str) -> bytes:
        """The text as it may be stored in `place` (`table.column`)."""
        return self.seal(text.encode(), place)

    def decrypt(self, stored: bytes, place: str) -> str:
        """The text again. Raises Undecipherable."""
        try:
            return self.unseal(stored, place).decode()
        except UnicodeDecodeError as error:
            raise Undecipherable(details={"place": place}) from error

    def seal(self, content: bytes, place: str) -> bytes:
        """Bytes as they may be stored in `place` (`table.column`)."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, content, place.encode())
        return b"%s:%s:%s%s" % (_VERSION, self.current.encode(), nonce, sealed)

    def unseal(self, stored: bytes, place: str) -> bytes:
        """The bytes again. Raises Undecipherable."""
        version, _, rest = stored.partition(b":")
        name, _, payload = rest.partition(b":")
        cipher = self._ciphers.get(name.decode("ascii", "replace"))
        if version != _VERSION or cipher is None:
            raise Undecipherable(details={"place": place})
        try:
            return cipher.decrypt(payload[:_NONCE_BYTES], payload[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise Undecipherable(details={"place": place}) from error

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of all keys, the current one first."""
        return tuple(self._keys)

    def derived(self, name: str, salt: bytes, purpose: str) -> bytes:
        """A key of 32 bytes for one file, made from a key of the ring, which it does not give away.

        Raises Undecipherable when the key is not in the ring.
        """
        if name not in self._keys:
            raise Undecipherable(details={"key": name})
        return HKDF(SHA256(), length=32, salt=salt, info=purpose.encode()).derive(self._keys[name])

    @staticmethod
    def prefix_of(name: str) -> bytes:
        """How every value begins that is under the key."""
        return b"%s:%s:" % (_VERSION, name.encode())

    @staticmethod
    def key_of(stored: bytes) -> str:
        """Which key a stored value was encrypted with: what a rotation looks for."""
        return stored.split(b":", 2)[1].decode("ascii")

    def blind_index(self, purpose: str, value: str) -> str:
        """A keyed fingerprint of 32 characters: equal values of one purpose match, nothing else can be told from it."""
        digest = hmac.digest(self._blind_index_key, f"{purpose}\0{value}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:24]).decode("ascii")
