"""Settings for tests: complete, with keys that are no secrets."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from bot.config import Settings

TEST_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.urlsafe_b64encode(bytes(range(1, 33))).decode()

MINIMAL: dict[str, dict[str, Any]] = {
    "wechat": {
        "app_id": "wx0123456789abcdef",
        "app_secret": "0123456789abcdef0123456789abcdef",
        "token": "testtoken",
        "encoding_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "original_id": "gh_0123456789ab",
    },
    "security": {"field_keys": f"k1:{TEST_KEY}", "blind_index_key": TEST_KEY, "session_key": TEST_KEY},
}


def make_settings(**sections: dict[str, Any]) -> Settings:
    """Valid settings; a section given as an argument is laid over the standard one key by key."""
    data = {name: MINIMAL.get(name, {}) | sections.get(name, {}) for name in {*MINIMAL, *sections}}
    return Settings.model_validate(data)


def sqlite_url(path: Path) -> str:
    """The address of a file as `[database] url` takes it."""
    return f"sqlite:///{path}"


def write_config(settings: Settings, path: Path) -> Path:
    """The settings of the sections a command needs as a file for `--config`; gives its path."""
    lines = []
    for section in ("database", "wechat", "security"):
        lines.append(f"[{section}]")
        for key, value in getattr(settings, section).model_dump(exclude_unset=True).items():
            shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            lines.append(f"{key} = {json.dumps(shown, ensure_ascii=False)}")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
