"""Pages of the contact card: what is known and how old it is, numbers nobody answers, whether the carer is fit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from bot.clock import Clock, local_date
from bot.errors import AppError, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from handlers.contacts.admin.forms import chosen, day_of, day_or_none
from handlers.contacts.domain.card import CONFIDENTIAL, LONGEST_VALUE, OF_HOLDER, FactKind, FactSource, Fitness, Holder
from handlers.contacts.service.building import CoreParts
from handlers.contacts.service.cards.cards import STALE
from handlers.contacts.service.cards.facts import Stated
from handlers.contacts.service.cards.fitness import Checked
from handlers.contacts.service.refreshing.telling import PAGE as REFRESH
from handlers.contacts.texts import cards as texts
from handlers.contacts.texts import refreshing as refresh_texts
from handlers.contacts.texts.register import HELPS

CARD: Final = "/contacts/cards/{ward}"
_FACT: Final = "/contacts/facts/{fact}"
_PAPER: Final = "paper"
_NAME: Final = "委托书.jpg"


class CardPages:
    """The handlers."""

    def __init__(self, core: CoreParts, clock: Clock) -> None:
        self._cards = core.cards
        self._fitness = core.fitness
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own, lead = Action.CONTACTS_OWN, Action.CONTACTS_REGISTER
        fit = "/contacts/register/{child}"
        return (
            AdminRoute(method="GET", path=CARD, action=own, handle=self.card),
            AdminRoute(method="POST", path=CARD + "/state", action=own, handle=self.state),
            AdminRoute(method="POST", path=_FACT + "/confirm", action=own, handle=self.confirm),
            AdminRoute(method="POST", path=_FACT + "/answered", action=own, handle=self.answered),
            AdminRoute(method="POST", path=_FACT + "/missed", action=own, handle=self.missed),
            AdminRoute(method="GET", path=STALE, action=own, handle=self.stale),
            AdminRoute(method="POST", path=fit + "/fitness", action=lead, handle=self.check, takes_files=True),
            AdminRoute(method="GET", path=fit + "/paper", action=lead, handle=self.paper),
        )

    # --------------------------------------------------------------------------------------------------------- looking
    async def card(self, call: AdminCall) -> AdminAnswer:
        """What is known."""
        return await self._card(call, call.id("ward"))

    async def stale(self, call: AdminCall) -> AdminAnswer:
        """Numbers to be asked for anew."""
        rows = await self._cards.stale(call.actor)
        return Page("contacts/phones.html", {"rows": rows, "holders": texts.HOLDERS})

    async def paper(self, call: AdminCall) -> AdminAnswer:
        """The written entrustment."""
        found = await self._fitness.paper(call.actor, call.id("child"))
        return Download(_NAME, found.content, found.media_type)

    async def _card(self, call: AdminCall, own: str, fault: AppError | None = None) -> Page:
        card = await self._cards.card(call.actor, own)
        kinds = [
            (f"{holder.value}.{kind.value}", f"{texts.HOLDERS[holder]}：{texts.KINDS[kind]}")
            for holder, known in OF_HOLDER.items()
            for kind in known
            if card.is_sealed_open or kind not in CONFIDENTIAL
        ]
        values = {
            "card": card,
            "choices": kinds,
            "sources": list(texts.SOURCES.items()),
            "source_words": texts.SOURCES,
            "holders": texts.HOLDERS,
            "kinds": texts.KINDS,
            "helps": HELPS,
            "clears": texts.CLEARS,
            "unclear": texts.UNCLEAR,
            "fitness": texts.FITNESS,
            "given": call.form,
            "today": local_date(self._clock.now()),
            "longest": LONGEST_VALUE,
            "fault": fault.message if fault else "",
        }
        return Page("contacts/card.html", values, 422 if fault else 200)

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def state(self, call: AdminCall) -> AdminAnswer:
        """Somebody said something."""
        own, form = call.id("ward"), call.form

        async def deed() -> None:
            holder, _, kind = form.get("what", "").partition(".")
            stated = Stated(
                holder=chosen(Holder, holder, "哪一项"),
                kind=chosen(FactKind, kind, "哪一项"),
                value=form.get("value", ""),
                stated_on=day_of(form, "stated_on", "了解到的日期"),
                source=chosen(FactSource, form.get("source", ""), "谁说的"),
            )
            await self._cards.state(call.actor, own, stated)

        await self._cards.require(call.actor, own)  # whose it is comes before what was filled in
        return await self._done(call, own, deed, texts.STATED)

    async def confirm(self, call: AdminCall) -> AdminAnswer:
        """Asked again, still so."""
        own = await self._cards.child_of(call.actor, call.id("fact"))
        if call.form.get("back"):
            await self._cards.confirm(call.actor, call.id("fact"))
            return WayOn(REFRESH, refresh_texts.KEPT)
        return await self._done(call, own, lambda: self._cards.confirm(call.actor, call.id("fact")), texts.CONFIRMED)

    async def answered(self, call: AdminCall) -> AdminAnswer:
        """Somebody answered."""
        return await self._called(call, is_answered=True)

    async def missed(self, call: AdminCall) -> AdminAnswer:
        """Nobody answered."""
        return await self._called(call, is_answered=False)

    async def check(self, call: AdminCall) -> AdminAnswer:
        """The lead has looked at the carer."""
        own, form, upload = call.id("child"), call.form, call.files.get(_PAPER)

        async def deed() -> None:
            checked = Checked(
                age_ok=chosen(Fitness, form.get("age_ok", ""), texts.AGE_OK),
                health_ok=chosen(Fitness, form.get("health_ok", ""), texts.HEALTH_OK),
                no_barred_ground=chosen(Fitness, form.get("no_barred_ground", ""), texts.NO_BARRED_GROUND),
                checked_on=day_of(form, "checked_on", "核实的日期"),
                written_on=day_or_none(form, "written_on", "委托书的日期"),
                paper=upload.content if upload else b"",
            )
            await self._fitness.check(call.actor, own, checked)

        await self._fitness.require(call.actor, own)
        return await self._done(call, own, deed, texts.CHECKED)

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _called(self, call: AdminCall, *, is_answered: bool) -> AdminAnswer:
        fact = call.id("fact")
        own = await self._cards.child_of(call.actor, fact)

        async def deed() -> None:
            await self._cards.called(call.actor, fact, is_answered=is_answered)

        return await self._done(call, own, deed, texts.ANSWERED if is_answered else texts.MISSED)

    async def _done(self, call: AdminCall, own: str, deed: Callable[[], Awaitable[None]], said: str) -> AdminAnswer:
        """The deed, and back to the card; what was filled in wrongly is said there."""
        try:
            await deed()
        except AppError as fault:
            if fault.denial is not None or isinstance(fault, NotFound):
                raise
            return await self._card(call, own, fault)
        return WayOn(CARD.format(ward=own), said)
