"""Pages: how far the messages are, those to decide about, and the list of calls and slips of paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.delivery.pulse import WorkerSeen
from bot.errors import Conflict
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import TableView
from handlers.deliveries import texts
from handlers.deliveries.domain import Way, WayUnknown
from handlers.deliveries.service.desk import DELIVERIES, MOST, DeliveryDesk, Verdict, VerdictUnknown
from handlers.deliveries.service.lines import HandList
from handlers.deliveries.service.roll import HANDLIST, Roll, RollService

_CLASS: Final = HANDLIST + "/classes/{class_id}"
_OTHERS: Final = HANDLIST + "/others"
# In the order in which things happen to a message.
_WAITING: Final = ("planned", "held", "sending")
# At the platform's pace ten thousand messages take less.
_TOO_LONG: Final = timedelta(minutes=30)
# A round takes less, even when the platform is slow.
_HANGS: Final = timedelta(minutes=5)
_SETTLED: Final = ("sent", "unknown", "failed", "unreachable", "expired", "not_needed")


class DeliveryPages:
    """The handlers about deliveries."""

    def __init__(self, desk: DeliveryDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, decide = Action.DELIVERIES_VIEW, Action.DELIVERIES_DECIDE
        return (
            AdminRoute(method="GET", path=DELIVERIES, action=view, handle=self.overview, menu=texts.DELIVERIES_MENU),
            AdminRoute(method="POST", path=DELIVERIES + "/{delivery}/decide", action=decide, handle=self.decide),
        )

    async def overview(self, call: AdminCall) -> AdminAnswer:
        """How much waits and since when, what went out today, and what somebody has to look at."""
        return await self._page(call)

    async def decide(self, call: AdminCall) -> AdminAnswer:
        """Somebody found out what became of a delivery."""
        delivery = call.id("delivery")
        try:
            verdict = Verdict(call.form.get("verdict", ""))
        except ValueError:
            raise VerdictUnknown from None
        try:
            await self._desk.decide(call.actor, delivery, verdict)
        except Conflict as fault:
            return await self._page(call, fault=fault.message)
        return WayOn(DELIVERIES, texts.DECIDED[verdict.value])

    async def _page(self, call: AdminCall, *, fault: str = "") -> Page:
        backlog = await self._desk.overview(call.actor)
        view = TableView.of(call, DELIVERIES, sorts=("at",))
        found = await self._desk.troubled(call.actor)
        if view.is_descending:
            found.reverse()
        oldest = backlog.oldest_due
        workers = await self._desk.workers(call.actor)
        counts = {status.value: number for status, number in backlog.by_status.items()}
        values = {
            "fault": fault,
            "view": view,
            "rows": found[view.offset : view.offset + view.size],
            "total": len(found),
            "most": MOST,
            "waiting": _named(_WAITING, counts),
            "settled": _named(_SETTLED, counts),
            "due": backlog.due,
            "is_stuck": oldest is not None and self._clock.now() - oldest > _TOO_LONG,
            "oldest": texts.waited((self._clock.now() - oldest).total_seconds()) if oldest else "",
            "workers": None if workers is None else [self._worker(each) for each in workers],
            "today": [(texts.CHANNELS[channel.value], number) for channel, number in backlog.sent_today.items()],
            "statuses": texts.STATUSES,
            "channels": texts.CHANNELS,
            "reason_of": texts.reason_of,
            "source_of": texts.source_of,
            "to_chat": texts.TO_CHAT,
        }
        return Page("deliveries/deliveries.html", values, 409 if fault else 200)

    def _worker(self, seen: WorkerSeen) -> tuple[int, str, str, bool]:
        """Its number, since when it runs, when it last worked, and whether it looks as if it hung."""
        now = self._clock.now()

        def ago(moment: datetime | None) -> str:
            return texts.AGO.format(waited=texts.waited((now - moment).total_seconds())) if moment else texts.NOT_YET

        hangs = now - (seen.looked_at or seen.since) > _HANGS
        return seen.place + 1, ago(seen.since), ago(seen.worked_at), hangs


class HandListPages:
    """The handlers about the list of calls."""

    def __init__(self, rolls: RollService, lines: HandList) -> None:
        self._rolls = rolls
        self._lines = lines

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, tick = Action.HANDLIST_VIEW, Action.HANDLIST_TICK
        return (
            AdminRoute(method="GET", path=HANDLIST, action=view, handle=self.classes, menu=texts.HANDLIST_MENU),
            AdminRoute(method="GET", path=_OTHERS, action=view, handle=self.others),
            AdminRoute(method="GET", path=_CLASS, action=view, handle=self.one),
            AdminRoute(method="GET", path=_CLASS + "/print", action=view, handle=self.paper),
            AdminRoute(method="POST", path=HANDLIST + "/{line}/tick", action=tick, handle=self.tick),
            AdminRoute(method="POST", path=HANDLIST + "/{line}/untick", action=tick, handle=self.untick),
            AdminRoute(method="POST", path=HANDLIST + "/{line}/reveal", action=view, handle=self.reveal),
        )

    async def classes(self, call: AdminCall) -> AdminAnswer:
        """The classes with open lines."""
        view = TableView.of(call, HANDLIST, sorts=("open",))
        found = await self._rolls.rolls(call.actor)
        shown = found.classes[view.offset : view.offset + view.size]
        values = {"view": view, "rows": shown, "total": len(found.classes), "others": found.others}
        return Page("deliveries/classes.html", {**values, "others_title": texts.OTHERS})

    async def one(self, call: AdminCall) -> AdminAnswer:
        """The list of a class."""
        return self._page(await self._rolls.of_class(call.actor, call.id("class_id")), {})

    async def others(self, call: AdminCall) -> AdminAnswer:
        """The list of whoever is in no class."""
        return self._page(await self._rolls.of_others(call.actor), {})

    async def paper(self, call: AdminCall) -> AdminAnswer:
        """The list and the slips, to be printed."""
        roll = await self._rolls.of_class(call.actor, call.id("class_id"))
        return Page("deliveries/paper.html", {"room": roll.room, "rows": roll.entries, "ways": texts.WAYS})

    async def tick(self, call: AdminCall) -> AdminAnswer:
        """A family was told."""
        line = call.id("line")
        home = await self._rolls.home_of(call.actor, line)
        try:
            way = Way(call.form.get("way", ""))
        except ValueError:
            raise WayUnknown from None
        try:
            await self._lines.tick(call.actor, line, way)
        except Conflict as fault:
            return WayOn(home, fault.message)
        return WayOn(home, texts.TICKED.format(way=texts.WAYS[way]))

    async def untick(self, call: AdminCall) -> AdminAnswer:
        """A tick was a mistake."""
        line = call.id("line")
        home = await self._rolls.home_of(call.actor, line)
        try:
            await self._lines.untick(call.actor, line)
        except Conflict as fault:
            return WayOn(home, fault.message)
        return WayOn(home, texts.UNTICKED)

    async def reveal(self, call: AdminCall) -> AdminAnswer:
        """The list again, with one phone in clear. That it was shown is written down."""
        line = call.id("line")
        home = await self._rolls.home_of(call.actor, line)
        person = call.form_id("person")
        shown = {person: await self._rolls.reveal(call.actor, line, person) or texts.NO_PHONE}
        class_id = home.rpartition("/")[2]
        if home.endswith("/others"):
            return self._page(await self._rolls.of_others(call.actor), shown)
        return self._page(await self._rolls.of_class(call.actor, class_id), shown)

    def _page(self, roll: Roll, shown: Mapping[str, str]) -> Page:
        values = {
            "room": roll.room,
            "title": f"{roll.room.school}{roll.room.name}" if roll.room else texts.OTHERS,
            "rows": roll.entries,
            "done": roll.done,
            "shown": shown,
            "ways": texts.WAYS,
            "reason_of": texts.reason_of,
            "source_of": texts.source_of,
        }
        return Page("deliveries/class.html", values)


def _named(wanted: tuple[str, ...], counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(texts.STATUSES[status], counts.get(status, 0)) for status in wanted]
