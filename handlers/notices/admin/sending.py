"""Pages between writing and the end: who would be reached, signing, stopping, and one notice with all of this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.errors import AppError, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.notices.admin import words
from handlers.notices.admin.composing import NOTICES, ONE
from handlers.notices.domain import OUT
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.pictures import NoticePictures
from handlers.notices.service.reach import NoticeReach
from handlers.notices.service.reports import NoticeReports
from handlers.notices.service.signing import NoticeSigning
from handlers.notices.service.views import ChildReach, NoticeView, Sent

_DRAWN_AT_ONCE: Final = 1
"""So many classes are shown in full without being chosen."""


@dataclass(frozen=True, slots=True)
class Room:
    """A class of the reach map in numbers."""

    id: str
    title: str
    children: int
    ticked: int
    unreached: int


class SendingPages:
    """The handlers."""

    def __init__(
        self,
        desk: NoticeDesk,
        reach: NoticeReach,
        signing: NoticeSigning,
        *,
        reports: NoticeReports,
        pictures: NoticePictures,
    ) -> None:
        self._desk = desk
        self._reach = reach
        self._signing = signing
        self._reports = reports
        self._pictures = pictures

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        write, see, sign = Action.NOTICE_WRITE, Action.NOTICE_REPORT, Action.NOTICE_APPROVE
        return (
            AdminRoute(method="GET", path=ONE, action=see, handle=self.one),
            AdminRoute(method="GET", path=ONE + "/progress", action=see, handle=self.progress),
            AdminRoute(method="GET", path=ONE + "/reach", action=write, handle=self.reach),
            AdminRoute(method="POST", path=ONE + "/reach", action=write, handle=self.untick),
            AdminRoute(method="POST", path=ONE + "/submit", action=write, handle=self.submit),
            AdminRoute(method="GET", path=ONE + "/approve", action=sign, handle=self.approve_form),
            AdminRoute(method="POST", path=ONE + "/approve", action=sign, handle=self.approve),
            AdminRoute(method="POST", path=ONE + "/reject", action=sign, handle=self.reject),
            AdminRoute(method="POST", path=ONE + "/take-back", action=write, handle=self.take_back),
            AdminRoute(method="GET", path=ONE + "/recall", action=write, handle=self.recall_form),
            AdminRoute(method="POST", path=ONE + "/recall", action=write, handle=self.recall),
            AdminRoute(method="POST", path=ONE + "/close", action=write, handle=self.close),
        )

    # ------------------------------------------------------------------------------------------------------ one notice
    async def one(self, call: AdminCall) -> AdminAnswer:
        """Everything about one: its words, whom it reaches or reached, what may be done, and what was done."""
        return await self._one(call)

    async def _one(self, call: AdminCall, fault: str = "") -> Page:
        notice = await self._reports.notice(call.actor, call.id("notice"))
        is_out = notice.state in OUT
        preview = None if is_out or not _may_look(notice) else await self._reach.preview(call.actor, notice.id)
        sent = await self._reports.sent(call.actor, notice.id) if is_out else None
        wait = _signed(sent) if sent else ""
        values = {
            "item": notice,
            "preview": preview,
            # Costly, and other in a moment: not while the page is asked for again and again.
            "report": await self._reports.report(call.actor, notice.id) if is_out and not wait else None,
            "id": notice.id,
            "pictures": await self._pictures.of(notice.id),
            "can_illustrate": "edit" in notice.may,
            "sent": sent,
            "findings": preview.findings if preview else (),
            "deeds": words.deeds_of(notice, needs_second=bool(preview and preview.needs_second)),
            "timeline": await self._reports.timeline(call.actor, notice.id),
            "wait": wait,
            "fault": fault,
            "words": words.SHOWN,
        }
        return Page("notices/one.html", values, 409 if fault else 200)

    async def progress(self, call: AdminCall) -> AdminAnswer:
        """Only the numbers, for the page that waits; when nothing moves any more they say so by asking for nothing."""
        sent = await self._reports.sent(call.actor, call.id("notice"))
        values = {"id": call.id("notice"), "sent": sent, "wait": _signed(sent), "words": words.SHOWN}
        return Page("notices/progress.html", values)

    # ------------------------------------------------------------------------------------------------------- reach map
    async def reach(self, call: AdminCall) -> AdminAnswer:
        """Who will be reached by what, child by child, those without a reachable adult first."""
        return await self._reach_page(call, call.query.get("class", ""))

    async def _reach_page(self, call: AdminCall, chosen: str, fault: str = "") -> Page:
        preview = await self._reach.preview(call.actor, call.id("notice"))
        rooms = _rooms(preview.children)
        if len(rooms) <= _DRAWN_AT_ONCE:
            chosen = rooms[0].id if rooms else ""
        shown = [child for child in preview.children if child.class_id == chosen] if rooms else []
        audience = preview.notice.content.target.audience
        shown.sort(key=lambda child: child.is_reached)
        values = {
            "item": preview.notice,
            "preview": preview,
            "rooms": rooms,
            "chosen": chosen,
            "shown": shown,
            "shown_title": next((room.title for room in rooms if room.id == chosen), ""),
            "unreached": preview.unreached,
            "staff": preview.staff,
            "left_out": audience.without_persons,
            "tickable": _first_seen(shown),
            "can_edit": "untick" in preview.notice.may and not preview.notice.corrects,
            "fault": fault,
            "words": words.SHOWN,
        }
        return Page("notices/reach.html", values, 409 if fault else 200)

    async def untick(self, call: AdminCall) -> AdminAnswer:
        """Of those shown, the ones without a tick are left out; everybody else stays as they were."""
        notice = await self._desk.get(call.actor, call.id("notice"))
        audience = notice.content.target.audience
        shown = set(call.form_ids("shown_child"))
        kept = {"none": set[str](), "every": shown}.get(call.form.get("all", ""), set(call.form_ids("child")))
        people = set(call.form_ids("shown_person"))
        kept_people = people if call.form.get("all") else set(call.form_ids("person"))
        try:
            await self._desk.untick(
                call.actor,
                notice.id,
                _version(call),
                children=(audience.without_pupils - shown) | (shown - kept),
                people=(audience.without_persons - people) | (people - kept_people),
            )
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._reach_page(call, call.form.get("class", ""), fault.message)
        chosen = call.form.get("class", "")
        return WayOn(f"{NOTICES}/{notice.id}/reach" + (f"?class={chosen}" if chosen else ""), words.TICKED)

    # --------------------------------------------------------------------------------------------------------- signing
    async def submit(self, call: AdminCall) -> AdminAnswer:
        """The author has done."""
        own, version = call.id("notice"), _version(call)
        return await self._done(call, lambda: self._signing.submit(call.actor, own, version))

    async def approve_form(self, call: AdminCall) -> AdminAnswer:
        """Everything the second person must see before signing."""
        return await self._approve_page(call)

    async def _approve_page(self, call: AdminCall, fault: str = "") -> Page:
        preview = await self._reach.preview(call.actor, call.id("notice"))
        values = {
            "item": preview.notice,
            "preview": preview,
            "can": "approve" in preview.notice.may,
            "why": call.form.get("why", ""),
            "fault": fault,
            "words": words.SHOWN,
        }
        return Page("notices/approve.html", values, 422 if fault else 200)

    async def approve(self, call: AdminCall) -> AdminAnswer:
        """The second signature."""
        return await self._signed(call, lambda own: self._signing.approve(call.actor, own, _version(call)))

    async def reject(self, call: AdminCall) -> AdminAnswer:
        """Back to its author, with a reason."""
        why = call.form.get("why", "")
        return await self._signed(call, lambda own: self._signing.reject(call.actor, own, _version(call), why))

    async def _signed(self, call: AdminCall, do: Callable[[str], Awaitable[NoticeView]]) -> AdminAnswer:
        try:
            notice = await do(call.id("notice"))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._approve_page(call, fault.message)
        return WayOn(f"{NOTICES}/{notice.id}", words.DONE[notice.state])

    # -------------------------------------------------------------------------------------------------------- stopping
    async def take_back(self, call: AdminCall) -> AdminAnswer:
        """A draft again."""
        return await self._done(call, lambda: self._signing.take_back(call.actor, call.id("notice")))

    async def recall_form(self, call: AdminCall) -> AdminAnswer:
        """What recalling does."""
        report = await self._reports.report(call.actor, call.id("notice"))
        values = {"item": report.notice, "effects": words.recalled(report), "can": "recall" in report.notice.may}
        return Page("notices/recall.html", values)

    async def recall(self, call: AdminCall) -> AdminAnswer:
        """What is unsent never goes out."""
        return await self._done(call, lambda: self._signing.recall(call.actor, call.id("notice")))

    async def close(self, call: AdminCall) -> AdminAnswer:
        """No more confirmations."""
        return await self._done(call, lambda: self._signing.close(call.actor, call.id("notice")))

    async def _done(self, call: AdminCall, do: Callable[[], Awaitable[NoticeView]]) -> AdminAnswer:
        try:
            notice = await do()
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._one(call, fault.message)
        return WayOn(f"{NOTICES}/{notice.id}", words.DONE[notice.state])


def _may_look(notice: NoticeView) -> bool:
    return bool(notice.may & {"edit", "approve", "take_back"})


def _version(call: AdminCall) -> int:
    """The notice as it was looked at. Raises InvalidInput for a form that is not ours."""
    given = call.form.get("version", "")
    if not (given.isascii() and given.isdigit() and len(given) < 9):
        raise InvalidInput
    return int(given)


def _rooms(children: Sequence[ChildReach]) -> list[Room]:
    """The classes, those with the most children nobody of whom is reached first."""
    found: dict[str, list[ChildReach]] = {}
    for child in children:
        found.setdefault(child.class_id, []).append(child)
    rooms = [
        Room(
            own,
            f"{families[0].school}{families[0].class_name}",
            len(families),
            sum(each.is_ticked for each in families),
            sum(each.is_ticked and not each.is_reached for each in families),
        )
        for own, families in found.items()
    ]
    return sorted(rooms, key=lambda room: -room.unreached)


def _first_seen(children: Sequence[ChildReach]) -> set[tuple[str, str]]:
    """Child and adult where each adult is met first: a mother of two has one tick."""
    found: dict[str, str] = {}
    for child in children:
        for each in child.people:
            found.setdefault(each.person_id, child.child_id)
    return {(child, person) for person, child in found.items()}


def _signed(sent: Sent) -> str:
    """Changes with what a waiting page shows; "" when there is nothing to wait for."""
    if not sent.is_moving:
        return ""
    return ".".join(f"{name}{count}" for name, count in sorted(sent.by_status.items())) or sent.state.value
