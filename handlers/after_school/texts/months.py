"""Everything said about lists of lessons, bills and the poll."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from handlers.after_school.domain.fees import FeeBasis
from handlers.after_school.domain.months import MonthState
from handlers.after_school.domain.plans import SettleBy

if TYPE_CHECKING:
    from handlers.after_school.service.months.views import BillView

MENU: Final = "课后服务课时"
MONTH: Final = "{year}年{month}月"
STATES: Final[Mapping[MonthState, tuple[str, str]]] = {
    MonthState.COUNTED: ("还没公示", "plain"),
    MonthState.SHOWN: ("公示中", "plain"),
    MonthState.OBJECTED: ("有异议", "bad"),
    MonthState.FILED: ("已备案", "good"),
}
RULES: Final[Mapping[SettleBy, str]] = {
    SettleBy.PLANNED: "按计划的课次收",
    SettleBy.HELD: "按实际上的课次收",
    SettleBy.ATTENDED: "按孩子到的课次收",
}
SHOWN: Final = "公示了{count}份。请提醒老师看一看，有异议在这里提。"
OBJECTED: Final = "异议记下了，学校答复后在这里看得到。"
ANSWERED: Final = "答复记下了。数有变化的，请重新公示。"
FILED: Final = "已经备案，报教导处时用这一份。"
SETTLED: Final = "结算好了，新的或有变化的{count}份。家长在小程序里看得到自己的。"
PAID: Final = "收款记下了。"
PAID_BEFORE: Final = "这个单号已经记过，没有重复记。请核对单号。"
NO_REFERENCE: Final = "请写收款的单号或日期加姓名，同一笔只记一次。"
REFUNDED: Final = "退费{yuan}元记下了。"
_FEE: Final[Mapping[FeeBasis, str]] = {
    FeeBasis.FREE: "免费",
    FeeBasis.PER_TERM: "每学期{yuan}元",
    FeeBasis.PER_LESSON: "每次{yuan}元",
}
_LESSONS: Final = "{fee}，{rule}：计划{planned}次，在读期间上了{held}次，到了{attended}次"


def yuan(fen: int) -> str:
    """300.50"""
    return f"{fen // 100}.{fen % 100:02}"


def basis_in_words(view: BillView) -> str:
    """How a bill comes to what it is; nothing of what is waived, and why."""
    fee = _FEE[view.basis].format(yuan=yuan(view.fee_fen))
    lessons = view.lessons
    return _LESSONS.format(
        fee=fee, rule=RULES[view.rule], planned=lessons.planned, held=lessons.held, attended=lessons.attended
    )
