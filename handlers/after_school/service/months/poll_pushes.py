"""Telling families that they are asked: whoever has answered meanwhile is left in peace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from bot.clock import local_date, to_local
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from bot.storage.base import blind_index
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolPlan,
    AfterSchoolPoll,
    AfterSchoolPollVoter,
)
from handlers.after_school.service.days.reading import spans_of
from handlers.after_school.texts import polls as texts

SOURCE: Final = "poll"
_ONCE: Final = "open"
_GUARDIANS: Final = frozenset({AudienceRole.GUARDIANS})


def voter(poll_id: UUID, person_id: str | None) -> str:
    """By which it is known that somebody has answered, and nothing else."""
    return blind_index("poll", f"{poll_id}:{person_id}")


class PollPushes:
    """A `PushSource`, and who makes its promises."""

    def __init__(self, audiences: AccountsAudiences, outbox: Outbox) -> None:
        self._audiences = audiences
        self._outbox = outbox

    async def promise(self, poll: AfterSchoolPoll, now: datetime) -> int:
        """To everybody who looks after a child that had a place once, in the caller's transaction; gives to how
        many. Promised twice is once."""
        rows = await AfterSchoolEnrolment.filter(plan_id=poll.plan_id).values_list("id", "pupil_id")
        spans = await spans_of([UUID(str(own)) for own, _ in rows])
        children = frozenset(str(pupil) for own, pupil in rows if UUID(str(own)) in spans)
        if not children:
            return 0
        meant = Audience(roles=_GUARDIANS, pupil_ids=children)
        return await self._outbox.promise(
            [
                NewPush(
                    reason=f"{SOURCE}:{poll.plan_id}",
                    occurrence=_ONCE,
                    person_id=each.person_id,
                    rule=SOURCE,
                    purpose=Purpose.REMINDER,
                    not_before=now,
                    expires_at=poll.closes_at,
                    child_ids=tuple(sorted(ward.id for ward in each.children)),
                )
                for each in await self._audiences.people(meant, local_date(now))
            ]
        )

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """While the poll is open, for whoever still looks after one of the children and has not answered."""
        plans = {push.id: UUID(push.reason.partition(":")[2]) for push in pushes}
        known = list(set(plans.values()))
        polls = {row.plan_id: row for row in await AfterSchoolPoll.filter(plan_id__in=known, closes_at__gt=now)}
        titles = {row.id: row.title for row in await AfterSchoolPlan.filter(id__in=known)}
        wards = await self._audiences.wards_of([push.person_id for push in pushes], local_date(now))
        keys = {push.id: voter(polls[own].id, push.person_id) for push in pushes if (own := plans[push.id]) in polls}
        answered = AfterSchoolPollVoter.filter(voter__in=list(keys.values())).values_list("voter", flat=True)
        done = {str(own) for own in await answered}
        return {
            push.id: NotNeeded("over")
            if push.id not in keys
            else NotNeeded("answered")
            if keys[push.id] in done or not wards.get(push.person_id, frozenset()) & frozenset(push.child_ids)
            else _words(titles[plans[push.id]], polls[plans[push.id]].closes_at)
            for push in pushes
        }


def _words(title: str, closes_at: datetime) -> Composed:
    # The end of a day is the beginning of the next: families read of the day they can still answer on.
    last = to_local(closes_at)
    day = texts.last_day(last)
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: texts.PUSH_SUBJECT,
        Slot.WHEN: closes_at,
        Slot.SENDER: title,
        Slot.NOTE: texts.PUSH_NOTE,
    }
    return Composed(
        text=texts.PUSH_TEXT.format(title=title, day=day),
        line=texts.PUSH_LINE.format(title=title, day=day),
        slots=slots,
    )
