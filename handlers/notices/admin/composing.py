"""Pages on which notices are found, written, and corrected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.errors import AppError, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import TableView
from handlers.accounts.service.people import LARGEST_PAGE, PeopleService, PupilFilter
from handlers.accounts.service.views import PupilView
from handlers.notices import texts
from handlers.notices.admin import words
from handlers.notices.admin.forms import Form
from handlers.notices.domain import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    Finding,
    IllegalNoticeMove,
    NoticeContent,
    NoticeState,
    checked_content,
)
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.views import Choices, NoticeView, PlaceChoice

NOTICES: Final = "/notices"
ONE: Final = NOTICES + "/{notice}"
_LOOK, _SAVE, _QUESTION, _LINK, _PICK = "look", "save", "question", "link", "pick"
_MOST_PICKED_FROM: Final = 6
"""Classes whose children are listed at once: a page that can still be looked through."""


class ComposingPages:
    """The handlers."""

    def __init__(self, desk: NoticeDesk, people: PeopleService, now: words.Now) -> None:
        self._desk = desk
        self._people = people
        self._now = now

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them; to be listed before the page of one notice, whose address takes any word."""
        write, see = Action.NOTICE_WRITE, Action.NOTICE_REPORT
        return (
            AdminRoute(method="GET", path=NOTICES, action=see, handle=self.notices, menu=words.MENU),
            AdminRoute(method="GET", path=NOTICES + "/new", action=write, handle=self.new_form),
            AdminRoute(method="POST", path=NOTICES + "/new", action=write, handle=self.new),
            AdminRoute(method="GET", path=ONE + "/edit", action=write, handle=self.edit_form),
            AdminRoute(method="POST", path=ONE + "/edit", action=write, handle=self.edit),
            AdminRoute(method="POST", path=ONE + "/correct", action=write, handle=self.correct),
            AdminRoute(method="POST", path=ONE + "/discard", action=write, handle=self.discard),
        )

    # ------------------------------------------------------------------------------------------------------------ list
    async def notices(self, call: AdminCall) -> AdminAnswer:
        """The notices within reach, the newest first."""
        view = TableView.of(call, NOTICES, filters=("state", "text"), sorts=("new",))
        state = next((each for each in NoticeState if each.value == view.filters.get("state")), None)
        page = await self._desk.notices(
            call.actor,
            state=state,
            text=view.filters.get("text", ""),
            cursor=str(view.offset or ""),
            limit=view.size,
        )
        states = [(each.value, text) for each, text in texts.STATES.items()]
        return Page("notices/list.html", {"view": view, "page": page, "states": states, "words": words.SHOWN})

    # --------------------------------------------------------------------------------------------------------- writing
    async def new_form(self, call: AdminCall) -> AdminAnswer:
        """An empty form."""
        choices = await self._desk.choices(call.actor)
        return await self._page(call, Form.empty(choices), choices)

    async def new(self, call: AdminCall) -> AdminAnswer:
        """A draft, or the form again with what was asked for."""
        return await self._write(call, None)

    async def edit_form(self, call: AdminCall) -> AdminAnswer:
        """A draft, to be written on."""
        notice = await self._draft(call)
        choices = await self._desk.choices(call.actor)
        return await self._page(call, _form_of(notice), choices, notice)

    async def edit(self, call: AdminCall) -> AdminAnswer:
        """The draft anew."""
        return await self._write(call, await self._draft(call))

    async def _draft(self, call: AdminCall) -> NoticeView:
        notice = await self._desk.get(call.actor, call.id("notice"))
        if "edit" not in notice.may:
            raise IllegalNoticeMove
        return notice

    async def _write(self, call: AdminCall, notice: NoticeView | None) -> AdminAnswer:
        choices = await self._desk.choices(call.actor)
        kept = notice.content.target if notice else None
        form = Form.of_call(call, kept, is_correction=bool(notice and notice.corrects))
        deed = call.form.get("deed", _SAVE)
        if deed in {_QUESTION, _LINK}:
            return await self._page(
                call, form.with_rows(question=deed == _QUESTION, link=deed == _LINK), choices, notice
            )
        if deed == _PICK:
            return await self._page(call, form, choices, notice, pupils=await self._pupils(call, form, choices))
        try:
            content = checked_content(form.content(choices), self._now())
            if deed == _LOOK:
                own = notice.id if notice else None
                findings = await self._desk.findings(call.actor, content, own)
                return await self._page(call, form, choices, notice, looked=(content, findings))
            kept_as = await self._save(call, form, content, notice)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._page(call, form, choices, notice, fault=fault.message)
        return WayOn(f"{NOTICES}/{kept_as.id}", words.SAVED)

    async def _save(self, call: AdminCall, form: Form, content: NoticeContent, notice: NoticeView | None) -> NoticeView:
        if notice is None:
            return await self._desk.create(call.actor, content)
        if not form.version.isascii() or not form.version.isdigit():
            raise InvalidInput
        return await self._desk.edit(call.actor, notice.id, content, int(form.version))

    async def correct(self, call: AdminCall) -> AdminAnswer:
        """A draft that corrects what went out, to be written on."""
        notice = await self._desk.correct(call.actor, call.id("notice"))
        return WayOn(f"{NOTICES}/{notice.id}/edit" if "edit" in notice.may else f"{NOTICES}/{notice.id}")

    async def discard(self, call: AdminCall) -> AdminAnswer:
        """The draft goes."""
        await self._desk.discard(call.actor, call.id("notice"))
        return WayOn(NOTICES, words.DISCARDED)

    # ------------------------------------------------------------------------------------------------------------ page
    async def _page(
        self,
        call: AdminCall,
        form: Form,
        choices: Choices,
        notice: NoticeView | None = None,
        *,
        fault: str = "",
        looked: tuple[NoticeContent, Sequence[Finding]] | None = None,
        pupils: Sequence[PupilView] = (),
    ) -> Page:
        corrected = await self._desk.get(call.actor, notice.corrects) if notice and notice.corrects else None
        content, findings = looked or (None, ())
        values = {
            "title": words.TITLE_CORRECT if corrected else words.TITLE_EDIT if notice else words.TITLE_NEW,
            "action": f"{NOTICES}/{notice.id}/edit" if notice else f"{NOTICES}/new",
            "corrected": corrected,
            "form": form,
            "choices": choices,
            "places": _by_school(choices),
            "school_ids": {each.id for each in choices.schools},
            "only_class": choices.classes[0] if len(choices.classes) == 1 and not choices.schools else None,
            "pupils": pupils,
            "fault": fault,
            "shown": content,
            "findings": findings,
            "sender": notice.sender if notice else words.SENDER,
            "limits": {"title": LONGEST_TITLE, "text": LONGEST_TEXT},
            "words": words.SHOWN,
            **words.FORM_CHOICES,
            "remind_hours": words.remind_hours(form["remind_hours"]),
        }
        return Page("notices/compose.html", values, 422 if fault else 200)

    async def _pupils(self, call: AdminCall, form: Form, choices: Choices) -> list[PupilView]:
        """The children of the classes that are ticked, to pick from."""
        schools = {each.id: each.school_id for each in choices.classes}
        chosen = [own for own in schools if own in form.classes or schools[own] in form.schools][:_MOST_PICKED_FROM]
        found: list[PupilView] = []
        for room in chosen:
            page = await self._people.pupils(call.actor, PupilFilter(class_id=room, limit=LARGEST_PAGE))
            found += page.items
        return found


def _form_of(notice: NoticeView) -> Form:
    return Form.of_content(notice.content, notice.version, is_correction=notice.corrects is not None)


def _by_school(choices: Choices) -> list[tuple[PlaceChoice, list[PlaceChoice]]]:
    """The classes under their schools; a school out of reach stands there by the name its classes carry."""
    rooms: dict[str, list[PlaceChoice]] = {}
    for room in choices.classes:
        rooms.setdefault(room.school_id, []).append(room)
    known = {each.id: each for each in choices.schools}
    order = [*known, *(own for own in rooms if own not in known)]
    return [(known.get(own) or PlaceChoice("school", own, words.MY_CLASSES), rooms.get(own, [])) for own in order]
