"""Sentences of everything that waits for the protection lead."""

from __future__ import annotations

from typing import Final

MENU: Final = "家校联系总览"
TODO_GRAVE: Final = "草稿里写到可能的危险，还没有答复"
NOBODY: Final = "还没有老师负责"
GONE: Final = "已离职的老师"
