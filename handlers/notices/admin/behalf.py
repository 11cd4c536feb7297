"""Entering for a family what they said on the phone, on a slip of paper or face to face."""

from __future__ import annotations

from typing import Final

from bot.errors import AppError, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.notices.admin import words
from handlers.notices.admin.composing import NOTICES, ONE
from handlers.notices.domain import BY_HAND, LIVE, LONGEST_ANSWER, NoticeInvalid
from handlers.notices.service.chasing import NoticeChasing
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.reports import NoticeReports
from handlers.notices.service.views import ChildOutcome, NoticeView

_CHILD: Final = ONE + "/children/{child}"


class BehalfPages:
    """The handlers."""

    def __init__(self, desk: NoticeDesk, reports: NoticeReports, chasing: NoticeChasing) -> None:
        self._desk = desk
        self._reports = reports
        self._chasing = chasing

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        see = Action.NOTICE_REPORT
        return (
            AdminRoute(method="GET", path=_CHILD, action=see, handle=self.form),
            AdminRoute(method="POST", path=_CHILD, action=see, handle=self.enter),
        )

    async def form(self, call: AdminCall) -> AdminAnswer:
        """One child's family: who speaks, how, and the answers."""
        notice, child = await self._found(call)
        return _page(call, notice, child)

    async def enter(self, call: AdminCall) -> AdminAnswer:
        """What a guardian said is written down, and who wrote it."""
        notice, child = await self._found(call)
        answers = {each.key: call.form.get(each.key, "").strip() for each in notice.content.questions}
        how = next((each for each in BY_HAND if each.value == call.form.get("how")), None)
        person = next((each for each in child.people if each.person_id == call.form.get("person")), None)
        try:
            if how is None or person is None:
                raise NoticeInvalid(words.NO_PERSON if how else words.NO_HOW)
            given = {key: said for key, said in answers.items() if said}
            await self._chasing.confirmed_by_hand(call.actor, notice.id, child.child_id, person.person_id, how, given)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return _page(call, notice, child, fault)
        path = f"{NOTICES}/{notice.id}/families" + (f"?class={child.class_id}" if child.class_id else "")
        return WayOn(path, words.ENTERED.format(name=child.name))

    async def _found(self, call: AdminCall) -> tuple[NoticeView, ChildOutcome]:
        """Raises NotFound for a child out of reach, or one the notice does not concern."""
        notice, own = await self._desk.get(call.actor, call.id("notice")), call.id("child")
        families = await self._reports.families(call.actor, notice.id)
        child = next((each for each in families if each.child_id == own), None)
        if child is None:
            raise NotFound
        return notice, child


def _page(call: AdminCall, notice: NoticeView, child: ChildOutcome, fault: AppError | None = None) -> Page:
    before = next((each.answers for each in child.people if each.answers), {})
    values = {
        "item": notice,
        "child": child,
        "people": [(each.person_id, f"{each.name}（{each.relation}）") for each in child.people],
        "by_hand": words.BY_HAND,
        "given": {**before, **call.form},
        "can": notice.state in LIVE and bool(child.people),
        "fault": fault.message if fault else "",
        "longest": LONGEST_ANSWER,
    }
    return Page("notices/behalf.html", values, 422 if fault else 200)
