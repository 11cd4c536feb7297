"""What single values of the configuration must look like. Messages are for the operator and never repeat a secret."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

SHIPPED_CONTENT = "shipped"
KEY_BYTES = 32
# The key that config.example.toml shows: everybody knows it.
EXAMPLE_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def decode_key(text: str) -> bytes:
    """32 bytes from base64url, with or without padding. Raises ValueError (in Chinese, without the value) otherwise."""
    try:
        raw = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("不是 base64url") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"应是 {KEY_BYTES} 字节的 base64url，现在是 {len(raw)} 字节")
    return raw


def parse_field_keys(text: str) -> dict[str, bytes]:
    """`id:key,id:key` as a mapping in the same order: the first encrypts, all decrypt. Raises ValueError."""
    ring: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, colon, key = part.partition(":")
        if not colon or not name.isalnum() or not name.isascii():
            raise ValueError("每把密钥写成 编号:密钥，编号只用英文字母和数字")
        if name in ring:
            raise ValueError(f"编号 {name} 出现了两次")
        ring[name] = decode_key(key)
    if not ring:
        raise ValueError("至少要有一把密钥")
    return ring


def one_key(value: SecretStr) -> SecretStr:
    """32 bytes, kept as written."""
    decode_key(value.get_secret_value())
    return value


def key_ring(value: SecretStr) -> SecretStr:
    """A ring `parse_field_keys` can read, kept as written."""
    parse_field_keys(value.get_secret_value())
    return value


def filled(value: SecretStr) -> SecretStr:
    """Not blank."""
    if not value.get_secret_value().strip():
        raise ValueError("不能为空")
    return value


def web_address(value: str) -> str:
    """Empty or http(s), without the slash at the end."""
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("应是 http:// 或 https:// 开头的网址")
    return value.rstrip("/")


def database_url(value: SecretStr) -> SecretStr:
    """A file of SQLite or a database of PostgreSQL."""
    url = value.get_secret_value()
    scheme, _, rest = url.partition("://")
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError("应是 sqlite:///路径 或 postgres://用户:密码@主机:端口/库名")
    if scheme == "sqlite" and (not rest.strip("/") or ":memory:" in rest):
        raise ValueError("SQLite 要写文件路径，例如 sqlite:///data/xiangxiao.db")
    if scheme != "sqlite" and (not urlsplit(url).hostname or not urlsplit(url).path.strip("/")):
        raise ValueError("PostgreSQL 地址里缺主机或库名")
    return value


def redis_url(value: SecretStr) -> SecretStr:
    """A server, or the in-process stand-in."""
    if urlsplit(value.get_secret_value()).scheme not in {"memory", "redis", "rediss"}:
        raise ValueError("应是 memory:// 或 redis://主机:端口/编号")
    return value


def content_folder(value: str) -> str:
    """A folder that is there, or the word for the shipped one."""
    if value != SHIPPED_CONTENT and not Path(value).is_dir():
        raise ValueError(f"没有这个文件夹：{value}")
    return value


def list_from_text(value: Any) -> Any:
    """Lists in the environment: JSON, or words with commas between."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise ValueError("不是合法的 JSON 列表") from None
    return [part.strip() for part in text.split(",") if part.strip()]


def new_key() -> str:
    """A fresh key as `decode_key` reads it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii").rstrip("=")
