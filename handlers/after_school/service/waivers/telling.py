"""Telling families that something has been decided: a push without a word of what, and one before it runs out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from bot.clock import Clock, local_date
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from bot.delivery.reminding import Choice, DueReminder, Occurrence, Reminded, Rule
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.after_school.domain.waivers import WaiverState
from handlers.after_school.models import AfterSchoolWaiver
from handlers.after_school.texts import waivers as texts

SOURCE: Final = "result"
"""Under which promises stand. What somebody looks at the deliveries for must not tell either."""
REASON: Final = "result_ends"
_KEPT: Final = timedelta(days=14)
_RULE: Final = Rule(leads=(10, 3), at=time(18, 0), eve=False)


class ResultPushes:
    """A `PushSource`, and who makes its promises."""

    def __init__(self, audiences: AccountsAudiences, outbox: Outbox, clock: Clock) -> None:
        self._audiences = audiences
        self._outbox = outbox
        self._clock = clock

    async def promise(self, row: AfterSchoolWaiver, at: datetime) -> None:
        """To everybody who looks after the child and has proved it, in the caller's transaction."""
        child = str(row.pupil_id)
        people = await guardians(self._audiences, child, local_date(at))
        await self._outbox.promise(
            [
                NewPush(
                    reason=f"{SOURCE}:{row.id}",
                    occurrence=f"{at:%Y%m%dT%H%M%S}",
                    person_id=person,
                    rule=SOURCE,
                    purpose=Purpose.RESULT,
                    not_before=at,
                    expires_at=at + _KEPT,
                    child_ids=(child,),
                )
                for person in people
            ]
        )

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """The same words for everything: not for whom it is nothing any more."""
        wards = await self._audiences.wards_of([push.person_id for push in pushes], local_date(now))
        ids = [UUID(push.reason.partition(":")[2]) for push in pushes]
        there = {str(own) for own in await AfterSchoolWaiver.filter(id__in=ids).values_list("id", flat=True)}
        return {
            push.id: _composed(texts.PUSH_TEXT, texts.PUSH_LINE, local_date(now))
            if push.reason.partition(":")[2] in there and set(push.child_ids) & wards.get(push.person_id, frozenset())
            else NotNeeded("not_theirs")
            for push in pushes
        }


class ResultReminders:
    """A `ReminderReason`: what was granted ends with a term."""

    def __init__(self, audiences: AccountsAudiences) -> None:
        self._audiences = audiences

    @property
    def name(self) -> str:
        """As the protocol says."""
        return REASON

    @property
    def rule(self) -> Rule:
        """Two school weeks before, and once more."""
        return _RULE

    async def occurrences(self, first: date, last: date) -> Sequence[Occurrence]:
        """Each case in force whose last day lies in the span."""
        rows = AfterSchoolWaiver.filter(state=WaiverState.GRANTED, lapses_on__gte=first, lapses_on__lte=last)
        return [
            Occurrence(id=str(own), day=day, schools=(str(school),))
            for own, day, school in await rows.values_list("id", "lapses_on", "school_id")
        ]

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """Those who look after the child."""
        row = await AfterSchoolWaiver.get_or_none(id=UUID(occurrence.id))
        if row is None or (schools and str(row.school_id) not in schools):
            return []
        child = str(row.pupil_id)
        return [Reminded(person, (child,)) for person in await guardians(self._audiences, child, today)]

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """That something ends, as long as nothing newer takes its place."""
        ids = [UUID(each.occurrence) for each in reminders]
        rows = {str(row.id): row for row in await AfterSchoolWaiver.filter(id__in=ids, state=WaiverState.GRANTED)}
        wards = await self._audiences.wards_of([each.push.person_id for each in reminders], local_date(now))
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for each in reminders:
            row = rows.get(each.occurrence)
            if row is None or str(row.pupil_id) not in wards.get(each.push.person_id, frozenset()):
                found[each.push.id] = NotNeeded("over")
            else:
                found[each.push.id] = _composed(texts.LAPSE_TEXT, texts.LAPSE_LINE, each.day)
        return found


async def guardians(audiences: AccountsAudiences, child_id: str, today: date) -> list[str]:
    """Those who look after a child and have proved it."""
    meant = Audience(roles=frozenset({AudienceRole.GUARDIANS}), pupil_ids=frozenset({child_id}))
    families = await audiences.children_of(meant, today)
    return [each.person_id for family in families for each in family.guardians if each.is_bound]


async def family_of(audiences: AccountsAudiences, child_id: str, today: date) -> frozenset[str]:
    """Everybody of a child's family, proved or not: none of them decides about it."""
    meant = Audience(roles=frozenset({AudienceRole.GUARDIANS}), pupil_ids=frozenset({child_id}))
    families = await audiences.children_of(meant, today)
    return frozenset(each.person_id for family in families for each in family.guardians)


def _composed(text: str, line: str, day: date) -> Composed:
    return Composed(text=text, line=line, slots={Slot.SUBJECT: texts.PUSH_SUBJECT, Slot.WHEN: day})
