"""Handing a matter to people, and what people do with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tortoise.functions import Count

from bot.clock import Clock
from bot.delivery.outbox import DeliveryStatus, NewMessage, Outbox
from bot.identity import Actor, Role, require_role
from bot.privacy import without_personal_data
from bot.storage.database import transaction
from handlers.support import texts
from handlers.support.domain import (
    UNANSWERED,
    UNFINISHED,
    HandOver,
    HandOverEvent,
    HandOverNotFound,
    HandOverState,
    Owner,
    Reply,
    advance,
    owner_for,
    shortened,
    tag_of,
)
from handlers.support.models import HandOverReplyRow, HandOverRow
from handlers.support.service.alarming import Alarming
from handlers.support.service.duty import DutyRoster

NOTICE = "support.notice"
REPLY = "support.reply"
WAITING = "waiting"
"""The name in a person's profile under which an answer waits for them."""

NOTICE_LIFE = timedelta(hours=24)
# The window for customer-service messages closes after 48 hours; what is left then waits for the asker.
REPLY_LIFE = timedelta(hours=47)
ONE_MATTER = timedelta(hours=2)
MAX_URGENT_TEXT = 4000
LISTED = 8
MAX_TODO = 500
OWN_LISTED = 3
# Characters of answers told before a reply.
MAX_TOLD = 500
_NOTICE_TEXT = 40


@dataclass(frozen=True, slots=True)
class Answered:
    """What a reply came to. `asker_index` is None when nobody is there to read it."""

    number: int
    asker_index: str | None


class HandOverService:
    """The use cases. Every one runs in the caller's transaction, or in one of its own."""

    def __init__(self, roster: DutyRoster, outbox: Outbox, clock: Clock, alarming: Alarming) -> None:
        self._roster = roster
        self._outbox = outbox
        self._clock = clock
        self._alarming = alarming

    # ----------------------------------------------------------------------------------------------------- the asker's
    async def hand_over(
        self, actor: Actor, openid: str, text: str, *, place: str | None = None, alarm: str | None = None
    ) -> HandOver:
        """Registers a matter, gives it an owner and tells them.

        With `alarm` a child may be in danger: it is urgent, an alarm is raised, and what is said soon after belongs to
        the same matter.
        """
        now = self._clock.now()
        async with transaction():
            if alarm and (known := await self._added_to_urgent(actor, text)) is not None:
                await self._alarming.add(actor, known, text)
                return known
            owner = await self._choose_owner(place)
            row = await HandOverRow.create(
                asker=openid,
                asker_index=actor.openid_index,
                place=place,
                alarm=alarm,
                text=text,
                state=HandOverState.URGENT if alarm else HandOverState.OPEN,
                owner_index=owner.index if owner else None,
                created_at=now,
                updated_at=now,
            )
            matter = self._shown(row, ())
            alarmed = await self._alarming.raise_for(actor, matter) if alarm else frozenset()
            await self._tell_owners(matter, owner, alarmed)
        return matter

    async def own_matters(self, actor: Actor) -> list[HandOver]:
        """The actor's latest matters, the newest first."""
        rows = await HandOverRow.filter(asker_index=actor.openid_index).order_by("-id").limit(OWN_LISTED)
        return [self._shown(row, replies) for row, replies in await self._with_replies(rows)]

    async def waiting_replies(self, actor: Actor) -> tuple[list[tuple[int, str]], bool]:
        """Answers that reached the actor no other way, by number, which count as told from now on; and whether more
        are to come: being sent just now, or too long to be told all at once."""
        found = await HandOverReplyRow.filter(hand_over__asker_index=actor.openid_index, told_at__isnull=True).order_by(
            "created_at"
        )
        index = actor.openid_index or ""
        statuses = await self._outbox.status_of(REPLY, [str(row.id) for row in found], index)
        told: list[str] = []
        waiting: list[tuple[int, str]] = []
        for row in found:
            status = statuses.get(str(row.id))
            if status is not DeliveryStatus.SENT:
                if sum(len(text) for _, text in waiting) + len(row.text) > MAX_TOLD:
                    break
                if not await self._take_over(row, status, index):
                    continue
                waiting.append((row.hand_over_id, row.text))
            told.append(str(row.id))
        await self._mark_told(told)
        return waiting, len(told) < len(found)

    async def _take_over(self, row: HandOverReplyRow, status: DeliveryStatus | None, index: str) -> bool:
        """Whether the answer is ours to tell: not while the worker has it in hand."""
        if status is DeliveryStatus.PLANNED:
            return await self._outbox.withdraw(REPLY, str(row.id), index)
        return status is not DeliveryStatus.SENDING

    async def profile_of(self, openid_index: str) -> Mapping[str, str]:
        """Whether an answer waits for the person."""
        waits = await HandOverReplyRow.filter(hand_over__asker_index=openid_index, told_at__isnull=True).exists()
        return {WAITING: "1"} if waits else {}

    # ----------------------------------------------------------------------------------------------------- the owner's
    async def todo(self, actor: Actor) -> list[HandOver]:
        """What the owner has to do, urgent first, then the oldest."""
        require_role(actor, Role.DUTY)
        unfinished = await HandOverRow.filter(state__in=list(UNFINISHED)).order_by("id").limit(MAX_TODO)
        rows = [row for row in unfinished if self._is_for(actor, row)]
        rows.sort(key=lambda row: (row.state is not HandOverState.URGENT, row.state is HandOverState.ANSWERED, row.id))
        return [self._shown(row, ()) for row in rows]

    async def look_at(self, actor: Actor, number: int) -> HandOver:
        """One matter in full. Raises HandOverNotFound."""
        row = await self._visible(actor, number)
        [(_, replies)] = await self._with_replies([row])
        return self._shown(row, replies)

    async def claim(self, actor: Actor, number: int) -> None:
        """The owner takes the matter on. Raises HandOverNotFound, HandOverClosed."""
        async with transaction():
            await self._move(await self._visible(actor, number, lock=True), HandOverEvent.CLAIM, actor)

    async def answer(self, actor: Actor, number: int, text: str) -> Answered:
        """Answers the asker, at once if their window is open, else when they come again.

        Raises HandOverNotFound, HandOverClosed.
        """
        now = self._clock.now()
        async with transaction():
            row = await self._visible(actor, number, lock=True)
            await self._move(row, HandOverEvent.ANSWER, actor)
            reply = await HandOverReplyRow.create(
                hand_over_id=row.id, author_index=actor.openid_index or "", text=text, created_at=now, updated_at=now
            )
            if row.asker:
                await self._outbox.enqueue(
                    NewMessage(
                        reason=REPLY,
                        occurrence=str(reply.id),
                        openid=row.asker,
                        text=texts.REPLY_ARRIVED.format(number=row.id, text=text),
                        expires_at=now + REPLY_LIFE,
                    )
                )
        return Answered(row.id, row.asker_index)

    async def close(self, actor: Actor, number: int) -> None:
        """The matter is finished. Raises HandOverNotFound, HandOverClosed."""
        async with transaction():
            await self._move(await self._visible(actor, number, lock=True), HandOverEvent.CLOSE, actor)

    # ------------------------------------------------------------------------------------------------------- machinery
    async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
        """Whether an owner still has to be told of a matter: not when somebody has answered it."""
        return await HandOverRow.filter(id=int(occurrence), state__in=list(UNANSWERED)).exists()

    async def erase(self, openid_index: str) -> None:
        """Takes a person out of their matters, in the caller's transaction; the matters stay."""
        now = self._clock.now()
        for row in await HandOverRow.filter(asker_index=openid_index):
            await HandOverRow.filter(id=row.id).update(
                asker=None, asker_index=None, text=without_personal_data(row.text), updated_at=now
            )
            for reply in await HandOverReplyRow.filter(hand_over_id=row.id):
                await HandOverReplyRow.filter(id=reply.id).update(text=without_personal_data(reply.text))

    async def _added_to_urgent(self, actor: Actor, text: str) -> HandOver | None:
        """The actor's fresh urgent matter with the text added; None when there is none."""
        now = self._clock.now()
        row = await (
            HandOverRow.filter(asker_index=actor.openid_index, alarm__not_isnull=True, created_at__gte=now - ONE_MATTER)
            .filter(state__in=list(UNANSWERED))
            .select_for_update()
            .first()
        )
        if row is None:
            return None
        row.text = f"{row.text}\n{text}"[-MAX_URGENT_TEXT:]
        await HandOverRow.filter(id=row.id).update(text=row.text, updated_at=now)
        return self._shown(row, ())

    async def _choose_owner(self, place: str | None) -> Owner | None:
        counts = (
            await HandOverRow.filter(state__in=list(UNFINISHED))
            .annotate(matters=Count("id"))
            .group_by("owner_index")
            .values_list("owner_index", "matters")
        )
        load = {str(index): int(matters) for index, matters in counts if index}
        return owner_for(self._roster.owners, place, load)

    async def _tell_owners(self, matter: HandOver, owner: Owner | None, alarmed: frozenset[str]) -> None:
        """The owner; of what is urgent everybody on duty, since the owner may not be looking. Those whom the alarm
        tells, by index, are not told twice."""
        owners = self._roster.owners if matter.is_urgent else (owner,) if owner else ()
        told = [each for each in owners if each.index not in alarmed]
        text = texts.NOTICE_URGENT if matter.is_urgent else texts.NOTICE
        asker = texts.ASKER.format(tag=matter.asker_tag)
        short = shortened(without_personal_data(matter.text), _NOTICE_TEXT)
        await self._outbox.enqueue(
            *(
                NewMessage(
                    reason=NOTICE,
                    occurrence=str(matter.number),
                    openid=each.openid,
                    text=text.format(number=matter.number, asker=asker, text=short),
                    expires_at=self._clock.now() + NOTICE_LIFE,
                )
                for each in told
            )
        )

    async def _visible(self, actor: Actor, number: int, *, lock: bool = False) -> HandOverRow:
        """The row if it is the actor's to see. Not there and not theirs are the same."""
        require_role(actor, Role.DUTY)
        query = HandOverRow.filter(id=number)
        row = await (query.select_for_update() if lock else query).first()
        if row is None or not self._is_for(actor, row):
            raise HandOverNotFound(texts.NOT_THERE)
        return row

    def _is_for(self, actor: Actor, row: HandOverRow) -> bool:
        """Their own, what nobody on duty owns, and what is urgent."""
        return row.owner_index == actor.openid_index or row.alarm is not None or not self._roster.owner(row.owner_index)

    async def _move(self, row: HandOverRow, event: HandOverEvent, actor: Actor) -> None:
        now = self._clock.now()
        state = advance(row.state, event)
        closed_at = now if state is HandOverState.CLOSED else None
        await HandOverRow.filter(id=row.id).update(
            state=state, owner_index=actor.openid_index, updated_at=now, closed_at=closed_at
        )
        if row.alarm is not None:
            await self._alarming.taken_on(actor, row.id)

    async def _with_replies(
        self, rows: Sequence[HandOverRow]
    ) -> list[tuple[HandOverRow, tuple[HandOverReplyRow, ...]]]:
        replies = await HandOverReplyRow.filter(hand_over_id__in=[row.id for row in rows]).order_by("created_at")
        return [(row, tuple(reply for reply in replies if reply.hand_over_id == row.id)) for row in rows]

    async def _mark_told(self, ids: Iterable[str]) -> None:
        now = self._clock.now()
        wanted = list(ids)
        if wanted:
            await HandOverReplyRow.filter(id__in=wanted, told_at__isnull=True).update(told_at=now, updated_at=now)

    def _shown(self, row: HandOverRow, replies: Sequence[HandOverReplyRow]) -> HandOver:
        owner = self._roster.owner(row.owner_index)
        return HandOver(
            number=row.id,
            state=row.state,
            text=row.text,
            created_at=row.created_at,
            asker_tag=tag_of(row.asker_index) if row.asker_index else None,
            place=row.place,
            alarm=row.alarm,
            owner_name=owner.name if owner else None,
            replies=tuple(Reply(str(reply.id), reply.text, reply.told_at is not None) for reply in replies),
        )
