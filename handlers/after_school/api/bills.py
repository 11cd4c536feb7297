"""The API's way to a family's own bills."""

from __future__ import annotations

from pydantic import BaseModel

from bot.clock import to_local
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.after_school.service.months.bills import BillService
from handlers.after_school.service.months.views import BillView
from handlers.after_school.texts.months import basis_in_words


class BillOut(BaseModel):
    """What is owed for one sign-up, and how it comes to that. `waived_fen`: what the family need not pay."""

    student_id: str
    programme: str
    how: str
    clause: str
    gross_fen: int
    waived_fen: int
    due_fen: int
    paid_fen: int
    refund_fen: int
    open_fen: int
    settled_at: str


class BillsOut(BaseModel):
    """The latest first."""

    items: list[BillOut]
    next_cursor: str | None = None


class BillsApi:
    """The handlers, over the service."""

    def __init__(self, bills: BillService) -> None:
        self._bills = bills

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        return (
            ApiRoute(
                method="GET", path="/after-school/bills", summary="课后服务的结算", response=BillsOut,
                action=Action.SERVICE_BILL, errors=(503,), handle=self.own, tags=("after-school",),
            ),
        )  # fmt: skip

    async def own(self, call: ApiCall) -> BillsOut:
        """Of the caller's children."""
        return BillsOut(items=[_out(view) for view in await self._bills.own(call.actor)])


def _out(view: BillView) -> BillOut:
    settlement, settled_at = view.settlement, view.settled_at
    assert settled_at is not None
    return BillOut(
        student_id=view.child_id,
        programme=view.programme,
        how=basis_in_words(view),
        clause=view.clause,
        gross_fen=settlement.charge.gross_fen,
        waived_fen=settlement.charge.waived_fen,
        due_fen=settlement.charge.due_fen,
        paid_fen=settlement.paid_fen,
        refund_fen=settlement.refund_fen,
        open_fen=settlement.open_fen,
        settled_at=to_local(settled_at).isoformat(timespec="seconds"),
    )
