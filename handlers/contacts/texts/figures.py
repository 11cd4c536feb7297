"""Sentences and words of the figures. None names a child, or says why contact is kept."""

from __future__ import annotations

from typing import Final

from handlers.contacts.domain.suppression import LEAST

MENU: Final = "家校联系统计"
MONTH: Final = "{year}年{month}月"
SHARE: Final = "{percent}% {number}/{of}"
NOBODY: Final = "没有"
LACKING: Final = f"至少{{percent}}% 差不到{LEAST}位"
THERE: Final = f"至多{{percent}}% 不到{LEAST}位"
HIDDEN: Final = "不显示"
NOT_COUNTED: Final = "没有统计"
NO_NUMBER: Final = "—"
COUNT: Final = "{count}位"
TOTAL: Final = "{name}合计"
TOGETHER: Final = "{names}（合在一起算）"
BETWEEN: Final = "、"
COVERED: Final = "覆盖率"
ON_TIME: Final = "及时率"
CHART: Final = "{place}：{name}，{first}到{last}"
DESCRIBED: Final = "{month}{words}"
DESCRIPTION_END: Final = "；"
