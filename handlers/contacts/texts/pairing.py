"""Sentences of who keeps contact with whom."""

from __future__ import annotations

from typing import Final

TODO_RECEIVED: Final = "家校联系交到您这里，请签收"
DUTY: Final = "负责的家校联系"
