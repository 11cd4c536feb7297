"""The callback's envelope: who may knock (signature, freshness) and what is inside (AES), see `CallbackCrypto`.

Framing, padding and signatures are done here, on bytes, with every step checked: wechatpy's own reader compares
signatures with `!=`, takes any padding and leaks assorted exceptions.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.clock import Clock
from bot.config import WeChat
from bot.wechat.errors import (
    BadAesKey,
    BadCiphertext,
    BadSignature,
    ForeignAppId,
    MalformedMessage,
    MissingParameter,
    StaleRequest,
    WrongMode,
)
from bot.wechat.xml import FieldValue, read_fields

DEFAULT_PAST: Final = timedelta(minutes=5)
DEFAULT_FUTURE: Final = timedelta(minutes=1)

_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_BLOCK: Final = 32
_CIPHER_BLOCK: Final = 16
_RANDOM: Final = 16
_HEAD: Final = _RANDOM + 4
# In compatible mode the clear message stands beside the encrypted one; in safe mode only the receiver does.
_CLEAR_PART: Final = "MsgType"


class Mode(StrEnum):
    """How messages travel, as chosen in the platform's console."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """What the console and we share. `encoding_aes_key` may be empty in plaintext mode only."""

    app_id: str
    token: str = field(repr=False)
    encoding_aes_key: str = field(repr=False)
    mode: Mode

    @classmethod
    def of(cls, wechat: WeChat) -> Self:
        """The keys of the configured account."""
        return cls(
            app_id=wechat.app_id,
            token=wechat.token.get_secret_value(),
            encoding_aes_key=wechat.encoding_aes_key.get_secret_value(),
            mode=Mode(wechat.mode),
        )


class AesEnvelope:
    """AES-256-CBC of `random(16) + length(4, big-endian) + message + AppID`, padded to 32 bytes, in base64.

    Setting a cipher up costs more than running it, so one each way lasts. In CBC the block before is the
    initialisation vector of what follows: opening puts the right one in front, and sealing begins with a block that is
    random anyway, whatever came before. Not for threads.
    """

    def __init__(self, encoding_aes_key: str, app_id: str) -> None:
        """Raises BadAesKey unless the key has 43 letters and digits."""
        if not _AES_KEY.fullmatch(encoding_aes_key):
            raise BadAesKey("EncodingAESKey 应为 43 位字母和数字，请到公众平台核对。")
        # 43 characters carry 258 bits; the two surplus ones may be set, and this decoder ignores them.
        key = base64.b64decode(encoding_aes_key + "=")
        self._first = key[:_CIPHER_BLOCK]
        cipher = Cipher(algorithms.AES(key), modes.CBC(self._first))
        self._sealing, self._opening = cipher.encryptor(), cipher.decryptor()
        self._app_id = app_id.encode()

    def seal(self, message: bytes) -> str:
        """The base64 of `message`, different each time."""
        plain = os.urandom(_RANDOM) + len(message).to_bytes(4, "big") + message + self._app_id
        padding = _BLOCK - len(plain) % _BLOCK
        sealed = self._sealing.update(plain + bytes((padding,)) * padding)
        return binascii.b2a_base64(sealed, newline=False).decode("ascii")

    def open(self, sealed: str) -> bytes:
        """The message in `sealed`. Raises BadCiphertext, or ForeignAppId when it was made for another account."""
        try:
            blocks = binascii.a2b_base64(sealed, strict_mode=True)
        except ValueError:
            raise BadCiphertext("not base64") from None
        if len(blocks) % _CIPHER_BLOCK:
            # Part of a block would stay behind in the cipher and spoil what is opened next.
            raise BadCiphertext("not whole blocks")
        plain = self._opening.update(self._first + blocks)[_CIPHER_BLOCK:]
        padding = plain[-1] if plain else 0
        if not 1 <= padding <= _BLOCK or not plain.endswith(bytes((padding,)) * padding):
            raise BadCiphertext("wrong padding")
        end = len(plain) - padding
        length = int.from_bytes(plain[_RANDOM:_HEAD], "big")
        if end < _HEAD + length:
            raise BadCiphertext("wrong length")
        if plain[_HEAD + length : end] != self._app_id:
            raise ForeignAppId("made for another account")
        return plain[_HEAD : _HEAD + length]


def sign(*parts: str) -> str:
    """WeChat's signature: the SHA-1, in lower-case hex, of the parts sorted and joined."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


class CallbackCrypto:
    """Checks and opens what reaches the callback, and seals our answers, in the one mode configured."""

    def __init__(
        self, keys: CallbackKeys, clock: Clock, *, past: timedelta = DEFAULT_PAST, future: timedelta = DEFAULT_FUTURE
    ) -> None:
        """`past` and `future` bound how far a push's timestamp may lie from our clock. Raises BadAesKey."""
        self._token = keys.token
        self._mode = keys.mode
        self._clock = clock
        self._past_s = past.total_seconds()
        self._future_s = future.total_seconds()
        self._envelope = None if keys.mode is Mode.PLAIN else AesEnvelope(keys.encoding_aes_key, keys.app_id)

    @property
    def authenticates_body(self) -> bool:
        """False in plaintext mode: there the signature covers time and nonce but not a word of the message."""
        return self._envelope is not None

    def verify_address(self, query: Mapping[str, str]) -> str:
        """The `echostr` to answer the console's GET with. Raises MissingParameter, BadSignature, StaleRequest."""
        self._check(query)
        return _parameter(query, "echostr")

    def open_envelope(self, query: Mapping[str, str], body: bytes) -> bytes:
        """The clear XML of a push whose query and body are given as received.

        Raises a CallbackRefused child for whatever is wrong with it, and nothing else.
        """
        self._check(query)
        encrypted = query.get("encrypt_type", "raw") != "raw" or "msg_signature" in query
        if self._envelope is None:
            if encrypted:
                raise WrongMode("encrypted, but plaintext is configured")
            return body
        if not encrypted:
            raise WrongMode("clear, but encryption is configured")
        fields = read_fields(body)
        sealed = fields.get("Encrypt")
        if not isinstance(sealed, str) or not sealed:
            raise MalformedMessage("Encrypt is missing or doubled")
        self._check_signature(query, "msg_signature", sealed)
        self._check_clear_part(fields)
        return self._envelope.open(sealed)

    def seal(self, body: bytes) -> bytes:
        """The answer that carries `body`: itself in plaintext mode, else its envelope, signed with our own nonce."""
        if self._envelope is None:
            return body
        sealed = self._envelope.seal(body)
        timestamp, nonce = str(int(self._clock.now().timestamp())), os.urandom(8).hex()
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{sign(self._token, timestamp, nonce, sealed)}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        ).encode()

    def _check(self, query: Mapping[str, str]) -> None:
        self._check_signature(query, "signature")
        timestamp = query["timestamp"]
        if not _TIMESTAMP.fullmatch(timestamp):
            raise StaleRequest("the timestamp is not a number")
        age_s = self._clock.now().timestamp() - int(timestamp)
        if not -self._future_s <= age_s <= self._past_s:
            raise StaleRequest("outside the freshness window")

    def _check_signature(self, query: Mapping[str, str], name: str, *covered: str) -> None:
        timestamp, nonce, given = _parameter(query, "timestamp"), _parameter(query, "nonce"), _parameter(query, name)
        expected = sign(self._token, timestamp, nonce, *covered)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass")):
            raise BadSignature(f"{name} does not fit")

    def _check_clear_part(self, fields: Mapping[str, FieldValue]) -> None:
        has_clear_part = _CLEAR_PART in fields
        if has_clear_part != (self._mode is Mode.COMPATIBLE):
            raise WrongMode("safe and compatible mode differ in the clear part")


def _parameter(query: Mapping[str, str], name: str) -> str:
    value = query.get(name)
    if not value:
        raise MissingParameter(name)
    return value
