"""Pages of month's and term's end: lists of lessons, and bills."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.clock import Clock, local_date
from bot.errors import AppError, Conflict, InvalidInput
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import TableView
from handlers.after_school.domain.bills import fen_of
from handlers.after_school.domain.months import MonthState, month_key, month_text
from handlers.after_school.service.months.bills import BillService, totals
from handlers.after_school.service.months.plans import plans_of
from handlers.after_school.service.months.sheets import MonthService
from handlers.after_school.service.months.views import BillView
from handlers.after_school.texts import months as texts

MONTHS: Final = "/after-school/months"
_ONE: Final = MONTHS + "/{plan}"
_BILLS: Final = "/after-school/bills/{plan}"
_FILED, _OBJECTED = MonthState.FILED, MonthState.OBJECTED


class MonthPages:
    """The handlers."""

    def __init__(self, months: MonthService, bills: BillService, clock: Clock) -> None:
        self._months = months
        self._bills = bills
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        see, file, settle = Action.SERVICE_MONTH, Action.SERVICE_FILE, Action.SERVICE_SETTLE
        return (
            AdminRoute(method="GET", path=MONTHS, action=see, handle=self.plans, menu=texts.MENU),
            AdminRoute(method="GET", path=_ONE, action=see, handle=self.month),
            AdminRoute(method="POST", path=_ONE + "/object", action=see, handle=self.object),
            AdminRoute(method="POST", path=_ONE + "/show", action=file, handle=self.show),
            AdminRoute(method="POST", path=_ONE + "/answer", action=file, handle=self.answer),
            AdminRoute(method="POST", path=_ONE + "/file", action=file, handle=self.file),
            AdminRoute(method="GET", path=_BILLS, action=settle, handle=self.bills),
            AdminRoute(method="POST", path=_BILLS + "/settle", action=settle, handle=self.settle),
            AdminRoute(method="POST", path=_BILLS + "/pay", action=settle, handle=self.pay),
            AdminRoute(method="POST", path=_BILLS + "/refund", action=settle, handle=self.refund),
        )

    # --------------------------------------------------------------------------------------------------------- months
    async def plans(self, call: AdminCall) -> AdminAnswer:
        """The terms there are."""
        plans = await plans_of(call.actor, Action.SERVICE_MONTH)
        values = {"plans": plans, "month": self._last_month(), "rules": texts.RULES}
        return Page("after_school/months_plans.html", values)

    async def month(self, call: AdminCall) -> AdminAnswer:
        """A month's lists."""
        return await self._month(call, call.query.get("month", ""))

    async def show(self, call: AdminCall) -> AdminAnswer:
        """公示."""
        month = call.form.get("month", "")
        try:
            shown = await self._months.show(call.actor, call.id("plan"), month)
        except (InvalidInput, Conflict) as fault:
            return await self._month(call, month, fault)
        return self._back(call, month, texts.SHOWN.format(count=shown))

    async def object(self, call: AdminCall) -> AdminAnswer:
        """有异议."""
        month, band, text = (call.form.get(name, "") for name in ("month", "band", "text"))
        try:
            month_key(month)
            await self._months.object(call.actor, call.id("plan"), month, band, text)
        except (InvalidInput, Conflict) as fault:
            return await self._month(call, month, fault)
        return self._back(call, month, texts.OBJECTED)

    async def answer(self, call: AdminCall) -> AdminAnswer:
        """The school says what it found."""
        month = call.form.get("month", "")
        try:
            month_key(month)
            objection = call.form_id("objection")
            await self._months.answer(call.actor, call.id("plan"), objection, call.form.get("text", ""))
        except (InvalidInput, Conflict) as fault:
            return await self._month(call, month, fault)
        return self._back(call, month, texts.ANSWERED)

    async def file(self, call: AdminCall) -> AdminAnswer:
        """备案."""
        month, band = call.form.get("month", ""), call.form.get("band", "")
        try:
            await self._months.file(call.actor, call.id("plan"), month, band)
        except (InvalidInput, Conflict) as fault:
            return await self._month(call, month, fault)
        return self._back(call, month, texts.FILED)

    async def _month(self, call: AdminCall, month: str, fault: AppError | None = None) -> Page:
        try:
            month_key(month)
        except InvalidInput:
            month = self._last_month()
        sheets = await self._months.sheets(call.actor, call.id("plan"), month)
        values = {
            "plan": call.id("plan"),
            "month": month,
            "month_words": texts.MONTH.format(year=month[:4], month=int(month[5:])),
            "sheets": [
                (each, *texts.STATES[each.state], each.state is _FILED, each.state is _OBJECTED) for each in sheets
            ],
            "to_show": any(each.shown_at is None or each.is_changed for each in sheets),
            "may_file": may(call.actor, Action.SERVICE_FILE),
            "fault": fault.message if fault else "",
        }
        return Page("after_school/months_sheet.html", values, 422 if fault else 200)

    def _back(self, call: AdminCall, month: str, notice: str) -> WayOn:
        return WayOn(f"{_ONE.format(plan=call.id('plan'))}?month={month}", notice)

    def _last_month(self) -> str:
        """The one that ended last."""
        return month_text(local_date(self._clock.now()).replace(day=1) - timedelta(days=1))

    # ---------------------------------------------------------------------------------------------------------- bills
    async def bills(self, call: AdminCall) -> AdminAnswer:
        """What every family owes, and how it comes to that."""
        return await self._bill_page(call)

    async def settle(self, call: AdminCall) -> AdminAnswer:
        """结算."""
        try:
            changed = await self._bills.settle(call.actor, call.id("plan"))
        except Conflict as fault:
            return await self._bill_page(call, fault)
        return WayOn(_BILLS.format(plan=call.id("plan")), texts.SETTLED.format(count=changed))

    async def pay(self, call: AdminCall) -> AdminAnswer:
        """Money came in."""
        try:
            amount, reference = fen_of(call.form.get("amount", "")), call.form.get("reference", "").strip()
            if not reference:
                raise InvalidInput(texts.NO_REFERENCE)
        except InvalidInput as fault:
            return await self._bill_page(call, fault)
        is_new = await self._bills.pay(call.actor, call.form_id("enrolment"), amount, reference)
        return WayOn(_BILLS.format(plan=call.id("plan")), texts.PAID if is_new else texts.PAID_BEFORE)

    async def refund(self, call: AdminCall) -> AdminAnswer:
        """The surplus has gone back."""
        try:
            amount = await self._bills.refund(call.actor, call.form_id("enrolment"))
        except Conflict as fault:
            return await self._bill_page(call, fault)
        return WayOn(_BILLS.format(plan=call.id("plan")), texts.REFUNDED.format(yuan=texts.yuan(amount)))

    async def _bill_page(self, call: AdminCall, fault: AppError | None = None) -> Page:
        bills = await self._bills.bills(call.actor, call.id("plan"))
        whole = totals(bills)
        view = TableView.of(call, _BILLS.format(plan=call.id("plan")), filters=("name",), sorts=("class",))
        wanted = view.filters.get("name", "")
        found = [each for each in bills if wanted in each.child]
        shown = found[view.offset : view.offset + view.size]
        values = {
            "plan": call.id("plan"),
            "view": view,
            "total": len(found),
            "bills": [(each, _basis(each)) for each in shown],
            "choices": [(each.enrolment_id, f"{each.child} {each.programme}") for each in shown],
            "sums": [texts.yuan(fen) for fen in (whole.due_fen, whole.paid_fen, whole.refund_fen, whole.open_fen)],
            "yuan": texts.yuan,
            "fault": fault.message if fault else "",
        }
        return Page("after_school/months_bills.html", values, 422 if fault else 200)


def _basis(view: BillView) -> str:
    return texts.basis_in_words(view)
