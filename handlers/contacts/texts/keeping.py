"""Sentences of how long something is kept."""

from __future__ import annotations

from typing import Final

SEALED: Final = "已离校或满16周岁，到期封存"
TO_SEAL: Final = "封存{count}位同学的家校联系资料（已离校或满16周岁）"
MENU: Final = "到期封存"
TO_REDUCE: Final = "把{count}位同学的家校联系资料减到只剩统计"
