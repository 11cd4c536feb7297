"""The platform's side of the callback's wire: pushes built, signed and encrypted, answers opened.

wechatpy does the encryption here and the product does its own, so that each is a check on the other.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import xmltodict
from wechatpy.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from bot.emulator.keys import AccountKeys

XmlValue: TypeAlias = "str | int | Mapping[str, XmlValue] | Sequence[Mapping[str, XmlValue]]"


class UnreadableAnswer(Exception):
    """What came back is not an answer in the account's mode; the text says why."""


def to_xml(fields: Mapping[str, XmlValue]) -> str:
    """The message as the platform writes it: texts in CDATA, numbers bare, one element for each of a list."""
    return f"<xml>{_elements(fields)}</xml>"


def signature(*parts: str) -> str:
    """The SHA-1 signature over the parts."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


class Wire:
    """One account's wire, in the mode its console shows."""

    def __init__(self, keys: AccountKeys) -> None:
        self._keys = keys
        self._cipher = PrpCrypto(base64.b64decode(keys.encoding_aes_key + "=")) if keys.mode != "plain" else None

    def push(self, xml: str, openid: str, timestamp: str, nonce: str) -> tuple[list[tuple[str, str]], bytes]:
        """Query and body of a delivery."""
        token = self._keys.token
        query = [
            ("signature", signature(token, timestamp, nonce)),
            ("timestamp", timestamp),
            ("nonce", nonce),
            ("openid", openid),
        ]
        if self._cipher is None:
            return query, xml.encode()
        sealed = self._cipher.encrypt(xml, self._keys.app_id).decode()
        query += [("encrypt_type", "aes"), ("msg_signature", signature(token, timestamp, nonce, sealed))]
        envelope = f"<Encrypt><![CDATA[{sealed}]]></Encrypt>"
        if self._keys.mode == "compatible":
            return query, f"{xml.removesuffix('</xml>')}{envelope}</xml>".encode()
        return query, f"<xml><ToUserName><![CDATA[{self._keys.original_id}]]></ToUserName>{envelope}</xml>".encode()

    def open_answer(self, body: bytes) -> str:
        """The clear XML of an answer. Raises UnreadableAnswer."""
        fields = read_xml(body)
        if "Encrypt" not in fields:
            if self._keys.mode == "safe":
                raise UnreadableAnswer("clear XML in safe mode")
            return body.decode()
        if self._cipher is None:
            raise UnreadableAnswer("encrypted XML in plaintext mode")
        parts = [str(fields.get(name) or "") for name in ("TimeStamp", "Nonce", "Encrypt")]
        if not all(parts) or signature(self._keys.token, *parts) != fields.get("MsgSignature"):
            raise UnreadableAnswer("wrong MsgSignature")
        try:
            return str(self._cipher.decrypt(parts[2], self._keys.app_id))
        except Exception as fault:  # noqa: BLE001 - wechatpy raises whatever the garbage brings up
            raise UnreadableAnswer(f"cannot be decrypted: {type(fault).__name__}") from None


def read_xml(body: bytes | str) -> dict[str, Any]:
    """The elements of an answer. Raises UnreadableAnswer for anything that is not XML from its first byte."""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    if not text.startswith("<xml>"):
        raise UnreadableAnswer("does not begin with <xml>")
    try:
        fields = xmltodict.parse(text)["xml"]
    except Exception as fault:  # noqa: BLE001 - xmltodict raises what expat and its own checks bring up
        raise UnreadableAnswer(f"broken XML: {type(fault).__name__}") from None
    if not isinstance(fields, dict):
        raise UnreadableAnswer("XML without elements")
    return fields


def _elements(fields: Mapping[str, XmlValue]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: XmlValue) -> str:
    if isinstance(value, str):
        return f"<{name}><![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    return "".join(_element(name, each) for each in value)
