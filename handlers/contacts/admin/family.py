"""Pages of what is kept up with families: the month's word, who wants it, calls that are booked, what parents do by
themselves."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from bot.clock import Clock, local_date, to_local
from bot.errors import AppError, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.contacts.admin.forms import chosen, day_of
from handlers.contacts.domain.card import FactSource, Holder
from handlers.contacts.domain.family import (
    FIRST_HOUR,
    LAST_HOUR,
    LONGEST_WORD,
    CallInvalid,
    HeardWay,
    WishHow,
    WordInvalid,
    moment_at,
)
from handlers.contacts.service.family.building import FamilyParts
from handlers.contacts.service.family.calls import PAGE as CALLS
from handlers.contacts.service.family.heard import Heard
from handlers.contacts.texts import family as texts
from handlers.contacts.texts.cards import HOLDERS, SOURCES

WORDS: Final = "/contacts/words"
FAMILY: Final = "/contacts/families/{ward}"
OWN: Final = "/contacts/own/{ward}"
_HALF: Final = timedelta(minutes=30)
_PARENTS: Final = (Holder.PARENT_1, Holder.PARENT_2)
_TELLERS: Final = (FactSource.CHILD, FactSource.PARENT, FactSource.CARER)


class FamilyPages:
    """The handlers."""

    def __init__(self, parts: FamilyParts, clock: Clock) -> None:
        self._parts = parts
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        word, booked, own = Action.CONTACTS_WORD, Action.CONTACTS_CALL, Action.CONTACTS_OWN
        return (
            AdminRoute(method="GET", path=WORDS, action=word, handle=self.words, menu=texts.MENU_WORDS),
            AdminRoute(method="POST", path=WORDS, action=word, handle=self.write),
            AdminRoute(method="GET", path=FAMILY, action=word, handle=self.family),
            AdminRoute(method="POST", path=FAMILY + "/wish", action=word, handle=self.wish),
            AdminRoute(method="POST", path=FAMILY + "/call", action=word, handle=self.propose),
            AdminRoute(method="GET", path=CALLS, action=booked, handle=self.calls),
            AdminRoute(method="POST", path=CALLS + "/{call}/agree", action=booked, handle=self.agree),
            AdminRoute(method="POST", path=CALLS + "/{call}/move", action=booked, handle=self.move),
            AdminRoute(method="POST", path=CALLS + "/{call}/cancel", action=booked, handle=self.cancel),
            AdminRoute(method="POST", path=CALLS + "/{call}/missed", action=booked, handle=self.missed),
            AdminRoute(method="POST", path=CALLS + "/{call}/took-place", action=booked, handle=self.took_place),
            AdminRoute(method="GET", path=OWN + "/heard", action=own, handle=self.heard),
            AdminRoute(method="POST", path=OWN + "/heard", action=own, handle=self.note),
        )

    # ----------------------------------------------------------------------------------------------------------- words
    async def words(self, call: AdminCall) -> AdminAnswer:
        """This month's words."""
        return await self._words(call)

    async def write(self, call: AdminCall) -> AdminAnswer:
        """One of them is written."""
        try:
            day = _day(call.form.get("send_on", ""))
            said = call.form.get("words", "").strip() or call.form.get("pick", "")
            await self._parts.words.write(call.actor, call.form.get("target", ""), said, day)
        except AppError as fault:
            if fault.denial is not None or isinstance(fault, NotFound):
                raise
            return await self._words(call, fault)
        return WayOn(WORDS, texts.WORD_KEPT)

    async def _words(self, call: AdminCall, fault: AppError | None = None) -> Page:
        today = local_date(self._clock.now())
        values = {
            "rows": await self._parts.words.targets(call.actor),
            "given": call.form,
            "picks": texts.PICKS,
            "longest": LONGEST_WORD,
            "today": today,
            "last": (today.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1),
            "fault": fault.message if fault else "",
        }
        return Page("contacts/words.html", values, 422 if fault else 200)

    # --------------------------------------------------------------------------------------------------------- families
    async def family(self, call: AdminCall) -> AdminAnswer:
        """The guardians of a child: who wants to hear from the school."""
        return await self._family(call)

    async def wish(self, call: AdminCall) -> AdminAnswer:
        """What a guardian said."""
        own, is_wanted = call.id("ward"), call.form.get("wanted") == "yes"
        await self._parts.reach.ward(call.actor, own)  # whose it is comes before what was filled in
        try:
            how = chosen(WishHow, call.form.get("how", ""), "家长是怎么说的")
            await self._parts.wishes.enter(call.actor, own, call.form.get("person", ""), how, is_wanted=is_wanted)
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(FAMILY.format(ward=own), texts.WISH_KEPT)

    async def propose(self, call: AdminCall) -> AdminAnswer:
        """A call is proposed."""
        own = call.id("ward")
        await self._parts.reach.ward(call.actor, own)
        try:
            if not call.form.get("person"):
                raise CallInvalid(texts.PICK_PERSON)
            await self._parts.calls.propose(call.actor, own, call.form["person"], _moment(call))
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(CALLS, texts.PROPOSED)

    async def _faulty(self, call: AdminCall, fault: AppError) -> Page:
        if fault.denial is not None or isinstance(fault, NotFound):
            raise fault
        return await self._family(call, fault)

    async def _family(self, call: AdminCall, fault: AppError | None = None) -> Page:
        own = call.id("ward")
        values = {
            "ward": await self._parts.reach.ward(call.actor, own),
            "guardians": await self._parts.wishes.of(call.actor, own),
            "hows": list(texts.HOWS.items()),
            "hours": _hours(),
            "given": call.form,
            "today": local_date(self._clock.now()),
            "fault": fault.message if fault else "",
        }
        return Page("contacts/family.html", values, 422 if fault else 200)

    # ------------------------------------------------------------------------------------------------------------ calls
    async def calls(self, call: AdminCall) -> AdminAnswer:
        """The caller's open ones."""
        return await self._calls(call)

    async def agree(self, call: AdminCall) -> AdminAnswer:
        """What a parent proposed suits."""
        await self._parts.calls.agree(call.actor, call.id("call"))
        return WayOn(CALLS, texts.AGREED)

    async def move(self, call: AdminCall) -> AdminAnswer:
        """Another hour."""
        await self._parts.calls.require(call.actor, call.id("call"))  # whose it is comes before what was filled in
        try:
            await self._parts.calls.move(call.actor, call.id("call"), _moment(call))
        except AppError as fault:
            if fault.denial is not None or isinstance(fault, NotFound):
                raise
            return await self._calls(call, fault)
        return WayOn(CALLS, texts.MOVED)

    async def cancel(self, call: AdminCall) -> AdminAnswer:
        """Called off."""
        await self._parts.calls.cancel(call.actor, call.id("call"))
        return WayOn(CALLS, texts.CANCELLED)

    async def missed(self, call: AdminCall) -> AdminAnswer:
        """It did not take place."""
        await self._parts.calls.missed(call.actor, call.id("call"))
        return WayOn(CALLS, texts.MISSED)

    async def took_place(self, call: AdminCall) -> AdminAnswer:
        """It did."""
        await self._parts.calls.took_place(call.actor, call.id("call"))
        return WayOn(CALLS, texts.TOOK_PLACE)

    async def _calls(self, call: AdminCall, fault: AppError | None = None) -> Page:
        rows = await self._parts.calls.of_teacher(call.actor)
        values = {
            "rows": [(each, to_local(each.at).date().isoformat(), f"{to_local(each.at):%H:%M}") for each in rows],
            "hours": _hours(),
            "today": local_date(self._clock.now()),
            "fault": fault.message if fault else "",
        }
        return Page("contacts/calls.html", values, 422 if fault else 200)

    # ------------------------------------------------------------------------------------------------------------ heard
    async def heard(self, call: AdminCall) -> AdminAnswer:
        """What parents did by themselves."""
        return await self._heard(call)

    async def note(self, call: AdminCall) -> AdminAnswer:
        """It is written down."""
        own, form = call.id("ward"), call.form
        await self._parts.heard.require(call.actor, own)
        try:
            heard = Heard(
                holder=chosen(Holder, form.get("holder", ""), "哪一位"),
                way=chosen(HeardWay, form.get("way", ""), "怎么联系的"),
                happened_on=day_of(form, "day", "日期"),
                source=chosen(FactSource, form.get("source", ""), "谁说的"),
            )
            await self._parts.heard.note(call.actor, own, heard)
        except AppError as fault:
            if fault.denial is not None or isinstance(fault, NotFound):
                raise
            return await self._heard(call, fault)
        return WayOn((OWN + "/heard").format(ward=own), texts.HEARD_KEPT)

    async def _heard(self, call: AdminCall, fault: AppError | None = None) -> Page:
        own = call.id("ward")
        values = {
            "ward": await self._parts.heard.require(call.actor, own),
            "rows": await self._parts.heard.of(call.actor, own),
            "parents": [(each, HOLDERS[each]) for each in _PARENTS],
            "tellers": [(each, SOURCES[each]) for each in _TELLERS],
            "ways": list(texts.HEARD_WAYS.items()),
            "holder_words": HOLDERS,
            "way_words": texts.HEARD_WAYS,
            "source_words": SOURCES,
            "given": call.form,
            "today": local_date(self._clock.now()),
            "fault": fault.message if fault else "",
        }
        return Page("contacts/heard.html", values, 422 if fault else 200)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise WordInvalid(texts.NOT_A_DATE) from None


def _moment(call: AdminCall) -> datetime:
    try:
        day, at = date.fromisoformat(call.form.get("day", "")), time.fromisoformat(call.form.get("hour", ""))
    except ValueError:
        raise CallInvalid(texts.PICK_WHEN) from None
    return moment_at(day, at)


def _hours() -> list[tuple[str, str]]:
    at, found = datetime.combine(date.min, FIRST_HOUR), []
    while at.time() <= LAST_HOUR:
        found.append((f"{at:%H:%M}", f"{at:%H:%M}"))
        at += _HALF
    return found
