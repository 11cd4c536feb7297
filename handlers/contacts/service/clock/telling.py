"""Every morning of school: whose day has come is told to who answers for it, one stage after another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

from bot.clock import SHANGHAI, Clock, local_date, to_local, to_utc
from bot.delivery.outbox import DeliveryStatus, Outbox
from bot.delivery.pushes import NewPush, Purpose, Push
from bot.logs import get_logger
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.clock import MOST_A_DAY, ContactDays
from handlers.contacts.domain.register import Stage
from handlers.contacts.domain.stages import is_repeated, messages_of, next_stage, stage_on
from handlers.contacts.models import ContactsDue
from handlers.contacts.service.clock.counting import told_of
from handlers.contacts.service.clock.piles import Overdue, Pile, Piles, piles_of
from handlers.contacts.service.clock.reading import SchoolDays

SOURCE: Final = "contacts"
REASON: Final = f"{SOURCE}:due"
_MORNING: Final = time(7, 30)
_EVENING: Final = time(20, 0)
_UNSETTLED: Final = frozenset({DeliveryStatus.PLANNED, DeliveryStatus.HELD})
_LOST: Final = frozenset({DeliveryStatus.UNREACHABLE, DeliveryStatus.FAILED, DeliveryStatus.EXPIRED})
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Word:
    """A child of which somebody is to hear today, and what its stage is then."""

    overdue: Overdue
    stage: Stage
    people: frozenset[str]

    @property
    def is_step(self) -> bool:
        """Whether the row changes: another stage, or the same once more because nobody was reached on it."""
        told = told_of(self.overdue.row)
        return self.stage is not told.stage or told.is_lost


class ContactTelling:
    """Tells, once a day each, whoever has something new on their pile, and once a week whoever still has something.

    What is told is promised in the transaction in which the stage is written down, so nobody counts as told who was
    not promised a message. An `UnreachableListener`: a stage on which nobody was reached is not waited for.
    """

    def __init__(self, piles: Piles, days: SchoolDays, offices: Offices, outbox: Outbox, clock: Clock) -> None:
        self._piles = piles
        self._days = days
        self._offices = offices
        self._outbox = outbox
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------- telling
    async def tell(self) -> int:
        """Everything that is to be said today; gives how many promises are new. May run twice, late, and beside another
        replica. After the evening nothing is said any more: the next day of school is soon enough for the same."""
        now = self._clock.now()
        if to_local(now).time() >= _EVENING:
            return 0
        return sum([await self._tell_town(town, local_date(now)) for town in await self._offices.townships()])

    async def _tell_town(self, township_id: str, today: date) -> int:
        async with transaction():
            overdue = await self._piles.overdue(today, township_id, lock=True)
            days = await self._days.of_schools({each.ward.school_id for each in overdue})
            at_school = [each for each in overdue if days[each.ward.school_id].is_open(today)]
            full = await self._full(at_school, today)
            taken = await self._taken_over(at_school, days, today)
            words = [
                word
                for each in at_school
                if (word := _word(each, days[each.ward.school_id], today, taken[each.ward.id] - full, full))
            ]
            await self._write([word for word in words if word.is_step])
            piles = piles_of(overdue, {word.overdue.ward.id: word.stage for word in words})
            return await self._promise({person: piles[person] for word in words for person in word.people}, today)

    async def _full(self, overdue: Sequence[Overdue], today: date) -> frozenset[str]:
        """Who has had their messages of the day: what comes up now waits for the next day of school."""
        people = sorted(piles_of(overdue, {each.ward.id: Stage.LEADER for each in overdue}))
        found = set()
        for number in range(1, MOST_A_DAY + 1):
            states = await self._outbox.reached(REASON, occurrence_of(today, number), people) if people else {}
            found |= {person for person, state in states.items() if state.status not in _UNSETTLED}
        return frozenset(found)

    async def _taken_over(
        self, overdue: Sequence[Overdue], days: Mapping[str, ContactDays], today: date
    ) -> Mapping[str, frozenset[str]]:
        """By child, who keeps contact since so short a time that nobody has told them yet: they hear of it on the same
        day, or on the next day of school."""
        found = {each.ward.id: _fresh(each, days[each.ward.school_id], today) for each in overdue}
        then: dict[date, set[str]] = defaultdict(set)
        for fresh in found.values():
            for person, since in fresh.items():
                then[since] |= {person} if since < today else set()
        told = {
            (person, day)
            for day, people in then.items()
            for number in range(1, MOST_A_DAY + 1)
            for person in await self._outbox.reached(REASON, occurrence_of(day, number), people)
        }
        return {
            child: frozenset(person for person, since in fresh.items() if (person, since) not in told)
            for child, fresh in found.items()
        }

    async def _write(self, words: Sequence[_Word]) -> None:
        now, rows = self._clock.now(), list[ContactsDue]()
        for word in words:
            row = word.overdue.row
            row.stage, row.stage_at, row.updated_at = word.stage, now, now
            rows.append(row)
        if rows:
            await ContactsDue.bulk_update(rows, fields=["stage", "stage_at", "updated_at"])

    async def _promise(self, piles: Mapping[str, Pile], today: date) -> int:
        not_before = max(self._clock.now(), moment(today, _MORNING))
        pushes = [
            NewPush(
                reason=REASON,
                occurrence=occurrence_of(today, number),
                person_id=person,
                rule=SOURCE,
                purpose=Purpose.TASK,
                not_before=not_before,
                expires_at=moment(today, _EVENING),
            )
            for person, pile in sorted(piles.items())
            for number, _ in enumerate(messages_of(set(pile.parts), pile.daily_cap), 1)
        ]
        return await self._outbox.promise(pushes) if pushes else 0

    # --------------------------------------------------------------------------------------------------- unreachable
    async def could_not_reach(self, pushes: Sequence[Push], why: str) -> None:
        """See `UnreachableListener`: with the next tick the next ones are told."""
        by_day: dict[date, set[str]] = defaultdict(set)
        for push in pushes:
            if push.reason == REASON:
                by_day[day_of(push)].add(str(UUID(push.person_id)))
        for day, lost in by_day.items():
            for each in await self._piles.overdue(local_date(self._clock.now()), lock=True):
                told = told_of(each.row)
                people = each.answerable.heard_by(told.stage)[1] if told.on is not None and told.on <= day else ()
                if lost.isdisjoint(people) or not await self._are_lost(set(people) - lost, day):
                    continue
                if told.stage is Stage.LEADER:
                    _log.error("contacts_untold", why=why)
                else:
                    await ContactsDue.filter(id=each.row.id).update(stage_at=None, updated_at=self._clock.now())

    async def _are_lost(self, people: Collection[str], day: date) -> bool:
        """Whether none of the people heard of it on a day; whoever was not told then heard of it on another."""
        found: dict[str, list[DeliveryStatus]] = {person: [] for person in people}
        for number in range(1, MOST_A_DAY + 1):
            for person, state in (await self._outbox.reached(REASON, occurrence_of(day, number), people)).items():
                found[person].append(state.status)
        return all(states and _LOST.issuperset(states) for states in found.values())


def occurrence_of(day: date, number: int) -> str:
    """Names a message of somebody's day: there are never two of a number."""
    return f"{day.isoformat()}:{number}"


def day_of(push: Push) -> date:
    """The day a message belongs to."""
    return date.fromisoformat(push.occurrence.partition(":")[0])


def number_of(push: Push) -> int:
    """Which message of the day it is."""
    return int(push.occurrence.partition(":")[2])


def moment(day: date, at: time) -> datetime:
    """A time of day in China."""
    return to_utc(datetime.combine(day, at, SHANGHAI))


def _word(
    each: Overdue, days: ContactDays, today: date, taken_over: frozenset[str], full: frozenset[str]
) -> _Word | None:
    """Who is to hear of a child today; None: nobody, or nobody who can still be told today."""
    told, wanted = told_of(each.row), stage_on(each.rule, each.due_on, days, today)
    stage = next_stage(told, wanted, today)
    if stage is Stage.NONE:
        return None
    people = set[str]()
    if stage is not told.stage or told.is_lost:
        # Those on a stage on which nobody was reached may be by now.
        below = each.answerable.heard_by(told.stage)[1] if told.is_lost else ()
        people = {*each.answerable.heard_by(stage)[1], *below} - full
        if not people:
            return None
    elif told.on is not None and is_repeated(told.on, today, days):
        people = {*each.answerable.heard_by(stage)[1], *each.answerable.heard_by(Stage.TEACHER)[1]} - full
    people |= taken_over
    return _Word(each, stage, frozenset(people)) if people else None


def _fresh(each: Overdue, days: ContactDays, today: date) -> dict[str, date]:
    """Who keeps contact since today, or since a day after which there was no school."""
    return {
        person: since
        for person, since in each.paired_on.items()
        if person in each.answerable.keepers and since <= today and days.open_since(since, today) <= 1
    }
