"""Sentences of who keeps contact with whom."""

from __future__ import annotations

from typing import Final

TODO_RECEIVED: Final = "家校联系交到您这里，请签收"
DUTY: Final = "负责的家校联系"
PAIRED: Final = "已经安排好，老师下次打开后台就能看到。"
ENDED: Final = "这项安排已经结束。没有别的老师负责的话，请在下面再安排一位。"
HANDED_OVER: Final = "已经交给新的老师，等老师签收。"
RECEIVED: Final = "已经签收。请在“家校联系”里看这位同学，尽快联系一次。"
NO_COLLEAGUE: Final = "请在名单里选一位老师，再安排。"
